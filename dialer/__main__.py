"""python -m dialer: the command line."""

from dialer.cli import main

main()
