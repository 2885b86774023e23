"""Hostile requests: huge headers and bodies, tricks with paths, nonsense of all kinds; the web answers and goes on."""

import asyncio

import pytest

from dialer.users import Role
from tests.web.api.kit import FIRST, filled
from tests.web.house import House

SECRETS = ("/etc/passwd", "pyproject.toml", "santun.toml")


async def raw(house: House, request: bytes, limit_s: float = 30.0) -> bytes:
    """What a server says to these bytes; empty: it hung up."""
    host, port = house.base.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        writer.write_eof()
        async with asyncio.timeout(limit_s):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def head(line: str, *headers: str, body: bytes = b"") -> bytes:
    words = [line, "Host: localhost", "Connection: close", *headers]
    return "\r\n".join(words).encode(errors="surrogateescape") + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    "request_",
    [
        head("GET /api/v1/campaigns HTTP/1.1", "X-Long: " + "x" * 200_000),
        head("GET /api/v1/campaigns HTTP/1.1", *(f"X-{turn}: y" for turn in range(20_000))),
        head("GET /api/v1/" + "x" * 100_000 + " HTTP/1.1"),
        head("GET /api/v1/campaigns?" + "x=1&" * 20_000 + " HTTP/1.1"),
        head("GET /api/v1/campaigns HTTP/1.1", "Cookie: " + "a=b; " * 10_000),
        head("GET /api/v1/campaigns HTTP/1.1", "Authorization: Bearer " + "z" * 50_000),
        head("GET /api/v1/campaigns HTTP/1.1", "X-Bad: a\x00b"),
        head("GET /api/v1/campaigns HTTP/1.1", "X-Bad : folded"),
        head("POST /api/v1/payments HTTP/1.1", "Content-Length: 5", "Transfer-Encoding: chunked", body=b"0\r\n\r\nGET"),
        head("POST /api/v1/payments HTTP/1.1", "Transfer-Encoding: chunked", body=b"fffffffffffffffff\r\n"),
        head("POST /api/v1/payments HTTP/1.1", "Content-Length: -1", body=b"x"),
        head("POST /api/v1/payments HTTP/1.1", "Content-Length: 99999999999999", body=b"x"),
        head("POST /api/v1/payments HTTP/1.1", "Content-Length: 10", body=b"x"),
        head("POST /api/v1/payments HTTP/1.1", "Content-Encoding: gzip", "Content-Length: 3", body=b"\x1f\x8bx"),
        head("BREW /api/v1/campaigns HTTP/1.1"),
        head("GET /api/v1/campaigns HTTP/9.9"),
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 500,
        b"\r\n" * 1000,
        b"GET",
    ],
    ids=lambda one: repr(bytes(one[:36])),
)
async def test_nonsense_is_refused_and_the_web_goes_on(house: House, request_: bytes) -> None:
    answer = await raw(house, request_)
    status = answer.split(b" ")[1] if answer.startswith(b"HTTP/1.") else b"400"
    assert status[:1] == b"4", answer[:200]
    assert b"Traceback" not in answer
    assert (await house.client().get("//health")).status == 200


@pytest.mark.parametrize(
    "start", ["/static/", "/api/v1/", "/", "/api/v1/campaigns/", f"/api/v1/campaigns/{FIRST}/recordings/"]
)
async def test_no_path_leads_out(house: House, start: str) -> None:
    await filled(house)
    token = (await house.program("recordings:see", "campaigns:see", "debtors:see")).token
    for trick in (
        "../",
        "..%2f",
        "%2e%2e/",
        "%2e%2e%2f",
        "..%5c",
        "....//",
        "%252e%252e%252f",
        "..;/",
        "\\..\\",
        "%00/../",
    ):
        for secret in SECRETS:
            path = start + trick * 6 + secret.lstrip("/")
            answer = await raw(house, head(f"GET {path} HTTP/1.1", f"Authorization: Bearer {token}"))
            assert b"root:" not in answer, path
            assert b"[project]" not in answer, path
            assert answer == b"" or answer.split(b" ")[1] in (b"400", b"403", b"404", b"302"), (path, answer[:100])


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 60_000, b'{"a":' * 10_000, b'"' + b"\\ud800" * 5000 + b'"', b"\xff\xfe\x00", b'{"a":1' + b" " * 60_000,
        b"1e999999", b"-", b'{"numbers":["\\u0000"]}', b'{"numbers":[' + b'"081234567890",' * 4000 + b'""]}',
        b'{"reason":"' + b"x" * 60_000 + b'"}', b'{"numbers":["0812"],"numbers":["0813"]}', b"NaN", b"null", b"",
        b"x" * 70_000,
    ],
    ids=lambda one: repr(bytes(one[:16])),
)  # fmt: skip
async def test_any_body_is_refused(house: House, body: bytes) -> None:
    boss = await house.signed_in("boss", Role.ADMIN)
    for method, path in (
        ("POST", "/stops"), ("POST", "/campaigns"), ("PATCH", f"/campaigns/{FIRST}"), ("POST", "/users"),
        ("POST", f"/debtors/{'0' * 32}/notes"),
    ):  # fmt: skip
        house.clock.at += 10
        answer = await boss.ask(method, path, body, headers={"Content-Type": "application/json"})
        assert 400 <= answer.status < 500, (path, answer.status, answer.body)
        assert answer.headers["Content-Type"].startswith("application/problem+json")
    assert (await house.store.told_stops(9)) == []
