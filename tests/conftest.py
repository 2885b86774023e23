"""For all tests: a random test is judged by what it finds, never by how long it took; figures are the bench's."""

import os
import signal
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("santun", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("santun")

# as wide as each test says, not as a runner of tests in parallel does
os.environ.pop("COLUMNS", None)

# a shell's background job starts with Ctrl-C ignored, and so would all that is started here
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def _logs_as_before() -> Iterator[None]:
    """A command that a test runs sets up logs for itself; the next test is not to hear less."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
