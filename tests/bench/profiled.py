"""The command `dialer` under cProfile, once everything is imported: `python -m tests.bench.profiled FILE serve ...`."""

import cProfile
import sys

import dialer.service  # noqa: F401 - not to be measured
from dialer.cli import main

if __name__ == "__main__":
    out = sys.argv.pop(1)
    profile = cProfile.Profile()
    try:
        profile.runcall(main)
    finally:
        profile.dump_stats(out)
