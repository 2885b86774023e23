"""HTTP of the dialer: so far whether it is alive and ready, and the live snapshot."""
