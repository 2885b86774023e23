"""The lender's limits on disk, with the flows of campaigns that have a conversation of their own."""

from pathlib import Path

from dialer.adapters.limit_files import read_limits
from dialer.debts.plans import Limits
from dialer.errors import ConfigError
from ivr.adapters import flow_files
from ivr.flow import Flow
from ivr.shipped import PAYMENT_REMINDER
from ivr.terms import Terms


def load_limits(path: Path | None) -> tuple[Limits, Terms]:
    """The rule, and what differs from it. Without a file: the defaults, which offer nothing.

    Raises ConfigError with every fault as file:line.
    """
    if path is None:
        return Limits(), Terms()
    read = read_limits(path)
    flows = {campaign: _flow(path, name, line) for campaign, (name, line) in read.flows.items()}
    return read.rule, Terms(read.terms.lenders, read.terms.campaigns, flows)


def _flow(path: Path, name: str, line: int) -> Flow:
    try:
        return flow_files.load(name if name == PAYMENT_REMINDER else str(path.parent / name))
    except ConfigError as error:
        raise ConfigError(f"{path}:{line}: flow = {name}: {error.detail}") from None
