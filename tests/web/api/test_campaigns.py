"""Campaigns over HTTP: created with safe defaults, changed within law and trunk, foretold."""

import pytest

from dialer.model import Status
from tests.web.api.kit import FIRST, filled
from tests.web.house import House

RIGHTS = ("campaigns:see", "campaigns:run", "campaigns:change")


async def test_from_a_template_with_safe_defaults(house: House) -> None:
    boss = await house.program(*RIGHTS)
    templates = (await boss.get("/templates")).body["templates"]
    for turn, name in enumerate(templates):
        made = await boss.post("/campaigns", {"id": f"c{turn}", "template": name, "settings": {"name": "Try"}})
        assert made.status == 201, made.body
        assert made.body["faults"] == []
        assert (made.body["status"], made.body["settings"]["abandon_rate_max"]) == ("ready", 0.03)
        assert made.body["settings"]["caller_id"] == "+622150001234"
    assert (await boss.post("/campaigns", {"id": "c0"})).kind == "campaign_there"
    rows = (await boss.get("/campaigns")).body["campaigns"]
    assert [row["id"] for row in rows] == [f"c{turn}" for turn in range(len(templates))]
    assert {row["kind"] for row in rows} == {"agents", "ivr"}


@pytest.mark.parametrize(
    "body",
    [
        {"id": "x", "settings": {"abandon_rate_max": 0.5}},
        {"id": "x", "settings": {"lines_max": "many"}},
        {"id": "x", "settings": {"lines_max": 10**30}},
        {"id": "x", "settings": {"calls_per_second": -1}},
        {"id": "x", "settings": {"unknown": 1}},
        {"id": "x", "settings": {"trunk": "none"}},
        {"id": "x", "settings": {"pack": "demo"}},
        {"id": "x", "settings": {"pack": "../../etc/passwd"}},
        {"id": "x", "settings": {"caller_id": "+62999"}},
        {"id": "x", "settings": {"id": "y"}},
        {"id": "x", "settings": {"recycle": {"busy": {"after_s": -1}}}},
        {"id": "x", "template": "none"},
        {"id": "X{}"},
        {"id": "x", "settings": {f"a{i}": 1 for i in range(99)}},
        {"id": "x", "settings": {"name": "a\nb"}},
    ],
)
async def test_what_law_or_trunk_forbid_is_refused(house: House, body: dict[str, object]) -> None:
    boss = await house.program(*RIGHTS)
    assert (await boss.post("/campaigns", body)).status == 422
    assert (await boss.get("/campaigns")).body == {"campaigns": []}


async def test_a_setting_is_refused_by_a_code_that_pages_can_say(house: House) -> None:
    boss = await house.program(*RIGHTS)
    answer = await boss.post("/campaigns", {"id": "x", "settings": {"lines_max": 0, "abandon_rate_max": 0.5}})
    found = {one["code"]: one["params"] for one in answer.body["faults"]}
    assert found["range"] == {"name": "lines_max", "value": "0", "low": "1", "high": "10000"}
    assert found["abandon_loose"] == {"value": "0.5", "most": "0.03"}
    assert all(one["text"] in answer.body["detail"] for one in answer.body["faults"])


async def test_a_value_of_the_wrong_kind_is_refused_by_its_code_too(house: House) -> None:
    boss = await house.program(*RIGHTS)
    wrong = {"lines_max": "many", "mode": "fast", "record": "maybe", "week": "[]", "colour": 1, "trunk": "carrier"}
    wrong["recycle"] = '{"busy": {"after": "soon", "number": "worst"}}'
    answer = await boss.post("/campaigns", {"id": "x", "settings": wrong})
    assert (answer.status, answer.kind) == (422, "bad_settings")
    assert {(one["code"], one["params"].get("where", "")) for one in answer.body["faults"]} == {
        ("setting_unknown", ""),
        ("use_whole", "lines_max = 'many'"),
        ("use_one_of", "mode = 'fast'"),
        ("use_bool", "record = 'maybe'"),
        ("use_json", "week = '[]'"),
        ("use_time", "recycle.busy.after = 'soon'"),
        ("use_one_of", "recycle.busy.number = 'worst'"),
    }
    assert all(one["text"] in answer.body["detail"] for one in answer.body["faults"])
    elsewhere = await boss.post("/campaigns", {"id": "x", "settings": {"trunk": "none", "caller_id": ""}})
    assert [one["code"] for one in elsewhere.body["faults"]] == ["use_one_of"]


async def test_live_settings_change_while_it_runs_and_others_do_not(house: House) -> None:
    book = await filled(house)
    boss = await house.program(*RIGHTS)
    seen = (await boss.get(f"/campaigns/{FIRST}")).body
    assert (seen["contacts"], seen["counters"]["promise:made"]) == (3, 2)
    await house.store.set_status(FIRST, book.token, Status.RUNNING)
    change = {"settings": {"lines_max": 7, "mode": "predictive"}, "revision": seen["revision"]}
    after = (await boss.ask("PATCH", f"/campaigns/{FIRST}", change)).body
    assert (after["settings"]["lines_max"], after["settings"]["mode"], after["status"]) == (7, "predictive", "running")
    assert (await boss.ask("PATCH", f"/campaigns/{FIRST}", change)).kind == "changed_meanwhile"
    slow = {"settings": {"record": False}}
    assert (await boss.ask("PATCH", f"/campaigns/{FIRST}", slow)).kind == "running"
    await house.store.set_status(FIRST, book.token, Status.PAUSED)
    assert (await boss.ask("PATCH", f"/campaigns/{FIRST}", slow)).body["settings"]["record"] is False
    runner = await house.program("campaigns:run")
    assert (await runner.ask("PATCH", f"/campaigns/{FIRST}", {"settings": {"record": True}})).kind == "not_allowed"
    assert (await runner.ask("PATCH", f"/campaigns/{FIRST}", {"settings": {"lines_max": 8}})).status == 200
    assert (await runner.ask("PATCH", f"/campaigns/{FIRST}", {"settings": {"lines_max": 0}})).kind == "bad_settings"
    known = await house.store.campaign(FIRST)
    assert known is not None
    assert known[0].lines_max == 8
    notes = [deed.note for _, deed in await house.office.audit.read(9)]
    assert "lines_max 7 -> 8" in notes


async def test_a_day_before_it_begins(house: House) -> None:
    await filled(house)
    reader = await house.program("campaigns:see")
    seen = (await reader.get(f"/campaigns/{FIRST}/preview", params={"day": "2027-01-18"})).body
    assert (seen["contacts"], seen["looked_at"], seen["zone"]) == (3, 3, "Asia/Jakarta")
    assert seen["hours"]
    assert sum(rule["all_day"] for rule in seen["rules"]) + seen["callable"] == 3
    for query in ({"day": "2020-01-01"}, {"day": "2027-13-01"}, {"day": "2099-01-01"}):
        assert (await reader.get(f"/campaigns/{FIRST}/preview", params=query)).kind == "bad_day"


async def test_no_such_campaign(house: House) -> None:
    reader = await house.program("campaigns:see", "call-backs:see", "promises:see", "outcomes:see", "recordings:see")
    for path in ("", "/preview", "/call-backs", "/promises", "/outcomes", "/refusals", "/recordings", "/agents"):
        for name in ("none", "p%3Ax", "X", "a%7Db"):
            answer = await reader.get(f"/campaigns/{name}{path}")
            assert answer.status in ((403, 404) if path == "/agents" else (404,))
