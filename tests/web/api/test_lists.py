"""Lists over HTTP: uploaded, understood, loaded in a process of its own, what was not used given back; and bombs."""

import io
import os
import signal
import zipfile
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.list_jobs import ListJobs
from dialer.adapters.site import OpenSite
from dialer.config import Web
from dialer.errors import ConfigError
from dialer.service import open_office
from dialer.users import Role
from dialer.web.application import make_app
from dialer.web.serving import Served
from tests.adapters.redis_lives import until
from tests.web.api.kit import FIRST, campaign
from tests.web.house import Answer, Client, House

LIST = (
    "nik,nama,hp,hp2,no_kontrak,pemberi_pinjaman\n"
    "P1,Siti,081211110001,,K1,Bank Maju\n"
    "P2,Budi,12,,K2,Bank Maju\n"
    "P3,Agus,081211110003,12,K3,Bank Maju\n"
)
RIGHTS = ("lists:see", "lists:change")


async def loaded(house: House, client: Client, upload: str) -> dict[str, Any]:
    """When it is over, whichever process does it."""

    async def over() -> bool:
        known = jobs(house)._shelf.read(upload)
        return known is None or known.state != "loading" or not jobs(house)._shelf.is_held(upload)

    await until(over, tries=1500)
    body: dict[str, Any] = (await client.get(f"/lists/uploads/{upload}")).body
    return body


async def upload(client: Client, content: bytes, name: str = "list.csv") -> Answer:
    headers = {"Content-Type": "application/octet-stream", "X-File-Name": name}
    return await client.ask("POST", "/lists/uploads", data=io.BytesIO(content), headers=headers)


@pytest.fixture
async def boss(house: House) -> Client:
    await house.store.save_campaign(campaign())
    return await house.program(*RIGHTS)


async def test_from_the_file_to_the_list_and_back(house: House, boss: Client) -> None:
    taken = await upload(boss, LIST.encode(), "../../daftar nasabah.csv")
    assert taken.status == 201, taken.body
    seen = taken.body
    assert (seen["state"], seen["unit"], seen["bytes"]) == ("looked_at", "bytes", len(LIST))
    assert "/" not in seen["file_name"]
    assert seen["columns"]["nama"] == "name"
    assert seen["columns"]["hp"] == "phone1"
    rows = seen["first"]
    assert [bool(row["read"]) for row in rows] == [True, False, True]
    assert "0812" not in str(rows)
    where = f"/lists/uploads/{seen['upload']}"
    assert (await boss.get(f"{where}/rejects")).kind == "not_loaded"
    begun = await boss.post(f"{where}/load", {"campaign": FIRST})
    assert (begun.status, begun.body["state"]) == (202, "loading")
    assert (await boss.post(f"{where}/load", {"campaign": FIRST})).kind == "loading"
    done = await loaded(house, boss, seen["upload"])
    assert (done["state"], done["fault"]) == ("loaded", "")
    assert {name: done["counts"][name] for name in ("rows", "new", "lost", "values")} == {
        "rows": 3, "new": 2, "lost": 1, "values": 1
    }  # fmt: skip
    assert done["done"] == done["total"] == len(LIST)
    assert [(one["column"], one["row_lost"]) for one in done["rejected"]] == [("hp", True), ("hp2", False)]
    assert {one["code"] for one in done["rejected"]} == {"no_subscriber"}
    report = await boss.get(f"{where}/rejects")
    assert report.headers["Content-Type"].startswith("text/csv")
    assert b"P2,Budi,12" in report.body
    assert await house.store.listed(FIRST) == 2
    await boss.post(f"{where}/load", {"campaign": FIRST})
    assert (await loaded(house, boss, seen["upload"]))["counts"]["new"] == 0
    assert [one["upload"] for one in (await boss.get("/lists/uploads")).body["uploads"]] == [seen["upload"]]
    assert (await boss.ask("DELETE", where)).status == 204
    assert (await boss.get(where)).kind == "no_upload"
    assert jobs(house)._shelf.all() == []


def jobs(house: House) -> ListJobs:
    found = house.office.parts["lists"]
    assert isinstance(found, ListJobs)
    return found


async def test_another_mapping(house: House, boss: Client) -> None:
    taken = (await upload(boss, b"a;b;c\nP1;Siti;081211110001\n")).body
    assert (taken["state"], taken["columns"]) == ("failed", {})
    assert "telepon" in taken["fault"]
    assert str(jobs(house)._shelf.root) not in taken["fault"]
    where = f"/lists/uploads/{taken['upload']}"
    mapping = {"columns": {"a": "person_id", "b": "name", "c": "phone"}, "values": {"lender": "Bank Maju"}}
    seen = (await boss.post(f"{where}/look", {"mapping": mapping})).body
    assert (seen["state"], seen["fault"]) == ("looked_at", "")
    assert seen["first"][0]["read"]["lender"] == "Bank Maju"
    await boss.post(f"{where}/load", {"campaign": FIRST, "mapping": mapping, "as_of": "2026-11-22"})
    assert (await loaded(house, boss, taken["upload"]))["counts"]["new"] == 1
    for wrong in ({"columns": {"a": "nothing"}}, {"reading": {"region": "XX"}}, {"columns": {"zz": "name"}}):
        assert (await boss.post(f"{where}/look", {"mapping": wrong})).body["state"] == "failed", wrong
    for bad in ({"mapping": {"columns": {"a": 5}}}, {"campaign": "X"}, {"campaign": FIRST, "as_of": "soon"}):
        assert (await boss.post(f"{where}/load", bad)).status == 422
    assert (await boss.post(f"{where}/load", {"campaign": "none"})).kind == "no_campaign"


async def test_an_upload_is_its_senders(house: House, boss: Client) -> None:
    taken = (await upload(boss, LIST.encode())).body
    other = await house.signed_in("sari", Role.SUPERVISOR)
    where = f"/lists/uploads/{taken['upload']}"
    for method, path, body in (
        ("GET", where, None), ("GET", where + "/rejects", None), ("DELETE", where, None), ("POST", where + "/look", {}),
        ("POST", where + "/load", {"campaign": FIRST}),
    ):  # fmt: skip
        assert (await other.ask(method, path, body)).kind == "no_upload"
    assert (await other.get("/lists/uploads")).body == {"uploads": []}


def bomb() -> bytes:
    """A spreadsheet of 30 kB whose sheet is 300 MB."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr("[Content_Types].xml", "<Types/>")
        box.writestr("xl/workbook.xml", "<workbook/>")
        with box.open("xl/worksheets/sheet1.xml", "w") as sheet:
            for _ in range(300):
                sheet.write(b" " * (1 << 20))
    return made.getvalue()


HOSTILE = {
    "a zip bomb": bomb(),
    "no list": b"\x00" * 1000,
    "an old spreadsheet": b"\xd0\xcf\x11\xe0" + b"\x00" * 600,
    "a broken zip": b"PK\x03\x04" + b"x" * 600,
    "nothing": b"",
    "one endless line": b"hp" + b"," * 2_000_000,
    "quotes without end": b'hp\n"' + b"x" * 3_000_000,
    "columns without end": b",".join(b"c%d" % turn for turn in range(5000)) + b"\n",
}


async def test_hostile_files_cost_a_refusal(house: House, boss: Client) -> None:
    for what, content in HOSTILE.items():
        taken = await upload(boss, content, "x.xlsx")
        assert taken.status == 201, what
        assert taken.body["fault"] or what == "quotes without end", what
        assert not any(row["read"] for row in taken.body["first"]), what
        house.clock.at += 10  # within the limit of requests
    assert (await boss.get("/campaigns")).status == 403  # the web is there as before


async def test_too_much_is_refused(house: House, boss: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialer.adapters.list_jobs.UPLOADS_MAX", 1)
    assert (await upload(boss, b"x")).status == 201
    assert (await upload(boss, b"x")).kind == "bad_input"
    monkeypatch.setattr("dialer.adapters.list_jobs.KEPT_S", -1.0)
    assert (await upload(boss, LIST.encode())).status == 201
    monkeypatch.setattr("dialer.adapters.list_jobs.BYTES_MAX", 100)
    assert (await upload(boss, LIST.encode())).kind == "bad_input"
    assert (await boss.get("/lists/uploads")).body == {"uploads": []}
    assert jobs(house)._shelf.all() == []


async def test_a_process_that_is_killed_is_told_of(house: House, boss: Client, tmp_path: Path) -> None:
    rows = "".join(f"P{i},Siti,0812{i:08d},,K{i},Bank Maju\n" for i in range(200_000))
    taken = (await upload(boss, (LIST.splitlines()[0] + "\n" + rows).encode())).body
    await boss.post(f"/lists/uploads/{taken['upload']}/load", {"campaign": FIRST})
    await until(lambda: house.store.listed(FIRST))
    (process,) = jobs(house)._processes
    os.kill(process.pid, signal.SIGKILL)
    done = await loaded(house, boss, taken["upload"])
    assert done["state"] == "failed"
    assert "load it again" in done["fault"]
    assert 0 < await house.store.listed(FIRST) < 200_000


async def test_every_process_shows_loads_and_drops_it(house: House, boss: Client) -> None:
    """Two webs on the folder, as behind a balancer that knows nothing of uploads."""
    site = OpenSite(house.office.config, house.store, house.clock)  # type: ignore[arg-type] # moved by hand
    async with open_office(site, site.config, {}) as office, Served(make_app(office), site.config.web) as served:
        other = Client(f"http://127.0.0.1:{served.port}", boss.http, token=boss.token)
        taken = (await upload(boss, LIST.encode())).body
        where = f"/lists/uploads/{taken['upload']}"
        assert (await other.get(where)).body == taken
        begun = await other.post(f"{where}/load", {"campaign": FIRST})
        assert (begun.status, begun.body["state"]) == (202, "loading")
        assert (await boss.post(f"{where}/load", {"campaign": FIRST})).kind == "loading"
        done = await loaded(house, boss, taken["upload"])
        assert (done["state"], done["counts"]["new"]) == ("loaded", 2)
        assert b"P2,Budi,12" in (await boss.get(f"{where}/rejects")).body
        rows = "".join(f"P{i},Siti,0812{i:08d},,K{i},Bank Maju\n" for i in range(200_000))
        large = (await upload(other, (LIST.splitlines()[0] + "\n" + rows).encode())).body
        await other.post(f"/lists/uploads/{large['upload']}/load", {"campaign": FIRST})
        (process,) = office.parts["lists"]._processes
        assert (await boss.ask("DELETE", f"/lists/uploads/{large['upload']}")).status == 204
        await until(lambda: _is(process.returncode is not None))
        assert [one["upload"] for one in (await other.get("/lists/uploads")).body["uploads"]] == [taken["upload"]]
    assert (await boss.get(where)).body["state"] == "loaded", "the one that stays keeps what is there"


async def _is(true: bool) -> bool:
    return true


async def test_what_all_left_is_swept_and_nothing_is_left(house: House, tmp_path: Path) -> None:
    root = tmp_path / "uploads"
    config = house.office.config.model_copy(update={"web": Web(listen="127.0.0.1:0", uploads=str(root))})
    left = root / "of-a-crash"
    left.mkdir(parents=True)
    root.chmod(0o700)
    (left / "list.csv").write_text("somebody")
    one = ListJobs(config)
    assert not left.exists()
    left.mkdir()
    two = ListJobs(config)
    assert left.exists(), "another process is there: it may be its own"
    await one.close()
    assert root.exists()
    await two.close()
    assert not root.exists()


@pytest.mark.parametrize("make", ["open to others", "a link"])
async def test_a_folder_that_others_can_read_is_refused(house: House, tmp_path: Path, make: str) -> None:
    root = tmp_path / "uploads"
    if make == "a link":
        root.symlink_to(tmp_path)
    else:
        root.mkdir(mode=0o755)
    with pytest.raises(ConfigError, match="of this user alone"):
        ListJobs(house.office.config, root)


async def test_a_load_whose_process_died_says_so(house: House, boss: Client) -> None:
    taken = (await upload(boss, LIST.encode())).body
    shelf = jobs(house)._shelf
    one = shelf.read(taken["upload"])
    assert one is not None
    one.state = "loading"  # as a process left it that was killed
    shelf.save(one)
    seen = (await boss.get(f"/lists/uploads/{taken['upload']}")).body
    assert seen["state"] == "failed"
    assert "load it again" in seen["fault"]
    await boss.post(f"/lists/uploads/{taken['upload']}/load", {"campaign": FIRST})
    assert (await loaded(house, boss, taken["upload"]))["state"] == "loaded"
