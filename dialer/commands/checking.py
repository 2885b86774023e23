"""`dialer check`: every fault of the settings and of what they reach, each with its cure."""

import asyncio
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import typer

from dialer.adapters.asterisk_audit import audit, console_of, diff
from dialer.adapters.asterisk_settings import read_settings
from dialer.adapters.reach import faults_of
from dialer.adapters.site import load_config
from dialer.commands.desk import log_to_stderr


def of_site(config: Path) -> None:
    """The site's. Exits with 1 where there is one."""
    log_to_stderr(logging.CRITICAL)  # every fault is told below
    _tell(asyncio.run(faults_of(load_config(config), config)))


def of_asterisk(node: Path, pbx: Path) -> None:
    """Those of an Asterisk that is there, and what `dialer conf` would change. Exits with 1 where there is one."""
    log_to_stderr(logging.CRITICAL)
    settings = read_settings(node, os.environ)
    console = console_of(pbx)
    if console is None:
        typer.echo(f"The files of {pbx} alone were read: their Asterisk does not run, or not for this user.", err=True)
    _tell(audit(pbx, settings, console), diff(pbx, settings))


def _tell(wrong: Sequence[str], changes: str = "") -> None:
    for fault in wrong:
        typer.echo(f"- {fault}")
    if changes:
        typer.echo(f"\nWhat `dialer conf` would write instead, secrets left out:\n\n{changes}", nl=False)
    if wrong:
        raise typer.Exit(1)
    typer.echo("Everything that was checked is in order.")
