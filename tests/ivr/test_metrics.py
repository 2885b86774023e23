"""What an IVR server shows, over real HTTP."""

import urllib.error
import urllib.request
from dataclasses import dataclass

import pytest

from dialer.errors import ConfigError
from ivr.adapters.metrics import PageServer, Parts, pages_of


@dataclass
class Far:
    """Server and heart."""

    calls: int = 2
    most: int = 5
    stopping: bool = False
    beating: bool = True
    alive: bool = True
    waiting: int = 0


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_the_pages() -> None:
    far = Far()
    pages = pages_of(Parts(far, far, lambda: {"promise": 3}, lambda: (4, 1000), lambda: far.waiting))
    pages.meters.observer("santun_ivr_call_seconds")(33.0)
    server = PageServer(pages, "127.0.0.1:0")
    server.start()
    try:
        status, text = get(server.port, "/metrics")
        assert status == 200
        for line in (
            "santun_ivr_calls 2.0",
            'santun_ivr_endings_total{how="promise"} 3.0',
            "santun_ivr_sounds_bytes 1000.0",
            'santun_ivr_call_seconds_bucket{le="45.0"} 1.0',
            'santun_ivr_call_seconds_bucket{le="30.0"} 0.0',
            "santun_ivr_redis_up 1.0",
        ):
            assert line in text.splitlines()
        assert get(server.port, "/readyz") == (200, "ready\n")
        far.calls = 5
        assert get(server.port, "/readyz") == (503, "it has 5 calls, as many as it may\n")
        far.calls, far.waiting = 0, 7
        assert get(server.port, "/readyz") == (503, "spool: 7 facts wait on the disk for Redis\n")
        assert "santun_ivr_spool_facts 7.0" in get(server.port, "/metrics")[1].splitlines()
        far.stopping, far.beating, far.waiting = True, False, 0
        assert get(server.port, "/readyz") == (503, "Redis did not take the last heartbeat\nit is draining\n")
        assert get(server.port, "/healthz") == (200, "alive\n")
        far.alive = False
        assert get(server.port, "/healthz") == (503, "the heart has stopped\n")
        assert get(server.port, "/else")[0] == 404
    finally:
        server.stop()


def test_a_place_that_is_none() -> None:
    far = Far()
    with pytest.raises(ConfigError, match="use host:port"):
        PageServer(pages_of(Parts(far, far, dict, lambda: (0, 0), lambda: 0)), "127.0.0.1:x")
