"""Do-not-call over HTTP."""

import pytest

from tests.web.api.kit import FIRST, filled
from tests.web.house import House

RIGHTS = ("stops:see", "stops:change")


async def test_stop_look_lift(house: House) -> None:
    book = await filled(house)
    boss = await house.program(*RIGHTS)
    asked = {"numbers": ["0812-0000-0000", "+6281200000001"], "person_id": "P2", "reason": "by letter, 081234567890"}
    assert (await boss.post("/stops", asked)).body == {"asked": 3, "changed": 3}
    assert (await boss.post("/stops", asked)).body == {"asked": 3, "changed": 0}
    assert (await boss.post("/stops", {"person": book.people[0].person, "campaign": FIRST})).body["changed"] == 1
    for query, scopes in (
        ({"number": "081200000001"}, [""]), ({"person_id": "P2"}, [""]), ({"number": "081300000001"}, []),
        ({"person": book.people[0].person}, [f"campaign:{FIRST}"]),
    ):  # fmt: skip
        assert (await boss.get("/stops", params=query)).body == {"scopes": scopes}
    assert (await boss.post("/stops/lift", {"person_id": "P2"})).kind == "no_reason"
    assert (await boss.post("/stops/lift", {"person_id": "P2", "reason": "by mistake"})).body["changed"] == 1
    assert (await boss.get("/stops", params={"person_id": "P2"})).body == {"scopes": []}
    log = (await boss.get("/stops/log")).body["entries"]
    assert [(one["action"], one["count"]) for one in log] == [("add", 3), ("add", 3), ("add", 1), ("lift", 1)]
    assert all(one["by"] == "web:token:program" for one in log)
    assert "345678" not in str(log)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"numbers": ["nonsense"]}, 422),
        ({"numbers": ["0812-0000-0000"], "lender": "a", "campaign": FIRST}, 422),
        ({"numbers": ["0812-0000-0000"], "campaign": "none"}, 404),
        ({"numbers": ["0812-0000-0000"], "lender": "a\nb"}, 422),
        ({"numbers": ["0" * 41]}, 422),
        ({"numbers": ["1"] * 1001}, 422),
        ({"person": "nobody"}, 404),
        ({"person": "x", "extra": 1}, 422),
        ([], 422),
    ],
)
async def test_what_cannot_be_is_refused(house: House, body: object, status: int) -> None:
    await filled(house)
    boss = await house.program(*RIGHTS)
    assert (await boss.post("/stops", body)).status == status
    assert (await boss.get("/stops/log")).body["entries"] == []
