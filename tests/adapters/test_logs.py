"""What a process logs when things go wrong, as its standard error has it: no number, no secret, whatever is quoted."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dialer.mask import mask_text

ROOT = Path(__file__).parents[2]
NUMBER = "+6281298765432"
FAULTS = {
    "a fault of ours": "log.error('a request failed', action='bug', exc_info=ValueError('no such number: ' + number))",
    "a key of a dict": "log.error('x', exc_info=KeyError(number))",
    "a reason": "log.warning('x', reason='contact of ' + number + ' makes no sense')",
    "an error": "log.warning('x', error='0812-9876-5432 is no number')",
    "a library": "logging.getLogger('redis').warning('GET %s failed', number)",
    "a library's fault": "logging.getLogger('asyncio').error('x', exc_info=ValueError(number))",
    "a task nobody waits for": "asyncio.run(lost(number))",
    "a broken line": "logging.getLogger('x').warning('%d', number)",
}
HEAD = """
import asyncio, gc, logging, sys
import structlog
from dialer.adapters import logs
logs.to_stderr()
log, number = structlog.get_logger(), sys.argv[1]
async def fail(number): raise RuntimeError('with ' + number)
async def lost(number):
    asyncio.get_running_loop().create_task(fail(number))
    await asyncio.sleep(0.01)
    gc.collect()
"""


@pytest.mark.parametrize("what", FAULTS)
def test_no_line_has_a_number(what: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", HEAD + FAULTS[what], NUMBER], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "98765432" not in done.stderr
    assert "9876-5432" not in done.stderr
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert lines, "it is told all the same"
    assert "***" in json.dumps(lines) or "cannot be read" in lines[0]["event"]


def test_what_is_no_number_stays() -> None:
    for text in ("attempt 01kaq3k9v2hb4q0s6c1n8w5x7y", "127.0.0.1:5038", "12 of 500", "HTTP/1.1 503"):
        assert mask_text(text) == text
