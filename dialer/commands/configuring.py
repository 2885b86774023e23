"""`dialer conf`: one Asterisk node's files, and the folders it runs in."""

import os
from pathlib import Path

import typer

from dialer.adapters.asterisk_conf import CONF, render
from dialer.adapters.asterisk_process import prepare
from dialer.adapters.asterisk_settings import read_settings
from dialer.adapters.tls import key_faults


def fill(settings: Path, data: Path) -> None:
    """By the node's settings; says how to start it."""
    node = read_settings(settings, os.environ)
    if node.phones or any(trunk.password for trunk in node.trunks):
        for fault in key_faults(settings):
            typer.echo(f"It holds passwords: {fault}.", err=True)
    render(node, CONF, node.run / "etc")
    prepare(node.run, data, node.sounds)
    node.recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
    typer.echo(f"Ready: asterisk -f -C {node.run / 'etc' / 'asterisk.conf'}")
