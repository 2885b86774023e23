"""Every test that docs/chaos.md names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`(?P<file>tests/[\w/]+\.py)?(?:::(?P<test>test_\w+))?`")


def test_every_test_that_is_named_is_there() -> None:
    rows = (ROOT / "docs/chaos.md").read_text().split("## What must hold")[1].split("\n## ")[0]
    file, found = Path(), 0
    for named in NAMED.finditer(rows):
        file = ROOT / named["file"] if named["file"] else file
        assert file.is_file(), file
        if test := named["test"]:
            assert f"def {test}(" in file.read_text(), f"{file}: {test}"
            found += 1
    assert found > 10
