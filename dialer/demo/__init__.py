"""The demo: a carrier, its debtors and robot agents, all on this machine."""
