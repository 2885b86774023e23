"""For all tests: a random test is judged by what it finds, never by how long it took; figures are the bench's."""

import os
import signal

from hypothesis import HealthCheck, settings

settings.register_profile("santun", parent=settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("santun")

# as wide as each test says, not as a runner of tests in parallel does
os.environ.pop("COLUMNS", None)

# a shell's background job starts with Ctrl-C ignored, and so would all that is started here
signal.signal(signal.SIGINT, signal.default_int_handler)
