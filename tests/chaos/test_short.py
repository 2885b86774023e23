"""A short chaos run with everything in it: real processes, five faults of a seed, the whole judgement at its end."""

import sys
from pathlib import Path

import pytest

from tests.chaos.faults import BY_NAME
from tests.chaos.play import Result, Wanted, run
from tests.chaos.table import page, verdict

pytestmark = [pytest.mark.asterisk, pytest.mark.redis]

BROKEN = ("kill engine", "kill ivr", "freeze asterisk", "redis full", "manager link cut")


async def short(keep: Path) -> Result:
    kinds = tuple(BY_NAME[name] for name in BROKEN)
    wanted = Wanted(minutes=0.1, seed=3, rate=10.0, agents=4, kinds=kinds, times=1, keep=keep, short=True)
    return await run(wanted, lambda text: print(text, file=sys.stderr))


@pytest.mark.timeout(400)
async def test_five_faults_and_every_promise_kept(tmp_path: Path) -> None:
    result = await short(tmp_path / "chaos")
    assert result.wrong == [], page(result)
    assert {fault.kind.name for fault in result.faults} == set(BROKEN)
    assert all(fault.recovered_at for fault in result.faults)
    assert result.seen is not None
    assert len(result.seen.calls) > 30, page(result)  # less would prove nothing
    assert verdict(result).startswith("Held")
