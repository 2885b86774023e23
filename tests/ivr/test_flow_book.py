"""What is edited while calls are served: taken over for the next conversation, and never half or unsound."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from dialer.debts.plans import Limits
from dialer.errors import StoreDown
from dialer.forms.sheets import Sheet
from ivr.adapters.flow_book import FlowBook
from ivr.session import Desk
from tests.ivr.twins import Store
from tests.ivr.twins import desk as a_desk

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
FLOW = (EXAMPLES / "flow-greeting.toml").read_text(encoding="utf-8")
TEXTS = {"id": (EXAMPLES / "flow-greeting.id.toml").read_text(encoding="utf-8")}


class Twin:
    """Sheets by name and revision."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, int], str] = {}
        self.newest: dict[str, int] = {}
        self.down = False

    def write(self, name: str, content: object) -> None:
        revision = self.newest[name] = self.newest.get(name, 0) + 1
        self.kept[name, revision] = json.dumps(content)

    def sheet(self, name: str, revision: int = 0) -> Sheet:
        if self.down:
            raise StoreDown("down")
        wanted = revision or self.newest.get(name, 0)
        return Sheet(name, self.kept[name, wanted], wanted) if (name, wanted) in self.kept else Sheet(name)


def flow(version: int, text: str = FLOW) -> dict[str, object]:
    return {"label": "", "source": {"flow": text.replace("version = 1", f"version = {version}"), "texts": TEXTS}}


class Serving:
    """A book and what it has told."""

    def __init__(self, limits: Path | None = None) -> None:
        self.sheets = Twin()
        self.desk: Desk = a_desk(Store())
        self.told = 0
        self.book = FlowBook(self.sheets, self.desk, limits, self.take_over)

    def take_over(self, desk: Desk) -> None:
        self.told += 1
        self.desk = desk

    @property
    def flows(self) -> dict[str, str]:
        return {name: one.label for name, one in self.desk.terms.flows.items()}


def test_a_switch_is_taken_over_and_what_is_under_way_keeps_its_own() -> None:
    serving = Serving()
    serving.book.look()
    assert serving.told == 0
    serving.sheets.write("flow/greeting", flow(1))
    serving.sheets.write("flows", {"april": {"flow": "greeting", "revision": 1}})
    serving.book.look()
    under_way = serving.desk
    assert serving.flows == {"april": "greeting@1"}
    serving.sheets.write("flow/greeting", flow(2))
    serving.book.look()
    assert (serving.flows, serving.told) == ({"april": "greeting@1"}, 1), "a version is given, not taken"
    serving.sheets.write("flows", {"april": {"flow": "greeting", "revision": 2}})
    serving.book.look()
    assert serving.flows == {"april": "greeting@2"}
    assert under_way.terms.flows["april"].label == "greeting@1"
    serving.sheets.write("flows", {})
    serving.book.look()
    assert serving.flows == {}


@pytest.mark.parametrize("broken", ["unsound", "gone", "nonsense"])
def test_what_cannot_be_used_is_not(broken: str) -> None:
    serving = Serving()
    serving.sheets.write(
        "flow/greeting", flow(1, FLOW.replace('to = "', 'to = "no', 1) if broken == "unsound" else FLOW)
    )
    revision = 9 if broken == "gone" else 1
    if broken == "nonsense":
        serving.sheets.kept["flow/greeting", 1] = "{"
    serving.sheets.write("flow/other", flow(1))
    both = {"april": {"flow": "greeting", "revision": revision}, "may": {"flow": "other", "revision": 1}}
    serving.sheets.write("flows", both)
    serving.book.look()
    assert serving.flows == {"may": "greeting@1"}, "the others are not held back"


def test_without_a_store_everything_stays() -> None:
    serving = Serving()
    serving.sheets.write("flow/greeting", flow(1))
    serving.sheets.write("flows", {"april": {"flow": "greeting", "revision": 1}})
    serving.book.look()
    serving.sheets.down = True
    serving.book.look()
    assert (serving.flows, serving.told) == ({"april": "greeting@1"}, 1)


def test_limits_are_read_again_and_a_fault_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "limits.toml"
    path.write_text("defer_days = 14\n")
    serving = Serving(path)
    serving.book.look()
    assert serving.told == 0
    path.write_text("defer_days = 21\nparts = 3\n")
    serving.book.look()
    assert serving.desk.limits == replace(Limits(), defer_days=21, parts=3)
    path.write_text("defer_days = many\n")
    serving.book.look()
    assert (serving.desk.limits.defer_days, serving.told) == (21, 1)
