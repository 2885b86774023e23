"""When the rules of campaigns are read, what stays where they cannot be, and that a server with settings has them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from dialer.errors import ConfigError, StoreDown
from dialer.law.places import Rules
from dialer.model import Campaign
from ivr.adapters.rule_book import READ_AGAIN_S, TRIED_AGAIN_S, RuleBook
from tests import packs
from tests.ivr import twins

APRIL = twins.CAMPAIGN
PACK = packs.indonesia()


@dataclass
class Site:
    """Campaigns of a store, and what the process answers for them."""

    listed: list[Campaign] = field(default_factory=lambda: [APRIL])
    faults: dict[str, str] = field(default_factory=dict)
    down: bool = False
    broken: bool = False
    reads: int = 0

    def campaigns(self) -> Sequence[Campaign]:
        if self.down:
            raise StoreDown("a test")
        return self.listed

    def read(self, settings: Path, campaigns: Sequence[Campaign]) -> tuple[Mapping[str, Rules], Mapping[str, str]]:
        self.reads += 1
        if self.broken:
            raise ConfigError("a test")
        return {one.id: Rules(PACK, PACK, 30.0) for one in campaigns if one.id not in self.faults}, self.faults


@dataclass
class Reading:
    site: Site
    clock: twins.Clock
    book: RuleBook


@pytest.fixture
def reading() -> Reading:
    site, clock = Site(), twins.Clock()
    return Reading(site, clock, RuleBook(site, Path("santun.toml"), clock, site.read))


def test_they_are_read_anew_when_something_of_theirs_changes(reading: Reading) -> None:
    site, book = reading.site, reading.book
    assert book.of("arrears") is None
    for change, reads in (
        ({}, 1),
        ({}, 1),
        ({"name": "Another", "lines_max": 9}, 1),
        ({"week": {"sat": "closed"}}, 2),
        ({"pack": "us"}, 3),
        ({"ring_s": 40}, 4),
    ):
        site.listed = [replace(site.listed[0], **change)]
        book.look()
        assert (site.reads, bool(book.of("arrears"))) == (reads, True)
    reading.clock.at += READ_AGAIN_S - 1
    book.look()
    assert site.reads == 4
    reading.clock.at += 1
    book.look()
    assert site.reads == 5
    assert book.of("none") is None


def test_what_cannot_be_read_stays_as_it_was(reading: Reading) -> None:
    site, book = reading.site, reading.book
    book.look()
    site.down = True
    book.look()
    known = book.of("arrears")
    assert known
    site.down, site.faults, site.listed = False, {"arrears": "no trunk"}, [replace(APRIL, trunk="x")]
    book.look()
    assert book.of("arrears") is known
    site.listed = []
    book.look()
    assert book.of("arrears") is None


def test_settings_that_cannot_be_read_are_tried_again_soon(reading: Reading) -> None:
    site, book = reading.site, reading.book
    site.broken = True
    book.look()
    book.look()
    assert site.reads == 1
    site.broken = False
    reading.clock.at += TRIED_AGAIN_S
    book.look()
    assert (site.reads, bool(book.of("arrears"))) == (2, True)


def test_without_settings_nothing_is_read() -> None:
    site = Site()
    book = RuleBook(site, None, twins.Clock(), site.read)
    book.start()
    book.look()
    book.stop()
    assert (site.reads, book.of("arrears")) == (0, None)
