"""A dialer's world on invented time: debtors, network, agents; any pacer may be driven in it."""
