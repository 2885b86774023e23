"""How fast a list is loaded, by the command itself into a Redis of its own: rows/s, memory, bytes in Redis.

python -m tests.bench.bench_import [--rows 100000]
"""

import argparse
import asyncio
import csv
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.model import Campaign

ROOT = Path(__file__).parents[2]
ROWS = 100_000
LOOK_S = 0.2
BYTES_MAX = 1024  # of Redis, for a debtor
RSS_MAX_MB = 300
HEADER = (
    "id_nasabah", "nama", "telepon", "hp2", "hp3", "jumlah_tagihan", "jatuh_tempo", "tanggal_lahir", "provinsi",
    "produk", "kreditur",
)  # fmt: skip
SITE = """
[asterisk.pbx1]
port = 1
[trunk.carrier]
endpoint = "carrier"
host = "192.0.2.7"
lines = 30
caller_ids = ["+622150001234"]
"""
NUMBERS: dict[int, Callable[[int], tuple[str, str, str]]] = {
    1: lambda i: (f"0812{i:08d}", "", ""),
    3: lambda i: (f"0812{i:08d}", f"+62 813 {i:08d}", f"021 5{i % 1_000_000:06d}"),
}


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one import took. `cpu_s`: of the command and its processes."""

    seconds: float
    cpu_s: float
    redis_cpu_s: float
    memory_mb: float  # highest sum over its processes, shared pages divided
    bytes_each: float
    said: str


def rows(count: int, numbers: int) -> Iterator[tuple[str, ...]]:
    """Invented debtors."""
    phones = NUMBERS[numbers]
    for i in range(count):
        yield (
            f"C{i:07d}", f"Budi Santoso {i}", *phones(i), f"Rp{1_250_000 + i:,}".replace(",", "."), "2026-03-01",
            f"19{50 + i % 50}-05-{1 + i % 28:02d}", "Bali", "kartu kredit", "Koperasi Contoh",
        )  # fmt: skip


def write_csv(path: Path, count: int, numbers: int) -> None:
    """As a lender's program writes it."""
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(HEADER)
        table.writerows(rows(count, numbers))


async def measure(path: Path, redis: RedisProcess, campaign: str, count: int) -> Loaded:
    """`dialer load` in a process of its own."""
    store = RedisStore(redis.url)
    await store.save_campaign(Campaign(campaign, campaign))
    before, cost = await _used(store), redis.cost()
    await store.close()
    site = path.with_name("santun.toml")
    site.write_text(SITE)
    env = os.environ | {"SANTUN_AMI_SECRET": "s", "SANTUN_PERSON_KEY": "ab" * 32, "SANTUN_REDIS_URL": redis.url}
    words = ("load", str(path), "--campaign", campaign, "--config", str(site))
    used = os.times()
    began, peak = time.perf_counter(), 0.0
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "dialer", *words, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    ended = asyncio.create_task(process.communicate())
    while not ended.done():
        await asyncio.wait((ended,), timeout=LOOK_S)
        peak = max(peak, sum(_memory_mb(pid) for pid in _tree(process.pid)))
    seconds, after = time.perf_counter() - began, os.times()
    out, err = ended.result()
    if process.returncode:
        raise SystemExit(err.decode())
    store = RedisStore(redis.url)
    grown = await _used(store) - before
    await store.close()
    cpu_s = after.children_user + after.children_system - used.children_user - used.children_system
    return Loaded(seconds, cpu_s, redis.cost().cpu_s - cost.cpu_s, peak, grown / count, out.decode().splitlines()[0])


async def _used(store: RedisStore) -> int:
    lines = (await store._link.one(("INFO", "memory"))).decode().splitlines()
    return int(next(line for line in lines if line.startswith("used_memory:")).partition(":")[2])


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        for task in Path(f"/proc/{pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _tree(int(child))
    except OSError:
        return  # it has ended


def _memory_mb(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


async def main(count: int, again: bool = True) -> None:
    """With one number each and with three, then the same file once more."""
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=f"Loading {count:,} rows, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}")
    for name in ("file", "s", "rows/s", "CPU s", "Redis CPU s", "memory MB", "bytes each", "1M rows"):
        table.add_column(name, justify="left" if name == "file" else "right")
    for numbers in NUMBERS:
        with tempfile.TemporaryDirectory(prefix="santun-import-") as folder:
            path = Path(folder) / "list.csv"
            write_csv(path, count, numbers)
            redis = RedisProcess(redis_server(ROOT), Path(folder) / "redis", "everysec")
            await redis.start()
            try:
                kinds = {f"CSV, {numbers} number(s)": path} | ({"the same again": path} if again else {})
                for kind, file in kinds.items():
                    one = await measure(file, redis, "import", count)
                    if kind != "the same again" and not one.said.startswith(f"{count} new debtors"):
                        raise SystemExit(one.said)
                    each = f"{one.bytes_each:,.0f}" if one.bytes_each > 1 else "-"
                    figures = (f"{one.seconds:.1f}", f"{count / one.seconds:,.0f}", f"{one.cpu_s:.1f}",
                               f"{one.redis_cpu_s:.1f}", f"{one.memory_mb:.0f}", each,
                               f"{1e6 * one.seconds / count:.0f} s")  # fmt: skip
                    table.add_row(kind, *figures)
            finally:
                await redis.kill()
    console.print(table)
    console.print(
        f"Limits: 1M rows in 120 s with one number, 300 s with three; {RSS_MAX_MB} MB; {BYTES_MAX} bytes each."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="./run bench import", description=__doc__)
    parser.add_argument("--rows", type=int, default=ROWS)
    asyncio.run(main(parser.parse_args().rows))
