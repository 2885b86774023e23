"""The IVR's conversations and the lenders' limits over HTTP: proved with their lines, kept by version, given whole."""

import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.site import limits_of
from dialer.debts.plans import Limits
from tests.web.api.kit import FIRST, filled
from tests.web.house import SITE, Client, House, opened

RIGHTS = ("campaigns:see", "campaigns:change")
EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
LIMITS = """# agreed with the lenders in November
parts = 3
part_least = 100000
defer_days = 14
defer_fee = 25000

[lender."Bank Maju"]
parts = 6
"""
SOURCE = {
    "flow": (EXAMPLES / "flow-greeting.toml").read_text(encoding="utf-8"),
    "texts": {"id": (EXAMPLES / "flow-greeting.id.toml").read_text(encoding="utf-8")},
}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    (tmp_path / "limits.toml").write_text(LIMITS)
    (tmp_path / "limits.toml").chmod(0o640)
    (tmp_path / "sounds").mkdir()
    more = f'[offers]\nlimits = "{tmp_path}/limits.toml"\n[ivr]\nprompts = "{tmp_path}/sounds"\n'
    async with opened(tmp_path, settings=SITE + more) as house:
        yield house


@pytest.fixture
async def boss(house: House) -> Client:
    await filled(house)
    return await house.program(*RIGHTS)


async def test_a_conversation_is_proved_kept_heard_and_given(house: House, boss: Client) -> None:
    source = (await boss.get("/flow-template")).body
    wrong = {**source, "flow": source["flow"].replace('to = "', 'to = "no', 1)}
    answer = await boss.ask("PUT", "/flows/reminder", {"source": wrong, "revision": 0})
    assert answer.kind == "bad_flow"
    (fault,) = [one for one in answer.body["faults"] if "there is no step" in one["text"]]
    line = wrong["flow"].splitlines()[fault["line"] - 1]
    assert (fault["file"], "no" in line) == ("flow", True)
    assert fault["code"] == "no_step"
    assert fault["params"]["name"] in fault["text"]
    assert (await boss.get("/flows")).body == {"flows": []}, "nothing that is not sound is kept"
    typo = (await boss.post("/flow-check", {"flow": source["flow"], "texts": {"id": '[anyone]\nbye = "x'}})).body
    assert [(one["file"], one["line"], one["code"]) for one in typo["faults"]] == [("id", 2, "no_toml")]
    unsound = source["flow"].replace("repeats = 2", 'repeats = "two"').replace('end = { how = "promise" }', "")
    found = (await boss.post("/flow-check", {**source, "flow": unsound})).body["faults"]
    assert [(one["code"], one["params"]["where"]) for one in found] == [
        ("use_whole", "repeats = 'two'"), ("no_exit_given", "steps.promised")
    ]  # fmt: skip

    done = (await boss.ask("PUT", "/flows/reminder", {"source": source, "revision": 0})).body
    assert (done["version"]["revision"], done["proof"]["label"]) == (1, "payment_reminder@1")
    start = next(step for step in done["proof"]["steps"] if step["role"] == "start")
    assert start["arrows"]
    assert (await boss.ask("PUT", "/flows/reminder", {"source": source, "revision": 0})).kind == "changed_meanwhile"

    where = f"/campaigns/{FIRST}/flow"
    refused = await boss.ask("PUT", where, {"flow": "reminder"})
    assert refused.kind == "sounds_missing"
    assert refused.body["lacking"] == done["proof"]["lacking"] != []
    assert (await boss.get(where)).body == {"flow": "", "revision": 0, "newest": 0}
    assert (await boss.ask("PUT", where, {"flow": "none"})).kind == "no_flow"


async def test_what_is_missing_is_made_and_then_it_is_given(house: House, boss: Client, tmp_path: Path) -> None:
    texts = {"id": SOURCE["texts"]["id"], "en": SOURCE["texts"]["id"]}  # type: ignore[index]
    source = {"flow": SOURCE["flow"], "texts": texts}
    assert [one["file"] for one in (await boss.post("/flow-check", SOURCE)).body["faults"]] == ["en"]
    await boss.ask("PUT", "/flows/greeting", {"source": source, "revision": 0})
    made = (await boss.post("/flows/greeting/sounds")).body
    assert (made["faults"], made["lacking"]) == ([], [])
    where = f"/campaigns/{FIRST}/flow"
    assert (await boss.ask("PUT", where, {"flow": "greeting"})).body == {"flow": "greeting", "revision": 1, "newest": 1}
    second = {"flow": str(source["flow"]).replace("version = 1", "version = 2"), "texts": texts}
    await boss.ask("PUT", "/flows/greeting", {"source": second, "revision": 1})
    assert (await boss.get(where)).body == {"flow": "greeting", "revision": 1, "newest": 2}, "its own until it is given"
    shown = (await boss.get("/flows/greeting", params={"revision": 1})).body
    assert (shown["source"], shown["campaigns"]) == (source, [FIRST])
    assert [one["flow"] for one in (await boss.get("/flows")).body["flows"]] == ["greeting"]
    assert (await boss.ask("PUT", where, {})).body["flow"] == ""


async def trial(boss: Client, text: str, **debt: Any) -> Any:
    return (await boss.post("/offers/trial", {"text": text, "amount": 1_200_000, **debt})).body


async def test_limits_are_tried_written_and_read_by_the_desk(house: House, boss: Client, tmp_path: Path) -> None:
    seen = (await boss.get("/offers")).body
    assert (seen["file"], seen["text"], seen["faults"]) == ("limits.toml", LIMITS, [])
    assert seen["fields"]["promise_days"] == Limits().promise_days
    tried = await trial(boss, LIMITS)
    assert {one["name"]: len(one["payments"]) for one in tried["offers"]} == {"short": 2, "long": 3, "defer": 1}
    assert all(sum(part["amount"] for part in one["payments"]) == one["total"] for one in tried["offers"])
    assert {len(one["payments"]) for one in (await trial(boss, LIMITS, lender="bank  maju"))["offers"]} == {1, 2, 6}
    wrong = LIMITS.replace("parts = 3", "parts = 99").replace("defer_fee", "defer_price")
    faults = (await trial(boss, wrong))["faults"]
    assert [one["line"] for one in faults][:1] == [5]
    assert {one["code"] for one in faults} == {"unknown_limit"}
    many = (await trial(boss, LIMITS.replace("parts = 3", "parts = 99")))["faults"]
    assert [(one["code"], one["params"]) for one in many] == [("parts_most", {"value": "99", "most": "24"})]
    answer = await boss.ask("PUT", "/offers", {"text": wrong, "revision": seen["revision"]})
    assert (answer.kind, answer.body["faults"]) == ("bad_limits", faults)
    assert (await trial(boss, "parts = "))["faults"][0]["line"] == 1

    before = limits_of(house.office.config)
    assert before("x", "").defer_days == 14
    text = LIMITS.replace("defer_days = 14", "defer_days = 21")
    done = (await boss.ask("PUT", "/offers", {"text": text, "revision": seen["revision"]})).body
    assert (done["version"]["revision"], done["version"]["by"]) == (1, "token:program")
    file = tmp_path / "limits.toml"
    assert file.read_text() == text, "comments and all"
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert before("x", "").defer_days == 21
    stale = {"text": LIMITS, "revision": seen["revision"]}
    assert (await boss.ask("PUT", "/offers", stale)).kind == "changed_meanwhile"
    file.write_text(LIMITS)
    assert (await boss.get("/offers")).body["version"]["revision"] == 0, "somebody edited the file itself"
    assert [one["revision"] for one in (await boss.get("/offers/versions")).body["versions"]] == [1]


async def test_a_site_without_limits_says_how_to_have_some(tmp_path: Path) -> None:
    async with opened(tmp_path) as house:
        boss = await house.program(*RIGHTS)
        seen = (await boss.get("/offers")).body
        assert (seen["file"], seen["text"]) == ("", "")
        answer = await boss.ask("PUT", "/offers", {"text": LIMITS, "revision": seen["revision"]})
        assert answer.kind == "no_limits_file"
