"""Parts of the command `ivr`."""
