"""The command line as an operator meets it: against a real Redis, without an engine."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer
from typer.testing import CliRunner

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.cli import app, main
from dialer.model import Campaign, Status
from dialer.simulation.command import app as simulate_app
from ivr.cli import app as ivr_app

ROOT = Path(__file__).parents[1]
LIMIT_S = 50.0
SITE = """
[asterisk.pbx1]
port = {port}
[trunk.carrier]
endpoint = "carrier"
host = "192.0.2.7"
lines = 30
caller_ids = ["+622150001234"]
[ivr]
port = {port}
"""
LIST = "nama,telepon,jumlah_tagihan,jatuh_tempo\nBudi,081234567890,Rp1.000.000,2026-11-01\n"


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended."""

    code: int
    out: str
    err: str

    def failed(self, code: int = 2) -> str:
        """Its sentence, in one line."""
        assert self.code == code, self.out + self.err
        return re.sub(r"\s+", " ", self.err)


class Dialer:
    """`dialer ...` in this process: a process of its own for each would take a second each."""

    def __init__(self, patch: pytest.MonkeyPatch, capture: pytest.CaptureFixture[str]) -> None:
        self._patch, self._capture = patch, capture

    def __call__(self, *words: str, **env: str) -> Said:
        with self._patch.context() as patch:
            patch.setattr(sys, "argv", ["dialer", *words])
            for name, value in env.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        said = self._capture.readouterr()
        code = ended.value.code
        return Said(code if isinstance(code, int) else 0, said.out, said.err)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """One for all tests here: each has campaigns of its own."""
    process = RedisProcess(redis_server(ROOT), tmp_path_factory.mktemp("cli") / "redis", "no")
    with asyncio.Runner() as runner:
        runner.run(process.start())
        yield process
        runner.run(process.kill())


@pytest.fixture
def env(redis: RedisProcess, tmp_path: Path) -> dict[str, str]:
    site = tmp_path / "santun.toml"
    site.write_text(SITE.format(port=1))  # nobody listens there
    return {
        "SANTUN_CONFIG": str(site),
        "SANTUN_AMI_SECRET": "s",
        "SANTUN_PERSON_KEY": "ab" * 32,
        "SANTUN_REDIS_URL": redis.url,
        "COLUMNS": "120",
    }


@pytest.fixture
def dialer(
    env: Mapping[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Dialer]:
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    yield Dialer(monkeypatch, capsys)
    structlog.reset_defaults()


@pytest.fixture
def in_store(redis: RedisProcess) -> Callable[[Callable[[RedisStore], Coroutine[Any, Any, Any]]], Any]:
    """Work on the store itself."""

    def run(work: Callable[[RedisStore], Coroutine[Any, Any, Any]]) -> Any:
        async def inside() -> Any:
            store = RedisStore(redis.url)
            try:
                return await work(store)
            finally:
                await store.close()

        return asyncio.run(inside())

    return run


# ---- help -----------------------------------------------------------------------------------------------------------

COMMANDS = (
    "", "engine", "serve", "check", "conf", "load", "preview", "why", "status", "outcomes", "pacing", "campaign",
    "campaign create", "campaign start", "campaign pause", "campaign stop", "campaign list", "campaign show",
    "agent", "agent sign-in", "agent sign-out", "agent break", "agent back", "agent wrapped", "agent hang-up",
    "agent disposition", "dnc", "dnc add", "dnc remove", "dnc list", "withdraw", "erase", "keep", "key",
)  # fmt: skip


def test_every_command_explains_itself(capsys: pytest.CaptureFixture[str]) -> None:
    for command in COMMANDS:
        with pytest.raises(SystemExit) as ended:
            app([*command.split(), "--help"])
        said = capsys.readouterr().out
        assert ended.value.code == 0
        assert "Usage" in said
        assert "None" not in said


@pytest.mark.parametrize(("program", "brackets"), [(app, 8), (ivr_app, 4), (simulate_app, 0)])
def test_help_is_shown_as_it_was_written(program: typer.Typer, brackets: int) -> None:
    """Words in brackets are defaults and tables of the settings, no markup."""
    seen = 0
    for words, command in _all(typer.main.get_command(program), ()):
        told = CliRunner().invoke(program, [*words, "--help"], env={"COLUMNS": "1000", "TERMINAL_WIDTH": "1000"})
        shown = re.sub(r"[\s│]+", "", told.stdout)
        texts = [command.help or "", *(getattr(param, "help", None) or "" for param in command.params)]
        for text in texts:
            seen += len(re.findall(r"\[", text))
            assert re.sub(r"[\s`*]+", "", text) in shown, (words, text)
    assert seen >= brackets


def _all(command: Any, words: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, command
    below = {
        name: one for name, one in getattr(command, "commands", {}).items() if name != "simulate"
    }  # passes --help on
    for name, one in below.items():
        yield from _all(one, (*words, name))


# ---- campaigns ------------------------------------------------------------------------------------------------------


def test_a_campaign_is_made_changed_and_shown(dialer: Dialer) -> None:
    made = dialer("campaign", "create", "april", "--mode", "predictive", "--set", "lines_max=12")
    assert made.out.startswith("Campaign april is there."), made.err
    changed = dialer("campaign", "create", "april", "--set", "ring_s=30")
    assert changed.out == "Campaign april: ring_s 25 -> 30.\n"
    shown = dict(
        re.split(r"\s+", line.strip(), maxsplit=1) for line in dialer("campaign", "show", "april").out.splitlines()
    )
    assert (shown["mode"], shown["lines_max"], shown["ring_s"]) == ("predictive", "12", "30")
    assert re.search(r"april +ready +agents +predictive +carrier +indonesia +0 +0", dialer("campaign", "list").out)


def test_a_running_campaign_is_not_changed(dialer: Dialer, in_store: Callable[..., Any]) -> None:
    dialer("campaign", "create", "running")

    async def begin(store: RedisStore) -> None:
        token = await store.lead("running", "test", 1000)
        assert token is not None
        await store.set_status("running", token, Status.RUNNING)

    async def look(store: RedisStore) -> tuple[Campaign, Status] | None:
        return await store.campaign("running")

    in_store(begin)
    before = in_store(look)
    assert "pause" in dialer("campaign", "create", "running", "--set", "lines_max=3").failed()
    assert in_store(look) == before


def test_what_the_law_forbids_is_not_saved(dialer: Dialer) -> None:
    said = dialer("campaign", "create", "may", "--set", "abandon_rate_max=0.5", "--set", "ring_s=1").failed()
    assert "abandon_rate_max" in said
    assert "ring_s" in said
    assert "there is no campaign 'may'" in dialer("campaign", "show", "may").failed()


def test_the_demos_rules_are_for_the_demo(dialer: Dialer) -> None:
    assert "use the pack of your country" in dialer("campaign", "create", "june", "--pack", "demo").failed()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("campaign create x --set lines_max", "use name=value"),
        ("campaign create x --set lines_max=many", "use a whole number"),
        ("campaign create x --set retries={", "use JSON like"),
        ("campaign create x --set recycle=busy={after=3,times=0}", "recycle.busy.times = 0"),
        ("campaign create x --file missing.toml", "missing.toml cannot be read"),
        ("campaign create x --trunk nobody", "use one of carrier"),
        ("campaign create x --pack nowhere", "use one of"),
        ("campaign create Big", "is no campaign id"),
        ("campaign show nobody", "there is no campaign 'nobody'"),
        ("load missing.csv --campaign nobody", "there is no campaign 'nobody'"),
        ("preview nobody", "there is no campaign 'nobody'"),
        ("why", "name a number, such as 081234567890"),
        ("why --verify nobody", "there is no campaign 'nobody'"),
        ("why 0812 34", "no number of a subscriber"),
        ("outcomes --campaign nobody", "there is no campaign 'nobody'"),
        ("campaign start NOBODY", "there is no campaign 'NOBODY'"),
    ],
)
def test_what_makes_no_sense_is_said(dialer: Dialer, words: str, says: str) -> None:
    assert says in dialer(*words.split()).failed()


def test_without_an_engine_an_order_is_not_carried_out_later(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.commands.campaigns.REPLY_S", 1.0)
    dialer("campaign", "create", "lonely")
    said = dialer("campaign", "start", "lonely").failed()
    assert "No engine answered within 1 s" in said
    assert "dialer serve" in said


# ---- the site -------------------------------------------------------------------------------------------------------


def test_settings_that_are_not_there(dialer: Dialer, tmp_path: Path) -> None:
    assert "--config or SANTUN_CONFIG" in dialer("campaign", "list", SANTUN_CONFIG=str(tmp_path / "no.toml")).failed()


def test_settings_that_are_no_toml(dialer: Dialer, env: Mapping[str, str]) -> None:
    Path(env["SANTUN_CONFIG"]).write_text("[asterisk\n")
    assert "santun.toml is no TOML" in dialer("campaign", "list").failed()


def test_every_fault_of_the_settings_at_once(dialer: Dialer, env: Mapping[str, str]) -> None:
    Path(env["SANTUN_CONFIG"]).write_text('[asterisk.pbx1]\nport = "x"\nsecret = "hush"\n[trunk.carrier]\nlines = 0\n')
    said = dialer("check", SANTUN_PERSON_KEY="").failed()
    for part in ("asterisk.pbx1.port", "SANTUN_PERSON_KEY", "trunk.carrier.lines", "take it out of the file"):
        assert part in said
    assert "hush" not in said


def test_redis_that_is_not_there(dialer: Dialer) -> None:
    said = dialer("campaign", "list", SANTUN_REDIS_URL="redis://127.0.0.1:1/0").failed()
    assert "Is it running, and is [redis] url (or SANTUN_REDIS_URL) right?" in said


def test_check_finds_what_cannot_be_reached(dialer: Dialer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.adapters.reach.WAIT_S", 0.3)
    done = dialer("check", SANTUN_REDIS_URL="redis://127.0.0.1:1/0")
    assert done.failed(1) == ""
    faults = done.out.splitlines()
    assert [fault.split()[1].strip(":") for fault in faults] == ["Redis", "IVR", "Asterisk", "No"]  # site keys


# ---- lists ----------------------------------------------------------------------------------------------------------


def test_a_list_is_loaded_once(dialer: Dialer, tmp_path: Path) -> None:
    dialer("campaign", "create", "listed")
    path = tmp_path / "list.csv"
    path.write_text(LIST + "Siti,12,Rp1.000.000,2026-11-01\n")
    done = dialer("load", str(path), "--campaign", "listed", "--rejects", str(tmp_path / "rejects.csv"))
    assert done.out.startswith("1 new debtors in listed; 1 rows and 0 single values not used.\nline 3, telepon: ")
    kept = tmp_path / "rejects.csv"
    assert (
        kept.read_text(encoding="utf-8-sig").splitlines()[1].startswith("Siti,12,Rp1.000.000,2026-11-01,3,telepon,99,")
    )
    assert kept.stat().st_mode & 0o777 == 0o600
    assert dialer("load", str(path), "--campaign", "listed").out.startswith("0 new debtors in listed;")
    assert dialer("load", str(kept), "--campaign", "listed").out.count("\n") == 2  # corrected, it can be loaded
    assert "cannot be read" in dialer("load", "no.csv", "--campaign", "listed").failed()
    nowhere = dialer("load", str(path), "--campaign", "listed", "--rejects", str(tmp_path / "no" / "rejects.csv"))
    assert "nothing was loaded" in nowhere.failed()


MESSY = """nik;nama;hp;darurat;sisa;cabang;catatan
N1;Budi;81299998888;0813 7777 6666;Rp1.000.000;Denpasar;x
N2;Siti;1500123;;5;Ubud;
N1;Budi;081299998888;;1;Ubud;
N4;+Ani;+62 812 1111 2222;1500999;abc;Ubud;
"""
MAPPING = """[columns]
darurat = "emergency_phone"
sisa = "amount"
cabang = "custom:branch"
[values]
zone = "WITA"
"""


def test_a_preview_shows_how_a_list_is_understood_and_loads_nothing(dialer: Dialer, tmp_path: Path) -> None:
    dialer("campaign", "create", "seen")
    path, mapping = tmp_path / "list.csv", tmp_path / "m.toml"
    path.write_text(MESSY)
    mapping.write_text(MAPPING)
    words = ("load", str(path), "--campaign", "seen", "--mapping", str(mapping), "--preview")
    said = dialer(*words, COLUMNS="250").out
    for told in ("custom:branch", "emergency_phone2", "not understood, not used", "zone = WITA", "Asia/Makassar"):
        assert told in said, told
    assert "line 2: Budi; debtor ***********888, emergency ***********666; IDR 1,000,000; no due date; " in said
    assert "branch = Denpasar" in said
    assert "written as 99999999999, no digit was lost" in said
    assert "line 3, hp: no number of a subscriber (9999999); row not used" in said
    assert "Nothing was loaded." in said
    for secret in ("81299998888", "77776666", "1500123"):
        assert secret not in said
    assert dialer(*words, "--preview-rows", "1", COLUMNS="250").out.count("line 3") == 0
    assert "0" in dialer("campaign", "list").out


def test_a_saved_mapping_loads_the_same(dialer: Dialer, tmp_path: Path) -> None:
    path, first, second = tmp_path / "list.csv", tmp_path / "m.toml", tmp_path / "again.toml"
    path.write_text(MESSY)
    first.write_text(MAPPING)
    for name, mapping in (("one", first), ("two", second)):
        dialer("campaign", "create", name)
        words = ("load", str(path), "--campaign", name, "--mapping", str(mapping), "--save-mapping", str(second))
        said = dialer(*words).out
        assert f"1 new debtors in {name}; 3 rows and 0 single values not used." in said
        assert "1 numbers changed by a spreadsheet are used" in said
    assert "1 are on the list of another campaign too" in said
    dialer("campaign", "create", "three")
    said = dialer("load", str(path), "--campaign", "three", "--mapping", str(first), "--across", "refuse").out
    assert "0 new debtors in three; 4 rows" in said
    assert "on the list of one, two already" in said


def test_a_reject_file_corrected_is_a_list_again(dialer: Dialer, tmp_path: Path) -> None:
    dialer("campaign", "create", "mended")
    path, kept, mapping = tmp_path / "list.csv", tmp_path / "rejects.csv", tmp_path / "m.toml"
    path.write_text(MESSY)
    mapping.write_text(MAPPING)
    words = ("--campaign", "mended", "--mapping", str(mapping))
    dialer("load", str(path), *words, "--rejects", str(kept))
    text = kept.read_text(encoding="utf-8-sig")
    assert "'+Ani" in text  # a spreadsheet would take it for a formula
    assert "'+62 812 1111 2222" in text
    kept.write_text(text.replace("abc", "7").replace("1500123", "081233334444"), encoding="utf-8-sig")
    said = dialer("load", str(kept), *words).out
    assert "2 new debtors in mended; 0 rows and 1 single values" in said
    assert "Columns not understood and not used: catatan" in said


def test_a_spreadsheet_is_loaded(dialer: Dialer, tmp_path: Path) -> None:
    from .adapters.test_xlsx_files import book, sheet

    dialer("campaign", "create", "sheet")
    path = tmp_path / "list.xlsx"
    table = sheet(("nama", "hp", "jumlah"), ("Budi", 81234567890, 1250000), ("Ani", "0813", "x"))
    path.write_bytes(book(table, sheet(("a",))))
    assert "2 sheets ('S1', 'S2')" in dialer("load", str(path), "--campaign", "sheet").failed()
    said = dialer("load", str(path), "--campaign", "sheet", "--sheet", "S1").out
    assert "1 new debtors in sheet; 1 rows" in said


def test_load_says_what_is_wrong_with_what_it_is_given(dialer: Dialer, tmp_path: Path) -> None:
    dialer("campaign", "create", "strict")
    path, mapping = tmp_path / "list.csv", tmp_path / "m.toml"
    path.write_text(LIST)
    mapping.write_text("[values]\nzone = 'Mars'\n")
    words = ("load", str(path), "--campaign", "strict")
    assert "--across 'x': use say, allow, refuse" in dialer(*words, "--across", "x").failed()
    assert "--as-of '1/2/26' is no day: write 2026-12-31" in dialer(*words, "--as-of", "1/2/26").failed()
    assert "--mapping no.toml cannot be read" in dialer(*words, "--mapping", "no.toml").failed()
    assert "values.zone: unknown zone" in dialer(*words, "--mapping", str(mapping)).failed()
    assert "--save-mapping /no/m.toml cannot be written" in dialer(*words, "--save-mapping", "/no/m.toml").failed()
    assert (tmp_path / "rejects.csv").exists() is False


def test_ctrl_c_ends_a_load_and_its_processes(
    dialer: Dialer, env: Mapping[str, str], in_store: Callable[..., Any], tmp_path: Path
) -> None:
    dialer("campaign", "create", "broken")
    path, kept = tmp_path / "list.csv", tmp_path / "rejects.csv"
    with path.open("w") as file:
        file.write("nama,hp\n")
        file.writelines(f"Budi {i},0812{i:08d}\n" for i in range(300_000))
    words = ("load", str(path), "--campaign", "broken", "--rejects", str(kept))
    with subprocess.Popen(
        [sys.executable, "-m", "dialer", *words], cwd=ROOT, text=True, env={**os.environ, **env},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        while not in_store(lambda store: store.remaining("broken", 4e9))[0] and process.poll() is None:
            pass
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, *said) == (130, "", "")
    assert children
    assert not [pid for pid in children if Path(f"/proc/{pid}").exists()]
    assert [one.name for one in tmp_path.iterdir() if "reject" in one.name] == []


# ---- watching -------------------------------------------------------------------------------------------------------


def test_status_before_an_engine_was_there(dialer: Dialer) -> None:
    dialer("campaign", "create", "quiet")
    assert "quiet: no engine has led it yet" in dialer("status").out
    boards = [json.loads(line) for line in dialer("status", "--json").out.splitlines()]
    assert {"campaign": "quiet", "reason": "no engine has led it yet: dialer serve", "leader": ""} in boards


def test_status_says_which_engine_leads(dialer: Dialer, in_store: Callable[..., Any]) -> None:
    dialer("campaign", "create", "led")
    in_store(lambda store: store.lead("led", "here:123", 60_000))
    boards = [json.loads(line) for line in dialer("status", "--json").out.splitlines()]
    assert {one["campaign"]: one["leader"] for one in boards}["led"] == "here:123"


def test_following_ends_by_ctrl_c(dialer: Dialer, env: Mapping[str, str], in_store: Callable[..., Any]) -> None:
    dialer("campaign", "create", "followed")
    entry = {"type": "outcome", "ended_at": "2026-11-21T03:04:05.678Z", "number": "+6281234567890", "outcome": "busy"}
    words = [word for pair in entry.items() for word in pair]
    in_store(lambda store: store._link.one(("XADD", "{followed}:outcomes", "*", *words)))
    with subprocess.Popen(
        [sys.executable, "-m", "dialer", "outcomes", "--campaign", "followed", "--follow"], cwd=ROOT, text=True,
        env={**os.environ, **env, "PYTHONUNBUFFERED": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        assert process.stdout
        assert "busy" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, *said) == (0, "", "")
