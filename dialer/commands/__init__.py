"""What the commands do once the site is open; dialer/cli.py says how they are called."""
