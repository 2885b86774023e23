"""Rule packs read in a process of its own: what settings, packs and holidays take of memory is not taken from who asks.

python -m dialer.adapters.pack_process SETTINGS      campaigns on standard input, their rules on standard output
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from dialer.adapters.frames import encode
from dialer.errors import ConfigError
from dialer.law.places import Rules
from dialer.law.rulebook import Hours, Pack
from dialer.model import Campaign

LIMIT_S = 60.0


class _Of(msgspec.Struct, frozen=True):
    """One campaign: its place among the packs, its own hours."""

    pack: int
    own: Hours | None
    call_s: float


class _Answer(msgspec.Struct, frozen=True):
    """Many campaigns have one pack. `faults`: why a campaign has none."""

    packs: tuple[Pack, ...] = ()
    campaigns: dict[str, _Of] = {}
    faults: dict[str, str] = {}


_campaigns = msgspec.msgpack.Decoder(tuple[Campaign, ...]).decode
_answer = msgspec.msgpack.Decoder(_Answer).decode
_same = msgspec.msgpack.Encoder(order="deterministic").encode

Found = tuple[Mapping[str, Rules], Mapping[str, str]]  # by campaign: rules, or why there are none


def read_rules(settings: Path, campaigns: Sequence[Campaign]) -> Found:
    """As the site's engine reads them. Raises ConfigError where the site's settings cannot be read."""
    words = [sys.executable, "-P", "-m", "dialer.adapters.pack_process", str(settings)]
    try:
        done = subprocess.run(
            words, input=encode(tuple(campaigns)), capture_output=True, timeout=LIMIT_S, start_new_session=True
        )
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
            raise ConfigError(said or f"the process that reads rule packs ended with {done.returncode}")
        answer = _answer(done.stdout)
    except (OSError, subprocess.TimeoutExpired, msgspec.DecodeError, ValueError) as error:
        raise ConfigError(f"the process that reads rule packs failed: {error}") from error
    found = {}
    for campaign, one in answer.campaigns.items():
        lawful = answer.packs[one.pack]
        found[campaign] = Rules(lawful, replace(lawful, own_hours=one.own) if one.own else lawful, one.call_s)
    return found, answer.faults


def _read(settings: Path, campaigns: Sequence[Campaign]) -> _Answer:
    from dialer.adapters.clock import SystemClock
    from dialer.adapters.site import load_config, pack_of  # settings and holidays: in this process alone
    from dialer.originate import timeout_s

    config, at = load_config(settings), SystemClock().now()
    packs: dict[bytes, tuple[int, Pack]] = {}
    found: dict[str, _Of] = {}
    faults: dict[str, str] = {}
    for campaign in campaigns:
        try:
            pack = pack_of(config, campaign, at)
        except ConfigError as error:
            faults[campaign.id] = error.detail
            continue
        lawful = replace(pack, own_hours=None, sources={})  # nobody is told a citation
        place, _ = packs.setdefault(_same(lawful), (len(packs), lawful))
        found[campaign.id] = _Of(place, pack.own_hours, float(timeout_s(campaign)))
    return _Answer(tuple(pack for _, pack in packs.values()), found, faults)


def main() -> None:
    """The process."""
    try:
        answer = _read(Path(sys.argv[1]), _campaigns(sys.stdin.buffer.read()))
    except ConfigError as error:
        print(error.detail.replace("\n", " "), file=sys.stderr)
        raise SystemExit(2) from None
    with os.fdopen(sys.stdout.fileno(), "wb", closefd=False) as out:
        out.write(encode(answer))


if __name__ == "__main__":
    main()
