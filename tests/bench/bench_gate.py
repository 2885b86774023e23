"""How fast the gate decides and a list is read: `python -m tests.bench.bench_gate [--contacts 20000]`."""

import argparse
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date

from dialer.columns import read_header
from dialer.compliance import may_call
from dialer.contacts import ListRules, read_rows
from dialer.model import Allowed, Contact, History, Number
from dialer.rulebook import Pack
from tests.packs import CALL_S, demo, indonesia, moment

LIMIT_US = 20.0  # of the 95th percentile, one core, history at hand
ZONES = ("Asia/Jakarta", "Asia/Jakarta", "Asia/Makassar", "Asia/Jayapura", "")  # a fifth has no known address
NOON = moment("2026-11-20 12:00:00")
DAY = 86_400.0


def contacts(count: int, seed: int) -> list[tuple[Contact, History, History]]:
    """Debtors with up to seven attempts in the last month, some of them called too often, silent or stopped."""
    chance = random.Random(seed)
    found = []
    for index in range(count):
        number = Number(f"+62812{index:08d}", f"{index:032x}")
        attempts = tuple(NOON - chance.random() * 30 * DAY for _ in range(chance.randrange(8)))
        talks = attempts[:1] if chance.random() < 0.3 else ()
        silent = NOON + DAY if chance.random() < 0.05 else 0.0
        past = History(attempts, talks, chance.random() < 0.02, silent)
        who = Contact(f"{index:x}", f"{index:x}", (number,), zone=chance.choice(ZONES))
        found.append((who, past, History(attempts)))
    return found


def timed(asked: Sequence[tuple[Contact, History, History]], pack: Pack, at: float) -> tuple[list[float], float]:
    """Microseconds of each decision, and the share of those allowed."""
    times, allowed = [], 0
    for who, person, number in asked:
        began = time.perf_counter_ns()
        answer = may_call(who, who.numbers[0], person, number, pack, at, CALL_S)
        times.append((time.perf_counter_ns() - began) / 1000)
        allowed += isinstance(answer, Allowed)
    return sorted(times), allowed / len(times)


def gate(count: int) -> bool:
    """Print the table; false when a 95th percentile is above the limit."""
    pack = indonesia(*(date(2026, month, 17) for month in range(1, 13)))
    asked = contacts(count, 1)
    cases = {
        "noon, a list with a past": (asked, pack, NOON),
        "noon, zone unknown": ([(replace(who, zone=""), past, other) for who, past, other in asked], pack, NOON),
        "noon, never called before": ([(who, History(), History()) for who, _, _ in asked], pack, NOON),
        "23:00, everybody refused": (asked, pack, moment("2026-11-20 23:00:00")),
        "Sunday, everybody refused": (asked, pack, moment("2026-11-22 12:00:00")),
        "demo, always open": (asked, demo(), NOON),
    }
    print(f"{'gate':28} {'p50':>8} {'p95':>8} {'p99':>8} {'allowed':>8}   (us; limit of p95: {LIMIT_US:.0f})")
    good = True
    for name, case in cases.items():
        times, allowed = timed(*case)
        p50, p95, p99 = (times[int(len(times) * share)] for share in (0.5, 0.95, 0.99))
        print(f"{name:28} {p50:8.1f} {p95:8.1f} {p99:8.1f} {allowed:8.0%}{'' if p95 <= LIMIT_US else '   too slow'}")
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
