"""What every command shares: the console, one line said, a campaign that must be there, a number as it is written."""

import logging
import sys
from pathlib import Path

import structlog
from rich.console import Console

from dialer import campaigns
from dialer.adapters.site import OpenSite
from dialer.errors import BadInput
from dialer.lists.numbers import NumberFault, read_number
from dialer.mask import shape
from dialer.model import CAMPAIGN_ID, Campaign

out = Console()


def log_to_stderr(level: int = logging.WARNING) -> None:
    """What is printed is for people and programs; a word of warning goes beside it."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            # structlog's own choice shows the values of variables, and with them secrets
            structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def say(text: str) -> None:
    """One line as it is: nothing coloured, nothing wrapped."""
    out.print(text, highlight=False, markup=False, soft_wrap=True)


def campaign_file(path: Path | None) -> dict[str, str]:
    """The settings in a campaign's file. Raises BadInput."""
    if path is None:
        return {}
    try:
        return campaigns.from_file(path.read_text(encoding="utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} cannot be read: {error}.") from None


async def known(site: OpenSite, campaign: str) -> Campaign:
    """The campaign's settings. Raises BadInput where there is none."""
    found = await site.store.campaign(campaign) if CAMPAIGN_ID.fullmatch(campaign) else None
    if found is None:
        there = ", ".join(await site.store.campaigns()) or "none yet"
        raise BadInput(f"there is no campaign {campaign!r} (there are: {there}); dialer campaign create makes one.")
    return found[0]


def number_of(site: OpenSite, text: str) -> str:
    """E.164 of a number as people write it. Raises BadInput, which shows its shape only."""
    rules = site.config.list_rules()
    try:
        return read_number(text, rules.region, rules.country_codes)
    except NumberFault as fault:
        raise BadInput(f"{shape(text)} is {fault.reason}: {fault.cure}.") from None
