"""`dialer dnc`, `withdraw`, `erase` and `load --update`, as an operator meets them."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.spool import SpoolFile, encode_change
from dialer.adapters.spooled_facts import KIND, Late, encode_fact
from dialer.keyed import number_key
from dialer.model import Fact, Outcome, Side, Verdict
from dialer.ports import Unwritten
from tests.adapters.redis_lives import AT, attempt, finish

from .test_cli import LIST, Dialer, dialer, env, in_store, redis

__all__ = ("dialer", "env", "in_store", "redis")

InStore = Callable[[Callable[[RedisStore], Coroutine[Any, Any, Any]]], Any]

BUDI = "081234567890"
MASKED = "***********890"


@pytest.fixture
def listed(dialer: Dialer, tmp_path: Path) -> str:
    """A campaign of its own with Budi on its list, the caps of others not his."""
    dialer("dnc", "remove", BUDI, "--reason", "left over")
    dialer("campaign", "create", "people")
    path = tmp_path / "list.csv"
    path.write_text(LIST)
    assert dialer("load", str(path), "--campaign", "people").code == 0
    return "people"


def test_a_stop_is_set_once_seen_and_lifted_with_a_reason(dialer: Dialer, listed: str) -> None:
    assert dialer("dnc", "add", BUDI, "--reason", "letter of 2026-11-20").out.startswith("1 new stops by anybody; 0")
    assert dialer("dnc", "add", "+6281234567890").out.startswith("0 new stops by anybody; 1 were there already")
    assert dialer("dnc", "list", BUDI).out == f"{MASKED}: not called by anybody\n"
    assert "must not be called" in dialer("why", BUDI).out
    assert "--reason TEXT" in dialer("dnc", "remove", BUDI).failed()
    assert "--reason TEXT" in dialer("dnc", "remove", BUDI, "--reason", "  ").failed()
    assert dialer("dnc", "list", BUDI).out == f"{MASKED}: not called by anybody\n"
    lifted = dialer("dnc", "remove", BUDI, "--reason", "asked us on 081234567890 to call again").out
    assert lifted.startswith("1 stops by anybody lifted: asked us on *********890 to call again")
    assert dialer("dnc", "list", BUDI).out == f"{MASKED}: no stop\n"
    log = dialer("dnc", "list").out.splitlines()
    assert "lift 1 by anybody by " in log[-1]
    assert log[-1].endswith(": asked us on *********890 to call again")
    assert BUDI not in "".join(log)
    assert "None stood there" in dialer("dnc", "remove", BUDI, "--reason", "again").out


def test_a_stop_is_for_a_lender_a_campaign_or_a_person_only(dialer: Dialer, listed: str) -> None:
    dialer("dnc", "add", BUDI, "--lender", "Bank Satu")
    dialer("dnc", "add", BUDI, "--campaign", listed)
    assert dialer("dnc", "list", BUDI).out == f"{MASKED}: not called by lender Bank Satu, by campaign people\n"
    said = dialer("dnc", "remove", BUDI, "--lender", "bank satu", "--reason", "sold").out
    assert said.startswith("1 stops by lender bank satu lifted: sold")
    assert f"{MASKED} is still stopped by campaign people." in said
    dialer("dnc", "remove", BUDI, "--campaign", listed, "--reason", "over")
    dialer("dnc", "add", "--person", "3171")
    assert dialer("dnc", "list", BUDI, "--person", "3171").out == (
        f"the person: not called by anybody\n{MASKED}: no stop\n"
    )
    assert "use one of them" in dialer("dnc", "add", BUDI, "--lender", "x", "--campaign", listed).failed()
    assert "there is no campaign 'nowhere'" in dialer("dnc", "add", BUDI, "--campaign", "nowhere").failed()
    assert "name a number" in dialer("dnc", "add").failed()
    assert "9999 is no number of a subscriber" in dialer("dnc", "add", BUDI, "1234").failed()
    assert dialer("dnc", "list", BUDI).out == f"{MASKED}: no stop\n", "a typo stops none"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_of_numbers_is_stopped_and_its_bad_lines_told(
    dialer: Dialer,
    tmp_path: Path,
    encoding: str,
) -> None:
    path = tmp_path / "stops.txt"
    head = {"utf-8": "10", "utf-8-sig": "11", "utf-16": "12"}[encoding]
    rows = [f"0812{head}{i:06d}" for i in range(2500)]
    path.write_text("\n".join(["# of the regulator", *rows, "nobody", "", f"{rows[0]}; {rows[1]}"]), encoding=encoding)
    said = dialer("dnc", "add", "--file", str(path))
    assert said.code == 1
    first, bad = said.out.splitlines()
    assert first == "2500 new stops by anybody; 2 were there already."
    assert bad.startswith("stops.txt line 2502: xxxxxx is ")
    again = dialer("dnc", "add", "--file", str(path)).out
    assert again.startswith("0 new stops by anybody; 2502 were there already.")
    assert dialer("dnc", "list", rows[-1]).out == "***********499: not called by anybody\n"


def test_a_file_that_cannot_be_read_is_said(dialer: Dialer, tmp_path: Path) -> None:
    assert "no.txt cannot be read" in dialer("dnc", "add", "--file", str(tmp_path / "no.txt")).failed()
    path = tmp_path / "long.txt"
    path.write_text("0812" * 1000)
    assert "line 1 is too long: write one number a line" in dialer("dnc", "add", "--file", str(path)).failed()


def test_who_is_withdrawn_is_off_the_list(dialer: Dialer, listed: str) -> None:
    assert dialer("withdraw", BUDI, "--campaign", listed).out.startswith("1 accounts taken off the list of people")
    assert dialer("withdraw", BUDI, "--campaign", listed).out.startswith("0 accounts")
    assert "there is no campaign 'nowhere'" in dialer("withdraw", BUDI, "--campaign", "nowhere").failed()
    assert "nobody has" in dialer("withdraw", "081299999999").failed()
    assert "by --person ID" in dialer("withdraw").failed()


def test_a_person_is_erased_after_a_question_and_his_stop_stays(
    dialer: Dialer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dialer("campaign", "create", "erased")
    path = tmp_path / "list.csv"
    path.write_text("nik,nama,telepon\n31,Siti,081311111111\n32,Budi,081311111111\n33,Adi,081322222222\n")
    dialer("load", str(path), "--campaign", "erased")
    said = dialer("erase", "081311111111", "--yes").failed()
    assert "2 persons have ***********111" in said
    assert "--person ID" in said
    asked: list[str] = []

    def no(text: str, default: bool) -> bool:
        asked.append(text)
        return False

    monkeypatch.setattr("typer.confirm", no)
    assert "nothing was erased" in dialer("erase", "--person", "31").failed()
    assert asked == ["Erase this person for good: 1 accounts in erased, and what calls have taught?"]
    dialer("dnc", "add", "081322222222")
    assert dialer("erase", "--person", "31", "--yes").out.startswith("1 accounts erased.")
    assert dialer("erase", "081322222222", "--yes").out.startswith("1 accounts erased.")
    assert "nobody on any list" in dialer("erase", "--person", "31", "--yes").failed()
    assert dialer("dnc", "list", "081322222222").out == "***********222: not called by anybody\n"
    assert dialer("erase", "081311111111", "--yes").out.startswith("1 accounts erased."), "only one has it now"


def test_an_update_gives_newer_data_and_the_same_again_changes_nothing(
    dialer: Dialer,
    tmp_path: Path,
) -> None:
    dialer("campaign", "create", "newer")
    path = tmp_path / "list.csv"
    path.write_text("nik,nama,telepon,jumlah_tagihan\n41,Siti,081377774141,100000\n42,Budi,081355555555,200000\n")
    dialer("load", str(path), "--campaign", "newer")
    path.write_text(
        "nik,nama,telepon,jumlah_tagihan\n41,Siti,081377774141,50000\n42,Budi,081355555555,200000\n43,Adi,081366666666,1\n"
    )
    said = dialer("load", str(path), "--campaign", "newer", "--update").out
    assert said.startswith("1 new debtors in newer; 0 rows")
    assert "2 were there already; 1 of them got newer data." in said
    again = dialer("load", str(path), "--campaign", "newer", "--update").out
    assert "3 were there already; 0 of them got newer data." in again


def test_all_that_is_held_of_a_person_is_given_out(dialer: Dialer, tmp_path: Path) -> None:
    dialer("campaign", "create", "given")
    path, out = tmp_path / "list.csv", tmp_path / "he.json"
    path.write_text("nik,nama,telepon\nx-4141,Siti Aminah,081377774142\n")
    dialer("load", str(path), "--campaign", "given")
    assert dialer("export", "--person", "x-4141", "--out", str(out)).out.startswith("1 accounts, 0 calls")
    assert out.stat().st_mode & 0o777 == 0o600
    held = json.loads(out.read_text(encoding="utf-8"))
    assert (held["accounts"][0]["name"], held["accounts"][0]["numbers"][0]["e164"]) == ("Siti Aminah", "+6281377774142")
    assert json.loads(dialer("export", "081377774142").out)["person"] == held["person"]
    assert dialer("erase", "--person", "x-4141", "--yes").out.startswith("1 accounts erased.")
    assert "nobody on any list" in dialer("export", "--person", "x-4141").failed()


WHOLE = Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", conversation=True, live=True, stop=True)


async def left_on_disk(folder: Path, url: str) -> str:
    """An engine and an IVR that are gone left what they saw of a call, the end of which Redis has not; its id."""
    store = RedisStore(url)
    try:
        ((_, one),) = await store.contacts_of(number_key(bytes.fromhex("ab" * 32), "+6281377774143"))
        call = attempt(one, "spooled")
    finally:
        await store.close()
    heard = Late("spooled", call.id, Fact(1, AT, "new_number", "+6281377774144"))
    change = Unwritten("spooled", call.id, 1, AT, finish=finish(call, one, WHOLE))
    for kind, payload in (("engine", encode_change(change)), (KIND, encode_fact(heard))):
        file = SpoolFile(folder, kind)
        file.append([payload])
        file.close()
    return call.id


def test_what_dead_processes_left_on_the_disk_is_given_out_and_erased(
    dialer: Dialer, tmp_path: Path, redis: RedisProcess, in_store: InStore
) -> None:
    dialer("campaign", "create", "spooled")
    path, folder, other = tmp_path / "list.csv", tmp_path / "spool", tmp_path / "other"
    path.write_text("nik,nama,telepon\n5151,Siti Aminah,081377774143\n")
    dialer("load", str(path), "--campaign", "spooled")
    call = asyncio.run(left_on_disk(folder, redis.url))
    held = json.loads(dialer("export", "--person", "5151").out)
    assert [one["attempt_id"] for one in held["waiting"]] == [call]
    assert list(folder.iterdir()) == []
    assert in_store(lambda store: store.facts("spooled", call))
    lives = SpoolFile(folder, KIND)
    lives.append([b"of a process that runs"])
    asyncio.run(left_on_disk(other, redis.url))
    assert "is no folder" in dialer("erase", "--person", "5151", "--yes", "--spool", str(tmp_path / "no")).failed()
    said = dialer("erase", "--person", "5151", "--yes", "--spool", str(other))
    assert (said.code, said.out.partition(".")[0]) == (0, "1 accounts erased")
    assert list(other.iterdir()) == []
    assert len(list(folder.iterdir())) == 1, "his who lives"
    lives.clear()
    assert not [one for one in in_store(lambda store: store.handed_over("spooled")) if not one.facts]
    assert not in_store(lambda store: store.facts("spooled", call))
    assert "nobody on any list" in dialer("export", "--person", "5151").failed()
    assert dialer("dnc", "list", "081377774143").out == "***********143: not called by anybody\n", "as he said"


def test_what_cannot_be_looked_through_is_said(dialer: Dialer, tmp_path: Path) -> None:
    dialer("campaign", "create", "odd")
    path, folder = tmp_path / "list.csv", tmp_path / "spool"
    path.write_text("nik,nama,telepon\n6161,Siti,081377774145\n")
    dialer("load", str(path), "--campaign", "odd")
    torn = SpoolFile(folder, "engine")
    torn.append([b"no change at all"])
    torn.close()
    said = dialer("erase", "--person", "6161", "--yes")
    assert said.code == 1
    assert said.out.startswith("1 accounts erased.")
    assert re.search(r"spool/engine-\S+\.broken holds what makes no sense: look whether he is in it", said.err)
