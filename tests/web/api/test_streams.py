"""Outcomes by cursor, recordings by our own names, call-backs, promises, agents."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from dialer.adapters.redis_keys import campaign_keys
from dialer.adapters.sealed import new_key, read_keys
from dialer.adapters.sealed_recordings import Folder, day_of
from dialer.config import Web
from dialer.forms.privacy import Privacy
from dialer.model import Refused
from dialer.users import Role
from tests.adapters.redis_lives import link_of
from tests.web.api.kit import DUE, FIRST, Book, filled, iso, listed
from tests.web.house import KEY, House, opened


async def test_outcomes_by_cursor_in_both_directions(house: House) -> None:
    book = await filled(house, 8, 7)
    reader = await house.program("outcomes:see", "numbers:see")
    where = f"/campaigns/{FIRST}/outcomes"
    ids = [one.id for one in book.attempts]
    read: list[str] = []
    cursor, more = "", True
    while more:
        page = (await reader.get(where, params={"after": cursor, "limit": 3})).body
        read += [one["record"]["attempt"] for one in page["entries"]]
        cursor, more = page["next"], page["more"]
        if len(page["entries"]) < 3:
            break
    assert read == ids
    again = (await reader.get(where, params={"after": cursor})).body
    assert (again["entries"], again["more"], again["next"]) == ([], False, cursor)
    last = (await reader.get(where, params={"before": "last", "limit": 2})).body
    assert [one["record"]["attempt"] for one in last["entries"]] == ids[:-3:-1]
    rest = (await reader.get(where, params={"before": last["next"]})).body
    assert [one["record"]["attempt"] for one in rest["entries"]] == ids[-3::-1]
    assert rest["entries"][0]["record"]["number"].startswith("+62812")


async def test_filters(house: House) -> None:
    book = await filled(house)
    await house.store.refuse(
        book.token, FIRST, [(book.people[2], book.people[2].numbers[0], Refused("window", 9e9))], 1.0
    )
    reader = await house.program("outcomes:see")
    where = f"/campaigns/{FIRST}/outcomes"
    for query, count in (
        ({"agent": "101"}, 2), ({"agent": "102"}, 0), ({"outcome": "connected", "limit": 1}, 1),
        ({"attempt": book.attempts[1].id}, 1), ({"debtor": book.people[0].id, "before": "last"}, 1),
    ):  # fmt: skip
        assert len((await reader.get(where, params=query)).body["entries"]) == count, query
    refused = (await reader.get(f"/campaigns/{FIRST}/refusals", params={"rule": "window"})).body["entries"]
    assert [one["record"]["debtor"] for one in refused] == [book.people[2].id]
    for wrong in ("after=1-1&before=last", "after=x", "limit=0", "limit=501", f"agent={'x' * 99}", "limit=1&limit=2"):
        assert (await reader.get(f"{where}?{wrong}")).status in (400, 422), wrong


# ---- recordings -----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def recorded(tmp_path: Path, sealed: bool = True) -> AsyncIterator[tuple[House, Book, Path]]:
    """Four calls and the folder that they were recorded into; `sealed` False: a site without keys that may do so."""
    folder = tmp_path / "recordings"
    folder.mkdir()
    privacy = Privacy(secret=KEY) if sealed else Privacy(plain_recordings=True)
    web = Web(listen="127.0.0.1:0", recordings=str(folder))
    async with opened(tmp_path, web, privacy=privacy) as house:
        yield house, await filled(house, 4, 4), folder


def record(folder: Path, attempt: str, content: bytes, seal: bool = True) -> None:
    (folder / f"{attempt}.wav").write_bytes(content)
    if seal:
        assert Folder(folder, read_keys(KEY, "keys")).sweep(0.0).sealed == 1


@pytest.mark.parametrize("sealed", [True, False])
async def test_recordings_by_our_own_names_only(tmp_path: Path, sealed: bool) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    async with recorded(tmp_path, sealed) as (house, book, folder):
        here, linked, missing, folded = (one.id for one in book.attempts)
        record(folder, here, b"RIFF" + bytes(range(96)), sealed)
        os.symlink(tmp_path / "secret.wav", folder / f"{linked}.wav")
        if sealed:
            os.symlink(tmp_path / "secret.wav", folder / day_of(here) / f"{linked}.wav.age")
        (folder / f"{folded}.wav").mkdir()
        (folder / "stray.wav").write_bytes(b"stray")
        ear = await house.program("recordings:see")
        where = f"/campaigns/{FIRST}/recordings"
        rows = (await ear.get(where, params={"limit": 3})).body
        assert [(row["attempt"], row["here"]) for row in rows["recordings"]] == [
            (folded, False), (missing, False), (linked, False)
        ]  # fmt: skip
        rest = (await ear.get(where, params={"before": rows["next"]})).body
        assert [(row["attempt"], row["here"]) for row in rest["recordings"]] == [(here, True)]
        sound = await ear.get(f"{where}/{here}")
        assert (sound.status, sound.body[:4], sound.headers["Content-Type"]) == (200, b"RIFF", "audio/wav")
        part = await ear.get(f"{where}/{here}", headers={"Range": "bytes=4-7"})
        assert (part.status, part.body) == (206, bytes(range(4)))
        for name in (
            linked, missing, folded, "stray", "stray.wav", f"{here}.wav", "..%2F..%2Fsecret", "%2e%2e%2fsecret.wav",
            here.upper(),
            "0" * 26, "z" * 26, "%00" + here[1:], here + "%00", "x" * 3000,
        ):  # fmt: skip
            assert (await ear.get(f"{where}/{name}")).kind == "no_recording", name
        deeds = [(deed.what, deed.target) for _, deed in await house.office.audit.read(9)]
        assert deeds == [("listened to a recording", f"{FIRST} {here}")] * 2


@pytest.mark.parametrize(
    ("asked", "status", "start", "stop"),
    [
        ("bytes=0-", 200, 0, 200_000), ("bytes=0-0", 206, 0, 1), ("bytes=-5", 206, 199_995, 200_000),
        ("bytes=65535-65537", 206, 65_535, 65_538), ("bytes=199999-999999999999", 206, 199_999, 200_000),
        ("bytes=200000-", 416, 0, 0), ("bytes=5-3", 416, 0, 0), ("bytes=x", 416, 0, 0),
        ("bytes=0-1,5-9", 200, 0, 200_000), ("lines=1-2", 200, 0, 200_000), ("bytes=-999999999", 200, 0, 200_000),
        ("bytes=" + "9" * 4000 + "-", 416, 0, 0),
    ],
)  # fmt: skip
async def test_a_range_of_what_lies_encrypted(tmp_path: Path, asked: str, status: int, start: int, stop: int) -> None:
    content = os.urandom(200_000)
    async with recorded(tmp_path) as (house, book, folder):
        record(folder, book.attempts[0].id, content)
        ear = await house.program("recordings:see")
        where = f"/campaigns/{FIRST}/recordings/{book.attempts[0].id}"
        answer = await ear.get(where, headers={"Range": asked})
        assert (answer.status, answer.body) == (status, content[start:stop])
        assert answer.headers["Content-Length"] == str(stop - start)
        if status == 206:
            assert answer.headers["Content-Range"] == f"bytes {start}-{stop - 1}/200000"


async def test_what_is_not_sealed_yet_is_asked_for_again(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (house, book, folder):
        record(folder, book.attempts[0].id, b"RIFF", seal=False)
        ear = await house.program("recordings:see")
        answer = await ear.get(f"/campaigns/{FIRST}/recordings/{book.attempts[0].id}")
        assert (answer.kind, answer.headers["Retry-After"]) == ("not_ready", "2")
        assert await house.office.audit.read(9) == ()


async def test_what_no_key_opens_is_no_sound(tmp_path: Path) -> None:
    async with recorded(tmp_path) as (house, book, folder):
        attempt = book.attempts[0].id
        (folder / f"{attempt}.wav").write_bytes(b"RIFF" * 100)
        Folder(folder, read_keys(new_key(), "another")).sweep(0.0)
        ear = await house.program("recordings:see")
        answer = await ear.get(f"/campaigns/{FIRST}/recordings/{attempt}")
        assert (answer.status, answer.body) == (500, b"")


async def test_nobody_records_without_keys(tmp_path: Path) -> None:
    async with opened(tmp_path, privacy=Privacy()) as house:
        await filled(house)
        boss = await house.signed_in("boss", Role.ADMIN)
        answer = await boss.ask("PATCH", f"/campaigns/{FIRST}", {"settings": {"record": True}})
        assert answer.status == 422, answer.body
        assert "no site keys: recording is refused" in answer.body["detail"]


async def test_without_a_folder_nothing_is_given_out(house: House) -> None:
    book = await filled(house)
    ear = await house.program("recordings:see")
    assert (await ear.get(f"/campaigns/{FIRST}/recordings/{book.attempts[0].id}")).kind == "not_here"
    assert (await ear.get(f"/campaigns/{FIRST}/recordings", params={"before": "x"})).kind == "bad_cursor"


# ---- call-backs, promises, agents -----------------------------------------------------------------------------------


async def test_call_backs_are_made_moved_and_taken_back(house: House) -> None:
    book = await filled(house)
    boss = await house.program("call-backs:see", "call-backs:change")
    where, at = f"/campaigns/{FIRST}/call-backs", house.clock.now()
    one, other = book.people[2].id, book.people[0].id
    assert (await boss.ask("PUT", f"{where}/{one}", {"at": iso(at + 7200), "agent": "101"})).status == 204
    assert (await boss.ask("PUT", f"{where}/{other}", {"at": iso(at + 3600)})).status == 204
    rows = (await boss.get(where)).body["call_backs"]
    assert [(row["contact"], row["agent"]) for row in rows] == [(other, ""), (one, "101")]
    await boss.ask("PUT", f"{where}/{one}", {"at": iso(at + 1800)})
    rows = (await boss.get(where, params={"since": iso(at + 1000)})).body["call_backs"]
    assert [row["contact"] for row in rows] == [one, other]
    found = await house.store.candidates(FIRST, at + 1790, 9)
    assert [(row.id, row.callback_at) for row in found] == [(one, at + 1800)]
    assert (await boss.ask("DELETE", f"{where}/{one}")).status == 204
    assert (await boss.ask("DELETE", f"{where}/{one}")).kind == "not_waiting"
    assert await listed(house.store, book.people[2])
    assert [row["contact"] for row in (await boss.get(where)).body["call_backs"]] == [other]
    for when in (iso(at - 5), iso(at + 400 * 86_400)):
        assert (await boss.ask("PUT", f"{where}/{one}", {"at": when})).kind == "bad_time"
    assert (await boss.ask("PUT", f"{where}/{one}", {"at": "2027-01-20T10:00:00"})).status == 422  # no zone
    assert (await boss.ask("PUT", f"{where}/nobody", {"at": iso(at + 60)})).kind == "not_waiting"
    await house.store.withdraw(book.people[0].person, at)
    assert (await boss.get(where)).body["call_backs"] == []
    assert (await boss.ask("PUT", f"{where}/{other}", {"at": iso(at + 60)})).kind == "not_waiting"


async def test_promises_pending_and_ended(house: House) -> None:
    book = await filled(house, 5, 5)
    reader = await house.program("promises:see")
    where = f"/campaigns/{FIRST}/promises"
    first = (await reader.get(where, params={"limit": 3})).body
    assert (len(first["promises"]), first["counts"]["made"]) == (3, 5)
    second = (await reader.get(where, params={"limit": 3, "after": first["next"]})).body
    assert second["next"] == ""
    ids = [one["id"] for one in first["promises"] + second["promises"]]
    assert sorted(ids) == sorted(one.id for one in book.attempts)
    assert first["promises"][0]["due"] == DUE.isoformat()
    house.clock.at += 40 * 86_400
    await house.store.fall_due(FIRST, house.clock.now())
    ended = (await house.program("promises:see")).get(where, params={"state": "ended"})
    body = (await ended).body
    assert {one["state"] for one in body["promises"]} == {"broken"}
    assert body["counts"] == {"made": 5, "kept": 0, "part": 0, "broken": 5, "replaced": 0}


@pytest.mark.parametrize("board", [b"", b"[]", b"{", b'{"at": "x"}', b'{"at": 1, "agents": [{}]}', b'{"at": null}'])
async def test_a_board_that_makes_no_sense_shows_nobody(house: House, board: bytes) -> None:
    await filled(house)
    await link_of(house.store).one(("SET", campaign_keys(FIRST).snapshot, board))
    reader = await house.program("agents:see")
    assert (await reader.get("/agents")).body == {"agents": []}


async def test_agents_as_the_engine_says(house: House) -> None:
    book = await filled(house)
    at = house.clock.now()
    agents = [{"id": "102", "state": "talking", "since": at - 5, "call": "talking", "attempt": "x", "leg": True}]
    agents += [{"id": "101", "state": "idle", "since": at - 9, "attempt": "", "leg": True}]
    board = json.dumps({"at": at, "agents": agents, "kept": {"secret": 1}}).encode()
    await house.store.publish(FIRST, book.token, board)
    reader = await house.program("agents:see")
    rows = (await reader.get(f"/campaigns/{FIRST}/agents")).body["agents"]
    assert [(row["agent"], row["state"], row["stale"]) for row in rows] == [
        ("101", "idle", False), ("102", "talking", False)
    ]  # fmt: skip
    house.clock.at += 11
    assert all(row["stale"] for row in (await reader.get("/agents")).body["agents"])
