"""Users, tokens and the audit, through the API and the command line; who may and who may not."""

from pathlib import Path
from typing import Any

import pytest

from dialer.adapters.redis_link import Link
from dialer.adapters.site import OpenSite
from dialer.commands import users as commands
from dialer.errors import BadInput
from dialer.users import ApiToken, Phone, Role, User, one_time_password, password_fault
from dialer.web.access import RIGHTS, Right, Who, fields_for, number_for
from dialer.web.api import tables
from tests.web.house import PASSWORD, House


@pytest.mark.parametrize(
    "password",
    ["short", "elevenchars", "x" * 129, "this is budi's one", "we love santun calls", "passwordpassword",
     "aaaaaaaaaaaaaa", "123456789012", "987654321098", "abcdefghijklmnop", "line\nbreak and more", "ababababababab"],
)  # fmt: skip
def test_passwords_that_are_refused(password: str) -> None:
    assert password_fault(password, "budi")


@pytest.mark.parametrize("password", [PASSWORD, "correct horse battery", "kucing makan ikan", "Þorn und Öl im Haus"])
def test_passwords_that_do(password: str) -> None:
    assert not password_fault(password, "budi")


def test_a_one_time_password_is_a_password() -> None:
    shown = one_time_password(bytes(range(20)))
    assert len(shown) == 23
    assert not password_fault(shown, "budi")
    assert one_time_password(bytes(range(1, 21))) != shown


def test_rights_of_the_roles() -> None:
    assert RIGHTS[Role.AGENT] == {Right.SELF, Right.DESK}
    assert not RIGHTS[Role.TOKEN]
    assert Right.USERS_CHANGE not in RIGHTS[Role.SUPERVISOR]
    assert RIGHTS[Role.SUPERVISOR] < RIGHTS[Role.ADMIN]
    assert not Who("ani", Role.ADMIN, RIGHTS[Role.ADMIN]).may(Right.DESK)  # no extension, no desk


def test_an_agent_sees_what_the_operator_allows() -> None:
    agent = Who("budi", Role.AGENT, RIGHTS[Role.AGENT], "1001")
    boss = Who("sari", Role.SUPERVISOR, RIGHTS[Role.SUPERVISOR])
    account = {"name": "Budi", "account": "77", "outstanding": 5}
    assert fields_for(agent, account, ["name", "outstanding"]) == {"name": "Budi", "outstanding": 5}
    assert fields_for(boss, account, ["name"]) == account
    assert number_for(agent, "+6281234567890") == "***********890"
    assert number_for(boss, "+6281234567890") == "+6281234567890"


# ---- through the API ------------------------------------------------------------------------------------------------

USER = {"name": "budi", "role": "agent", "agent": "1001"}


@pytest.mark.redis
async def test_an_administrator_looks_after_users(house: House) -> None:
    ani = await house.signed_in("ani", Role.ADMIN)
    made = await ani.post("/users", USER)
    assert made.status == 201
    assert (await ani.post("/users", USER)).kind == "bad_input"
    assert "budi" in (await ani.post("/users", USER | {"name": "other"})).body["detail"]  # his extension
    shown = {one["name"]: one for one in (await ani.get("/users")).body["users"]}
    assert shown["budi"]["waits_for_first_sign_in"]
    assert "password" not in str(shown).lower()
    budi = house.client()
    await budi.enter("budi", made.body["one_time_password"])
    assert (await budi.step("/sign-in/password", {"password": PASSWORD})).body["rights"] == ["desk", "self"]
    assert (await budi.get("/users")).kind == "not_allowed"
    changed = await ani.ask("PATCH", "/users/budi", {"role": "supervisor", "agent": ""})
    assert (changed.body["role"], changed.body["agent"]) == ("supervisor", "")
    assert (await budi.get("/me")).status == 401  # his session stood for another role
    assert (await ani.post("/users", USER | {"name": "citra"})).status == 201  # the extension is free again
    assert (await ani.post("/users/budi/reset", {})).body["one_time_password"]
    assert (await house.client().enter("budi", PASSWORD)).kind == "wrong"
    assert (await ani.ask("DELETE", "/users/budi")).status == 204
    assert (await ani.ask("DELETE", "/users/budi")).kind == "no_user"
    assert (await ani.ask("DELETE", "/users/ani")).kind == "oneself"
    assert (await ani.ask("PATCH", "/users/ani", {"role": "supervisor"})).kind == "bad_input"  # the last one


@pytest.mark.redis
@pytest.mark.parametrize(
    "body",
    [
        {"name": "Budi", "role": "agent", "agent": "1001"}, {"name": "budi", "role": "king"},
        {"name": "budi", "role": "agent", "agent": "1"}, {"name": "budi", "role": "agent"},
        {"name": "budi", "role": "token"}, {"name": "budi", "role": "admin", "password": "chosen for him"}, [], "x", 1,
        {"name": {"x": 1}, "role": "agent"},
    ],
)  # fmt: skip
async def test_users_that_are_refused(house: House, body: Any) -> None:
    ani = await house.signed_in("ani", Role.ADMIN)
    answer = await ani.post("/users", body)
    assert answer.status == 422
    assert answer.kind in ("bad_body", "bad_input")


@pytest.mark.redis
async def test_a_token_does_what_it_is_for_and_no_more(house: House) -> None:
    ani = await house.signed_in("ani", Role.ADMIN)
    new = {"name": "ledger", "rights": ["outcomes:see", "audit:see"], "days": 2}
    made = (await ani.post("/tokens", new)).body
    link = Link(house.redis.url)
    kept = await link.one(("HGETALL", "santun:tokens"))
    assert made["token"].split("_")[2].encode() not in b"".join(kept)  # a hash of it
    await link.close()
    program = house.client()
    program.token = made["token"]
    assert (await program.get("/audit")).status == 200
    assert (await program.get("/users")).kind == "not_allowed"
    assert (await program.get("/me")).status == 401
    assert (await ani.post("/tokens", new | {"rights": ["users:change"]})).kind == "bad_input"
    for bad in (made["token"][:-1] + "x", "santun_" + "0" * 12 + "_" + "0" * 64, "x", ""):
        program.token = bad or "-"
        assert (await program.get("/audit")).kind == "bad_token"
    program.token = made["token"]
    house.clock.at += 2 * 86400
    assert (await program.get("/audit")).kind == "bad_token"  # its time is over
    ani = await house.signed_in("anita", Role.ADMIN)
    other = (await ani.post("/tokens", new)).body
    program.token = other["token"]
    assert (await program.get("/audit")).status == 200
    assert (await ani.ask("DELETE", f"/tokens/{other['id']}")).status == 204
    assert (await program.get("/audit")).kind == "bad_token"
    assert {one["id"] for one in (await ani.get("/tokens")).body["tokens"]} == {made["id"]}


@pytest.mark.redis
async def test_what_is_shown_once_is_kept_nowhere(house: House) -> None:
    """Not even for its idempotency key; and a sign-in's answer is nobody else's."""
    ani = await house.signed_in("ani", Role.ADMIN)
    link = Link(house.redis.url)
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("/users", USER), ("/users/budi/reset", {}), ("/tokens", {"name": "ledger", "rights": ["audit:see"]}),
    )  # fmt: skip
    for path, body in asked:
        key = {"Idempotency-Key": f"once for {path}"}
        first = await ani.post(path, body, headers=key)
        assert first.status in (200, 201)
        assert (await ani.post(path, body, headers=key)).kind == "shown_once"
        secret = (first.body.get("token") or first.body["one_time_password"]).rpartition("_")[2].encode()
        for name in await link.one(("KEYS", "*")):
            assert secret not in (await link.one(("DUMP", name)))
    assert len((await ani.get("/tokens")).body["tokens"]) == 1
    key = {"Idempotency-Key": "of the first browser", "X-CSRF-Token": ""}
    await house.user("citra", Role.AGENT, "1005")
    body = {"name": "citra", "password": PASSWORD}
    first, second = [(await house.client().post("/sign-in", body, headers=key)) for _ in range(2)]
    assert (first.status, second.status) == (200, 200)
    assert first.body["csrf"] != second.body["csrf"]
    await link.close()


@pytest.mark.redis
async def test_every_change_is_in_the_audit_without_secrets(house: House) -> None:
    ani = await house.signed_in("ani", Role.ADMIN)
    await house.client().enter("ani", "not his password")
    await house.client().enter(PASSWORD, "typed into the wrong field")
    made = await ani.post("/users", USER)
    await ani.ask("DELETE", "/users/nobody")
    entries = (await ani.get("/audit")).body["entries"]
    told = [(one["who"], one["what"], one["target"], one["status"]) for one in entries]
    assert told[:2] == [
        ("ani", "DELETE /users/{name}", "name=nobody", 404),
        ("ani", "POST /users", "", 201),
    ]
    assert entries[1]["note"] == "name=budi role=agent agent=1001"
    assert entries[0]["address"] == "127.0.0.1"
    assert {one["note"] for one in entries if one["what"] == "POST /sign-in"} == {"name=ani", "unknown name"}
    assert made.body["one_time_password"] not in str(entries)
    assert PASSWORD not in str(entries)
    first = (await ani.get("/audit?count=2")).body
    second = (await ani.get(f"/audit?count=2&before={first['next']}")).body
    assert [one["id"] for one in entries[:4]] == [one["id"] for one in first["entries"] + second["entries"]]
    assert (await (await house.signed_in("sari", Role.SUPERVISOR)).get("/audit")).kind == "not_allowed"


@pytest.mark.redis
async def test_every_route_is_closed_to_who_may_not(house: House) -> None:
    """With no session: 401; in a session that is not done with its steps, and for a token without rights: 403."""
    nobody, weak = house.client(), await house.program()
    half = house.client()
    await half.enter("sari", await house.user("sari", Role.SUPERVISOR))
    for table in tables().values():
        for route in table:
            if route.right is None:
                continue
            path = route.path.replace("{campaign}", "april").replace("{", "").replace("}", "")
            for client, status in ((nobody, 401), (half, 403), (weak, 403)):
                house.clock.at += 1  # the number of requests is limited, too
                answer = await client.ask(route.method, path)
                assert answer.status == status, (route.method, path, answer.body)


# ---- from the machine -----------------------------------------------------------------------------------------------


def said(capsys: pytest.CaptureFixture[str], begins: str) -> str:
    """The rest of the line that begins so."""
    return next(line.removeprefix(begins) for line in capsys.readouterr().out.split("\n") if line.startswith(begins))


@pytest.mark.redis
async def test_the_command_line(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    site = OpenSite(house.office.config, house.store, house.clock)  # type: ignore[arg-type] # a clock moved by hand
    await commands.add(site, "ani", Role.ADMIN, "", Phone.BROWSER)
    shown = said(capsys, "ani: ")
    assert (await house.client().enter("ani", shown)).body["step"] == "password"
    await commands.reset(site, "ani", True)
    again = said(capsys, "ani: ")
    assert (await house.client().enter("ani", shown)).kind == "wrong"
    assert (await house.client().enter("ani", again)).body["step"] == "password"
    with pytest.raises(BadInput):
        await commands.remove(site, "ani")  # the last administrator
    await commands.add(site, "budi", Role.AGENT, "1001", Phone.SIP)
    await commands.token(site, "ledger", ["outcomes:see"], 3)
    token = "santun_" + said(capsys, "santun_")
    found = await house.office.tokens.find(token, house.clock.now())
    assert found is not None
    await commands.listed(site)
    told = capsys.readouterr().out
    assert "budi" in told
    assert "outcomes:see" in told
    assert token not in told
    await commands.revoke(site, found[0].id)
    await commands.remove(site, "budi")
    assert await house.office.tokens.find(token, house.clock.now()) is None
    deeds = [deed for _, deed in await house.office.audit.read(100)]
    assert [one.what for one in deeds if one.who.startswith("shell:")] == [
        "user remove", "user revoke", "user token", "user add", "user reset", "user add",
    ]  # fmt: skip


@pytest.mark.redis
async def test_two_who_change_one_user_at_once(house: House) -> None:
    """The second is told; nothing is lost."""
    await house.user("budi", Role.AGENT, "1001")
    before = await house.office.users.user("budi")
    assert before is not None
    await house.accounts.change("budi", None, "1002", None, house.clock.now())
    with pytest.raises(BadInput):
        await house.office.users.change(before, User("budi", Role.AGENT, "x", "1003"))
    now = await house.office.users.user("budi")
    assert now is not None
    assert now.agent == "1002"
    await house.accounts.add("citra", Role.AGENT, "1001", Phone.BROWSER, house.clock.now())
    await house.accounts.add("dewi", Role.AGENT, "1003", Phone.BROWSER, house.clock.now())


def test_no_default_password_is_shipped() -> None:
    """A user is made with a hash of chance or not at all."""
    for path in (Path(__file__).parents[2] / "dialer").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert 'password="' not in text or path.name in ("sip.py",), path
    assert ApiToken("", "", "", (), "", 0.0).secret == ""
