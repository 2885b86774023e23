"""The spool file: what was kept is there after any cut and any flipped byte, nothing twice, nothing made up."""

import asyncio
import base64
import os
import signal
import stat
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialer.adapters.spool import DiskSpool, SpoolFile, decode_change, default_folder, encode_change, line, records
from dialer.debts.promises import Promise
from dialer.errors import SpoolFailed
from dialer.model import Consent, Outcome, Side, Verdict
from dialer.ports import Unwritten
from tests.adapters.redis_lives import ROOT, attempt, contacts, finish

payloads = st.lists(st.binary(max_size=60), max_size=8)


def written(found: list[bytes]) -> bytes:
    return b"".join(line(number, one) for number, one in enumerate(found, 1))


# ---- the bytes


@given(payloads, st.data())
def test_any_cut_keeps_the_whole_records_before_it(found: list[bytes], data: st.DataObject) -> None:
    whole = written(found)
    cut = data.draw(st.integers(0, len(whole)))
    kept = [one for _, one in records(whole[:cut])]
    ends = [len(written(found[:count])) for count in range(len(found) + 1)]
    # a record that lacks nothing but its line's end is whole
    assert kept == found[: sum(end - 1 <= cut for end in ends[1:])]


@given(payloads.filter(bool), st.data())
@settings(max_examples=300)
def test_any_flipped_byte_costs_what_it_touches_and_makes_nothing_up(found: list[bytes], data: st.DataObject) -> None:
    whole = bytearray(written(found))
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    kept = list(records(bytes(whole)))
    true = list(enumerate(found, 1))
    assert [one for one in kept if one not in true] == []
    touched = next(count for count in range(len(found)) if place < len(written(found[: count + 1])))
    assert kept[:touched] == true[:touched]
    # a line's end that is gone costs the next line too
    assert [one for one in true if one not in kept] in (true[touched : touched + 1], true[touched : touched + 2])


@given(payloads, st.lists(st.integers(0, 7), max_size=6), st.binary(max_size=40))
def test_a_record_that_is_there_twice_comes_once(found: list[bytes], again: list[int], noise: bytes) -> None:
    lines = [line(number, one) for number, one in enumerate(found, 1)]
    twice = b"".join([*lines, noise, b"\n", *(lines[at] for at in again if at < len(lines))])
    assert [one for _, one in records(twice)] == found


def test_a_change_comes_back_as_it_was() -> None:
    (person,) = contacts(1)
    rich = replace(
        person, due=date(2026, 12, 1), consents=(Consent("calls", "web", date(2026, 1, 2)),), came=(("busy", 2),)
    )
    ended = finish(attempt(rich), rich, Verdict(Outcome.CONNECTED, Side.DEBTOR, "talked", retry_at=float("inf")))
    promise = Promise("x", "first", rich.id, rich.person, 5, "IDR", date(2026, 12, 1), 9.5, 1.0, "101")
    for change in (
        Unwritten("first", "x", 3, 1.5, ended.attempt),
        Unwritten("first", "x", 3, 1.5, finish=replace(ended, promise=promise)),
        Unwritten("first", "x", facts=True),
    ):
        assert decode_change(encode_change(change)) == change
    assert decode_change(b"\x00nonsense") is None
    assert decode_change(encode_change(Unwritten("no campaign}", "x"))) is None


# an attempt's state as version 1 has written it: files outlive an upgrade
VERSION_1 = (
    "iKhjYW1wYWlnbqVmaXJzdKphdHRlbXB0X2lkoXildG9rZW4DomF0yz/4AAAAAAAAp2F0dGVtcHTApmZpbmlzaIanYXR0ZW1wdN4ALqJpZKF4qG"
    "NhbXBhaWdupWZpcnN0pG5vZGWkbm9kZaRraW5ko2l2cqV0cnVua6V0cnVua6ljYWxsZXJfaWSlKzYyMjGobGFuZ3VhZ2WiaWSkcGFja6RkZW1v"
    "p2NvbnRhY3SkYTAwMKZwZXJzb26jYXAwpm51bWJlcoekZTE2NKwrNjI4MTEwMDAwMDCja2V5o2FuMKRraW5kpmRlYnRvcqVzdGF0Zad1bnRyaW"
    "VkpHBhc3SgrG5vdF9mb3VuZF9hdMsAAAAAAAAAAKhnaXZlbl9hdMsAAAAAAAAAAKVzdGF0ZaVlbmRlZKV0cmllcwGqY2xhaW1lZF9hdMtB2tJ0"
    "gAAAALJhbnN3ZXJfcHJvYmFiaWxpdHnLv/AAAAAAAACpcGxhY2VkX2F0ywAAAAAAAAAAq3Byb2dyZXNzX2F0ywAAAAAAAAAAqnJpbmdpbmdfYX"
    "TLAAAAAAAAAACrYW5zd2VyZWRfYXTLAAAAAAAAAACrZGV0ZWN0ZWRfYXTLAAAAAAAAAACpam9pbmVkX2F0ywAAAAAAAAAAq292ZXJmbG93X2F0"
    "ywAAAAAAAAAApml2cl9hdMsAAAAAAAAAAKt3YWl0c191bnRpbMsAAAAAAAAAAKdsZWZ0X2F0ywAAAAAAAAAAqGVuZGVkX2F0y0Ha0nSHgAAAqn"
    "dyYXBwZWRfYXTLAAAAAAAAAACpZGV0ZWN0aW9uoKVhZ2VudKCmdGFsa19zywAAAAAAAAAAq292ZXJmbG93X3RvoK52b2ljZW1haWxfbGVmdMKs"
    "d2FudGVkX2FnZW50wqppdnJfcmVzdWx0oKljYW5jZWxsZWSgpmZhaWxlZMKnZGlhbGxlZMKlY2F1c2X/qHNpcF9jb2RlAKtkaXNwb3NpdGlvbq"
    "Ckem9uZaCmYWdlbnRzoKpvbl9ob2xkX2F0ywAAAAAAAAAApmhvbGRfc8sAAAAAAAAAAK1yZWNvcmRfcGF1c2VkwqhoZWFyZF9ieaCndmVyZGlj"
    "dI6nb3V0Y29tZaRidXN5pHNpZGWmZGVidG9ypnJlYXNvbql1c2VyX2J1c3mocmV0cnlfYXTLQdrSeAQAAACkbGl2ZcKsY29udmVyc2F0aW9uwq"
    "RzdG9wwqxzaWxlbnRfdW50aWzLAAAAAAAAAACkZGVhZMKlY291bnTDrHdyb25nX3BlcnNvbsKoaGFyZHNoaXDCq2NhbGxiYWNrX2F0ywAAAAAA"
    "AAAApXJlc3RzoKZyZWNvcmSCp2F0dGVtcHSheKdvdXRjb21lpGJ1c3mnY29udGFjdN4AI6JpZKRhMDAwpnBlcnNvbqNhcDCnbnVtYmVyc5GHpG"
    "UxNjSsKzYyODExMDAwMDAwo2tleaNhbjCka2luZKZkZWJ0b3Klc3RhdGWndW50cmllZKRwYXN0oKxub3RfZm91bmRfYXTLAAAAAAAAAACoZ2l2"
    "ZW5fYXTLAAAAAAAAAACkbmFtZaCobGFuZ3VhZ2WgpHpvbmWgpmxlbmRlcqCncHJvZHVjdKCoY3VycmVuY3mjSURSpmFtb3VudACjZHVlwKZzZW"
    "NyZXSgrXNlY3JldF9kaWdpdHMAqHByaW9yaXR5AKV0cmllcwCrbmV4dF9udW1iZXIApWFsaWFzp2FhbGlhczCnYWNjb3VudKCnbWluaW11bQCj"
    "ZmVlAKlpbmNlbnRpdmUAqHByb3ZpbmNloKdyZWdlbmN5oKlwb3N0X2NvZGWgqGNvbnNlbnRzkKZjdXN0b22QpXNjb3JlAKdleHBpcmVzywAAAA"
    "AAAAAAp2xhc3RfYXTLAAAAAAAAAACrY2FsbGJhY2tfYXTLAAAAAAAAAACuY2FsbGJhY2tfYWdlbnSgo3JldgCpYnJva2VuX2F0ywAAAAAAAAAA"
    "pHBhaWSQpGNhbWWQp3Byb21pc2XAq25ld19udW1iZXJzwqVmYWN0c8KhdgE="
)


def test_what_version_1_has_written_is_read() -> None:
    change = decode_change(base64.b64decode(VERSION_1))
    assert change is not None
    assert (change.campaign, change.attempt_id, change.token, change.at, change.v) == ("first", "x", 3, 1.5, 1)
    assert change.finish is not None
    assert change.finish.verdict.outcome is Outcome.BUSY
    assert change.finish.contact == contacts(1)[0]


# ---- the file


def others(folder: Path) -> list[bytes]:
    """As the next start reads them."""
    heir, found = SpoolFile(folder, "engine"), []
    while (left := heir.left()) is not None:
        found += left[1]
        heir.remove(left[0])
    heir.close()
    return found


def test_it_is_ours_alone_and_goes_when_it_is_done_with(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path / "spool", "engine")
    assert list(tmp_path.iterdir()) == []
    spool.append([b"one"])
    spool.append([b"two", b"three"])
    (path,) = (tmp_path / "spool").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert spool.bytes == path.stat().st_size
    assert spool.read() == [b"one", b"two", b"three"]
    assert others(tmp_path / "spool") == []  # its owner lives
    spool.clear()
    assert not path.exists()
    spool.append([b"four"])
    spool.close()
    assert others(tmp_path / "spool") == [b"four"]
    assert list((tmp_path / "spool").iterdir()) == []


def test_at_its_bound_it_refuses_and_keeps_what_it_has(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "engine", most_bytes=200)
    spool.append([b"a" * 60])
    with pytest.raises(
        SpoolFailed, match=r"of at most 200 bytes: bring Redis back, or allow more by \[spool\] most_mb"
    ):
        spool.append([b"b" * 100])
    assert spool.read() == [b"a" * 60]
    with pytest.raises(SpoolFailed):
        spool.rewrite([b"c" * 300])
    assert spool.read() == [b"a" * 60]
    spool.rewrite([b"d" * 80])
    assert spool.read() == [b"d" * 80]
    spool.close()
    assert others(tmp_path) == [b"d" * 80]


def test_a_disk_that_is_full_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = SpoolFile(tmp_path, "engine")
    spool.append([b"one"])
    write = os.write

    def full(file: int, data: memoryview) -> int:
        write(file, data[:5])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("dialer.adapters.spool.os.write", full)
        with pytest.raises(SpoolFailed, match=r"No space left on device\. Make room"):
            spool.append([b"two"])
    spool.append([b"three"])
    assert spool.read() == [b"one", b"three"]
    spool.close()


def test_a_folder_that_cannot_be_used_is_named_with_its_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SpoolFailed, match=r"file/spool: Not a directory\. Name a folder that this user may write to"):
        SpoolFile(tmp_path / "file" / "spool", "engine").ready()
    with pytest.raises(SpoolFailed):
        SpoolFile(tmp_path / "file" / "spool", "engine").append([b"x"])


def test_what_makes_no_sense_is_put_aside_for_a_person(tmp_path: Path) -> None:
    spool = SpoolFile(tmp_path, "engine")
    spool.append([b"one", b"two"])
    spool.close()
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes().replace(b" 1 ", b" 9 ", 1) + b"torn")
    assert others(tmp_path) == [b"two"]
    assert [one.name for one in tmp_path.iterdir()] == [f"{path.name}.broken"]


def test_where_it_is_if_nobody_says(tmp_path: Path) -> None:
    assert default_folder(tmp_path, {}) == tmp_path / "spool"
    assert default_folder(tmp_path, {"STATE_DIRECTORY": "/var/lib/santun"}) == Path("/var/lib/santun/spool")


WRITER = """
import sys
from pathlib import Path
from dialer.adapters.spool import SpoolFile
spool = SpoolFile(Path(sys.argv[1]), "engine")
for number in range(100000):
    spool.append([b"%d" % number])
    print(number, flush=True)
"""


def test_a_writer_that_is_killed_leaves_all_that_it_was_told_is_kept(tmp_path: Path) -> None:
    for turn in range(3):
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE)
        assert writer.stdout is not None
        told = [int(writer.stdout.readline()) for _ in range(20 + turn)]
        assert others(tmp_path) == []  # it lives
        writer.send_signal(signal.SIGKILL)
        told += [int(one) for one in writer.communicate()[0].split(b"\n")[:-1]]
        found = [int(one) for one in others(tmp_path)]
        assert found[: len(told)] == told
        assert len(found) <= len(told) + 1
        assert list(tmp_path.iterdir()) == []


async def test_the_loop_does_not_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = DiskSpool(tmp_path)
    await spool.start()
    began, go_on = asyncio.Event(), threading.Event()
    loop, sync = asyncio.get_running_loop(), os.fsync

    def slow(file: int) -> None:
        loop.call_soon_threadsafe(began.set)
        assert go_on.wait(10)
        sync(file)

    monkeypatch.setattr("dialer.adapters.spool.os.fsync", slow)
    change = Unwritten("first", "x", 3, 1.5, attempt(contacts(1)[0]))
    keeping = asyncio.create_task(spool.keep([change]))
    await asyncio.wait_for(began.wait(), 10)
    assert not keeping.done()  # and yet we are here
    go_on.set()
    await asyncio.wait_for(keeping, 10)
    assert spool.size() > 0
    await spool.close()
    heir = DiskSpool(tmp_path)
    found = await heir.left()
    assert found is not None
    assert found[1] == [change]
    await heir.remove(found[0])
    assert await heir.left() is None
    await heir.close()
