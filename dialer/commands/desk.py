"""What every command shares: the console, one line said, a campaign that must be there."""

import logging
import sys
from pathlib import Path

import structlog
from rich.console import Console

from dialer import campaigns
from dialer.adapters.site import OpenSite
from dialer.errors import BadInput
from dialer.model import CAMPAIGN_ID, Campaign

out = Console()


def log_to_stderr(level: int = logging.WARNING) -> None:
    """What is printed is for people and programs; a word of warning goes beside it."""
    structlog.configure(
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
