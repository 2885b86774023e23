"""Around every request: headers, hosts, sizes, slow clients, rates, keys, and a log that tells no secrets."""

import asyncio
import contextlib
import json
import re
import zlib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
import structlog

from dialer.config import Web, read_config, web_of
from dialer.errors import ConfigError, StoreDown
from dialer.users import Role
from dialer.web import listening, serving
from dialer.web.access import Right
from dialer.web.api import users as users_api
from dialer.web.doors import Office
from dialer.web.pages import PAGES
from dialer.web.problems import Problem
from dialer.web.route import Asked, Download, Route, Upload
from tests.web.house import ENV, SITE, House, opened

pytestmark = pytest.mark.redis


class Echo(msgspec.Struct, forbid_unknown_fields=True):
    """What a test sends and gets."""

    text: str
    count: int = 0


class Look(msgspec.Struct, forbid_unknown_fields=True):
    """A query."""

    count: int = 1
    word: list[str] = []


seen: list[Asked[Any, Any]] = []


async def echo(office: Office, asked: Asked[None, Echo]) -> Echo:
    seen.append(asked)
    if asked.body.text == "no":
        raise Problem(409, "no", "No.")
    if asked.body.text == "bug":
        raise RuntimeError("with a number +6281234567890")
    if asked.body.text == "down":
        raise StoreDown("gone")
    if asked.body.text == "slow":
        await asyncio.sleep(5)
    if asked.body.text == "wait":
        await asyncio.sleep(0.5)
    return asked.body


async def look(office: Office, asked: Asked[Look, None]) -> Look:
    return asked.query


async def take(office: Office, asked: Asked[None, Upload]) -> Echo:
    sizes = [len(chunk) async for chunk in asked.body.chunks]
    return Echo(asked.body.file_name, sum(sizes))


async def give(office: Office, asked: Asked[None, None]) -> Download:
    return Download("audio/wav", 'a "name".wav', content=b"RIFF")


EXTRA = (
    Route("POST", "/echo", Right.SELF, echo, "Echo", takes=Echo, gives=Echo, limit_s=1.5),
    Route("GET", "/look", Right.SELF, look, "Look", query=Look, gives=Look),
    Route("POST", "/take", Right.SELF, take, "Take", takes=Upload, gives=Echo, body_max=300_000),
    Route("GET", "/give", Right.SELF, give, "Give", gives=Download),
)


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[House]:
    """With routes of the tests' own."""
    monkeypatch.setattr(users_api, "ROUTES", users_api.ROUTES + EXTRA)
    async with opened(tmp_path) as house:
        yield house


async def test_every_answer_is_dressed(house: House) -> None:
    for path in ("//health", "//nowhere", "/me", "//sign-in", "/openapi.json", "//"):
        answer = await house.client().get(path)
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy  # nothing from elsewhere
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "microphone=(self)" in answer.headers["Permissions-Policy"]
        assert "Server" not in answer.headers


async def test_refusals_are_problems(house: House) -> None:
    client = house.client()
    assert (await client.get("/nowhere")).kind == "not_found"
    wrong = await client.ask("PUT", "/me")
    assert (wrong.kind, wrong.headers["Allow"]) == ("method_not_allowed", "GET")
    unknown = await client.get("/me")
    assert (unknown.kind, unknown.headers["WWW-Authenticate"]) == ("not_signed_in", "Bearer")
    assert unknown.body["title"]


async def test_pages_are_for_those_who_may(house: House) -> None:
    nobody = await house.client().get("//board")
    assert (nobody.status, nobody.headers["Location"]) == (302, "/sign-in?next=/board")
    agent = await house.signed_in("budi", Role.AGENT, "1001")
    assert (await agent.get("//board")).headers["Location"] == "/agent"
    assert (await agent.get("//")).headers["Location"] == "/agent"
    boss = await house.signed_in("sari", Role.SUPERVISOR)
    assert (await boss.get("//")).headers["Location"] == "/board"
    assert (await house.client().get("//")).headers["Location"] == "/sign-in"


async def test_pages_hold_no_script_and_no_style_of_their_own() -> None:
    """The policy forbids them: a page with one would not work."""
    for page in PAGES.values():
        inline = re.search(r"<script(?![^>]*\bsrc=)[^>]*>|<style|\sstyle=|\son\w+=|https?://", page.html)
        assert not inline, page.script


async def test_another_name_is_not_served(house: House) -> None:
    """A page of evil.example whose name leads to loopback reaches nothing."""
    for path in ("/me", "/openapi.json", "//sign-in", "//static/css/base.css", "//nowhere"):
        assert (await house.client().get(path, headers={"Host": "evil.example"})).kind == "wrong_host"
    assert (await house.client().get("//health", headers={"Host": "10.0.0.1"})).status == 200
    assert (await house.client().get("/openapi.json", headers={"Host": "localhost:1"})).status == 200


async def test_a_strangers_word_about_the_sender_is_not_believed(house: House) -> None:
    liar = house.client()
    liar.headers = {"X-Forwarded-For": "203.0.113.7", "X-Forwarded-Proto": "https"}
    await liar.enter("budi", "wrong password")
    [(_, deed)] = await house.office.audit.read(10)
    assert deed.address == "127.0.0.1"
    assert "Strict-Transport-Security" not in (await liar.get("//health")).headers


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "bad_body"), (b"", 400, "bad_body"), (b"[]", 422, "bad_body"), (b'{"text":1}', 422, "bad_body"),
        (b'{"text":"x","more":1}', 422, "bad_body"), (b'{"text":"x","count":1.5}', 422, "bad_body"),
        (b'{"text":"x","count":"1"}', 422, "bad_body"), (b'{"text":"\xff"}', 400, "bad_body"),
        (b'{"text":' + b"[" * 5000, 422, "bad_body"), (b"[" * 5000, 422, "bad_body"),
        (b'{"text":"' + b"x" * 70_000 + b'"}', 413, "too_large"),
        (b'{"text":"x","count":' + b"9" * 60_000 + b"}", 422, "bad_body"),
    ],
)  # fmt: skip
async def test_bodies_that_are_refused(site: House, body: bytes, status: int, kind: str) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    answer = await client.post("/echo", body)
    assert (answer.status, answer.kind) == (status, kind)


async def test_the_content_has_to_be_json(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post("/echo", b"text=x", headers=form)).kind == "not_json"
    assert (await client.post("/sign-out", b"something")).kind == "bad_body"


async def test_packed_bodies_are_not_unpacked(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    bomb = zlib.compress(b'{"text":"' + b"x" * 30_000_000 + b'"}')
    assert len(bomb) < 64 * 1024
    answer = await client.post("/echo", bomb, headers={"Content-Encoding": "deflate"})
    assert (answer.status, answer.kind) == (415, "encoded")


async def test_a_chunked_body_is_no_way_around_the_limit(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(1000):
            yield b"x" * 1000

    headers = {"X-CSRF-Token": client.csrf, "Content-Type": "application/json"}
    try:
        async with client.http.post(f"{site.base}/api/v1/echo", data=endless(), headers=headers) as answer:
            assert answer.status == 413
    except ConnectionError:
        pass  # closed while the client still wrote: refused as well


async def test_queries(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    assert (await client.get("/look?count=5&word=a&word=b")).body == {"count": 5, "word": ["a", "b"]}
    for query in ("count=x", "count=1&count=2", "other=1", "count="):
        assert (await client.get(f"/look?{query}")).kind == "bad_query"
    assert (await client.get("/me?x=1")).kind == "bad_query"


async def test_uploads_and_downloads(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    up = {"Content-Type": "application/octet-stream", "X-File-Name": "list.csv"}
    answer = await client.post("/take", b"x" * 250_000, headers=up)
    assert answer.body == {"text": "list.csv", "count": 250_000}
    assert (await client.post("/take", b"x" * 300_001, headers=up)).kind == "too_large"
    down = await client.get("/give")
    assert (down.body, down.headers["Content-Disposition"]) == (
        b"RIFF",
        "attachment; filename*=UTF-8''a%20%22name%22.wav",
    )


async def test_a_key_is_answered_once(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    seen.clear()
    key = {"Idempotency-Key": "a-key-of-mine"}
    first = await client.post("/echo", {"text": "x"}, headers=key)
    again = await client.post("/echo", {"text": "x"}, headers=key)
    assert (first.status, first.body) == (again.status, again.body)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert [one.key for one in seen] == ["a-key-of-mine"]
    assert (await client.post("/echo", {"text": "y"}, headers=key)).kind == "key_used"
    no = {"Idempotency-Key": "another-key"}
    assert [(await client.post("/echo", {"text": "no"}, headers=no)).kind for _ in range(2)] == ["no", "no"]
    assert len(seen) == 2
    for text in ("bug", "down"):  # nothing is known of it: it may come again
        fault = {"Idempotency-Key": f"a-key-for-{text}"}
        assert (await client.post("/echo", {"text": text}, headers=fault)).status >= 500
        assert (await client.post("/echo", {"text": "x"}, headers=fault)).status == 200
    assert (await client.post("/echo", {"text": "x"}, headers={"Idempotency-Key": "short"})).kind == "bad_key"
    both = await asyncio.gather(
        *(client.post("/echo", {"text": "wait"}, headers={"Idempotency-Key": "at-the-same-time"}) for _ in range(2))
    )
    assert sorted(one.status for one in both) == [200, 409]
    assert [one.kind for one in both if one.status == 409] == ["key_busy"]


async def test_faults_of_ours_tell_nothing_outside(site: House, capsys: pytest.CaptureFixture[str]) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    bug = await client.post("/echo", {"text": "bug"})
    assert bug.kind == "fault"
    assert "6281234567890" not in json.dumps(bug.body)
    assert (await client.post("/echo", {"text": "down"})).kind == "store_down"
    assert (await client.post("/echo", {"text": "slow"})).kind == "too_slow"


async def test_a_session_may_not_ask_without_end(site: House) -> None:
    client = await site.signed_in("budi", Role.AGENT, "1001")
    statuses = [(await client.get("/me")).status for _ in range(70)]
    assert statuses.count(200) >= 55
    assert statuses[-1] == 429
    last = await client.get("/me")
    assert last.kind == "too_many"
    site.clock.at += int(last.headers["Retry-After"])
    assert (await client.get("/me")).status == 200


async def test_the_log_has_neither_queries_nor_numbers(site: House) -> None:
    lines: list[Any] = []

    def keep(_: Any, __: str, line: Any) -> str:
        lines.append(dict(line))
        return ""

    before = structlog.get_config()["processors"]
    structlog.configure(processors=[keep])
    try:
        client = await site.signed_in("budi", Role.AGENT, "1001")
        await client.get("/look?word=628123456789")
        await client.ask("DELETE", "/users/081234567890")
    finally:
        structlog.configure(processors=before)
    requests = [line for line in lines if line.get("action") == "request"]
    assert [line["path"] for line in requests] == ["/api/v1/sign-in", "/api/v1/look", "/api/v1/users/{name}"]
    assert [line["who"] for line in requests] == ["", "budi", "budi"]
    assert "8123456789" not in str(lines)


# ---- slow, many, large ----------------------------------------------------------------------------------------------


async def raw(house: House, parts: Iterable[bytes], pause_s: float = 0.0) -> bytes:
    """What comes back to bytes that are sent as they are, until the server closes."""
    port = int(house.base.rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause_s)
        return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_head_that_does_not_come_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serving, "HEAD_S", 0.4)
    async with opened(tmp_path) as house:
        clock = asyncio.get_running_loop().time
        began = clock()
        slow = [raw(house, [b"GET /health HTTP/1.1\r\nHost: localhost\r\n"]), raw(house, [])]
        assert await asyncio.gather(*slow) == [b"", b""]
        assert 0.3 < clock() - began < 10
        assert (await house.client().get("//health")).status == 200


async def test_too_many_connections_are_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "CONNECTIONS_MAX", 3)
    async with opened(tmp_path) as house:
        port = int(house.base.rpartition(":")[2])
        held = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with asyncio.timeout(60):
            while len(house.served.connections) < 3:  # noqa: ASYNC110 - the kernel tells nobody
                await asyncio.sleep(0.01)
        assert (await raw(house, [])).startswith(b"HTTP/1.1 503 ")
        for _, writer in held:
            writer.close()
            await writer.wait_closed()


async def test_heads_that_are_too_large(house: House) -> None:
    long = b"GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n"
    many = b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 200 + b"\r\n"
    far = b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"
    for head in (long, many, far):
        assert (await raw(house, [head])).split(b"\r\n")[0].endswith(b" 400 Bad Request")


# ---- settings -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("web", "word"),
    [
        ('listen = "0.0.0.0:8080"', "beyond loopback"), ('listen = "8080x"', "host:port"),
        ('tls_cert = "x.pem"', "go together"), ('agent_fields = ["secret"]', "agent_fields"),
        ('proxies = ["proxy"]', "IP address"), ('hosts = ["http://x"]', "hosts"), ("idle_minutes = 1", "idle_minutes"),
        ('second_factor = false\nproxies = ["192.0.2.9"]', "loopback alone"),
    ],
)  # fmt: skip
def test_settings_that_are_refused(web: str, word: str) -> None:
    with pytest.raises(ConfigError, match=word):
        read_config(f"{SITE}\n[web]\n{web}\n", ENV)


def test_where_it_listens_may_be_said_on_the_command_line() -> None:
    web = read_config(SITE, ENV).web
    assert (web_of(web, "127.0.0.1:99").port, web_of(web, "[::1]:99").host, web.loopback) == (99, "::1", True)
    with pytest.raises(ConfigError, match="beyond loopback"):
        web_of(web, "192.0.2.1:80")
    assert Web(listen="0.0.0.0:80", proxies=("192.0.2.9",)).loopback is False
