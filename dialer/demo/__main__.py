"""`./run demo`: a real campaign on a real Asterisk, from list to outcome stream, and the books checked at its end."""

import signal


def main() -> None:
    """The command."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # nothing has been started: Ctrl-C may simply end us
    import typer

    from dialer.demo.play import demo

    typer.run(demo)


if __name__ == "__main__":
    main()
