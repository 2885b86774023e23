"""The log of a process: one JSON object a line on stderr, what libraries say included, no telephone number in full.

Our own lines name nobody by design; what may quote anything is an exception's text, ours or a library's.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from dialer.mask import mask_text

QUOTING = ("exception", "error", "reason", "begins", "start")  # fields that may quote what came from outside


def masked(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: runs of seven digits or more are masked where somebody else's words are quoted."""
    for name in QUOTING:
        if isinstance(value := event.get(name), str):
            event[name] = mask_text(value)
    return event


class Library(logging.Handler):
    """What asyncio and other libraries log comes the same way."""

    def emit(self, record: logging.LogRecord) -> None:
        """Never raises: a line of log costs no call."""
        log = structlog.get_logger(record.name)
        try:
            says = mask_text(record.getMessage())
        except Exception:  # what it was to say is wrong: it is not shown, for it was not masked
            says = "a library said what cannot be read"
        log.log(max(record.levelno, logging.WARNING), says, action="library", exc_info=record.exc_info or None)


def to_stderr(level: int = logging.INFO) -> None:
    """For the life of the process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            masked,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=logging.WARNING, handlers=[Library()], force=True)
