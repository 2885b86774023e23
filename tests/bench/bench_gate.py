"""How fast the gate decides and a list is read: `python -m tests.bench.bench_gate [--contacts 20000]`."""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from dialer.compliance import may_call
from dialer.contacts import ListRules, read_rows
from dialer.law.number_plan import number_type
from dialer.law.rulebook import Pack
from dialer.lists.columns import read_header
from dialer.model import Allowed, Consent, Contact, History, Number
from tests.packs import CALL_S, demo, indonesia, moment, uk, us

LIMIT_US = 20.0  # of the 95th percentile, one core, history at hand
DAY = 86_400.0
CONSENTS = (Consent("calls", "contract", date(2025, 1, 1)),)
HOLIDAYS = tuple(date(2026, month, 17) for month in range(1, 13))
# pack, its numbers, its zones and provinces; a fifth of the contacts has no known address
MARKETS: tuple[tuple[Pack, Callable[[int], str], tuple[tuple[str, str], ...]], ...] = (
    (
        indonesia(*HOLIDAYS),
        lambda i: f"+62812{i:08d}",
        (("Asia/Jakarta", ""), ("Asia/Jakarta", ""), ("Asia/Makassar", "Bali"), ("Asia/Jayapura", ""), ("", "")),
    ),
    (
        us(),
        lambda i: f"+1{('212', '305', '850', '617', '310')[i % 5]}{2_000_000 + i}",
        (
            ("America/New_York", "NY"),
            ("America/New_York", "FL"),
            ("America/Chicago", "Florida"),
            ("America/New_York", "MA"),
            ("", ""),
        ),
    ),
    (uk(*HOLIDAYS), lambda i: f"+4474001{i:05d}", (("Europe/London", ""), ("", ""))),
    (demo(), lambda i: f"+62812{i:08d}", (("Asia/Jakarta", ""), ("", ""))),
)
Asked = list[tuple[Contact, History, History]]


def contacts(count: int, seed: int, number: Callable[[int], str], places: Sequence[tuple[str, str]]) -> Asked:
    """Debtors with up to seven attempts in the last month, some of them called too often, silent or stopped."""
    chance = random.Random(seed)
    noon = moment("2026-11-20 12:00:00")
    found = []
    for index in range(count):
        own = Number(number(index), f"{index:032x}")
        attempts = tuple(noon - chance.random() * 30 * DAY for _ in range(chance.randrange(8)))
        talks = attempts[:1] if chance.random() < 0.3 else ()
        silent = noon + DAY if chance.random() < 0.05 else 0.0
        past = History(
            attempts,
            talks,
            stop=chance.random() < 0.02,
            silent_until=silent,
            stops=("lender:other",) if chance.random() < 0.05 else (),
            abandoned_at=attempts[-1] if attempts and chance.random() < 0.1 else 0.0,
            hardship=chance.random() < 0.1,
        )
        zone, province = chance.choice(places)
        chosen = noon - 600 if chance.random() < 0.05 else 0.0
        who = Contact(
            f"{index:x}", f"{index:x}", (own,), zone=zone, province=province, lender="Bank", consents=CONSENTS,
            callback_at=chosen, last_at=noon - 7200,
        )  # fmt: skip
        found.append((who, past, History(attempts)))
    return found


def timed(asked: Asked, pack: Pack, at: float) -> tuple[list[float], float]:
    """Microseconds of each decision, and the share of those allowed."""
    times, allowed = [], 0
    for who, person, number in asked:
        began = time.perf_counter_ns()
        answer = may_call(who, who.numbers[0], person, number, pack, at, CALL_S, campaign="november")
        times.append((time.perf_counter_ns() - began) / 1000)
        allowed += isinstance(answer, Allowed)
    return sorted(times), allowed / len(times)


def gate(count: int) -> bool:
    """Print the table, pack by pack; false when a 95th percentile is above the limit. Each number is asked for once."""
    print(f"{'gate':40} {'p50':>8} {'p95':>8} {'p99':>8} {'allowed':>8}   (us; limit of p95: {LIMIT_US:.0f})")
    good = True
    for pack, number, places in MARKETS:
        asked = contacts(count, 1, number, places)
        zone = places[0][0]
        noon = moment("2026-11-20 12:00:00", zone)
        cases = {
            "noon, a list with a past": (asked, noon),
            "noon, address unknown": ([(replace(who, zone="", province=""), a, b) for who, a, b in asked], noon + 7200),
            "noon, never called before": ([(who, History(), History()) for who, _, _ in asked], noon),
            "23:00": (asked, moment("2026-11-20 23:00:00", zone)),
            "Sunday": (asked, moment("2026-11-22 12:00:00", zone)),
        }
        for name, case in cases.items():
            number_type.cache_clear()
            times, allowed = timed(case[0], pack, case[1])
            p50, p95, p99 = (times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
            told = "" if p95 <= LIMIT_US else "   too slow"
            print(f"{pack.id + ': ' + name:40} {p50:8.1f} {p95:8.1f} {p99:8.1f} {allowed:8.0%}{told}")
            good = good and p95 <= LIMIT_US
    return good


def lists(count: int) -> None:
    """Rows per second through contacts.py, reading of the file left out."""
    columns = read_header(["nama", "hp", "hp2", "hp3", "jumlah", "jatuh_tempo", "nik", "provinsi", "tanggal_lahir"])
    rules = ListRules(key=b"k" * 32, day_first=True)

    def rows(phone: Callable[[int], tuple[str, str, str]]) -> Iterator[tuple[int, dict[str, str]]]:
        for index in range(count):
            cells = (
                "Budi Santoso",
                *phone(index),
                "Rp1.250.000",
                "25/12/2026",
                f"31{index:014d}",
                "Bali",
                "17/08/1985",
            )
            yield index + 2, dict(zip(columns.all, cells, strict=True))

    cases: dict[str, Callable[[int], tuple[str, str, str]]] = {
        "one mobile": lambda i: (f"0812{i:08d}", "", ""),
        "three mobiles": lambda i: (f"0812{i:08d}", f"+62813{i:08d}", f"62857{i:08d}"),
        "a mobile and a fixed line": lambda i: (f"0812{i:08d}", f"021 5{i:06d}", ""),
    }
    print(f"\n{'list':28} {'rows/s':>8} {'1M rows':>8}")
    for name, phone in cases.items():
        table = list(rows(phone))
        began = time.perf_counter()
        good = sum(isinstance(result, Contact) for result in read_rows(table, columns, rules))
        rate = count / (time.perf_counter() - began)
        print(f"{name:28} {rate:8,.0f} {1e6 / rate:6.0f} s" + ("" if good == count else f"   only {good} good"))


def main() -> int:
    """0: fast enough."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=20_000)
    count = parser.parse_args().contacts
    good = gate(count)
    lists(count)
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
