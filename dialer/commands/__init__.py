"""What the commands do once the site is open; options/ says how they are called, dialer/cli.py in which order."""
