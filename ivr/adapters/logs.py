"""Where the IVR's log goes: a line of JSON each, to standard error, without numbers."""

from dialer.adapters import logs


def log_to_stderr() -> None:
    """Once, at the start of a program."""
    logs.to_stderr()
