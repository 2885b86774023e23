"""Signing in: passwords, codes, throttles, sessions, and that nothing is told to who guesses."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from yarl import URL

from dialer.adapters.passwords import HashPool
from dialer.adapters.redis_link import Link
from dialer.config import Web
from dialer.users import Role, User
from tests.web.house import PASSWORD, House, opened

pytestmark = pytest.mark.redis


async def test_the_first_sign_in_of_a_supervisor(house: House) -> None:
    """One-time password, own password, enrolment with picture, and then he is in."""
    shown = await house.user("sari", Role.SUPERVISOR, enrolled=False)
    client = house.client()
    answer = await client.enter("Sari ", shown)
    assert (answer.status, answer.body["step"], answer.body["rights"]) == (200, "password", [])
    assert (await client.get("/sign-in/enrolment")).kind == "other_step"
    assert (await client.step("/sign-in/password", {"password": "short"})).kind == "bad_input"
    assert (await client.step("/sign-in/password", {"password": shown})).status == 422  # another than the present one
    answer = await client.step("/sign-in/password", {"password": PASSWORD})
    assert answer.body["step"] == "enrol"
    told = (await client.get("/sign-in/enrolment")).body
    assert told["address"].startswith("otpauth://totp/Santun:sari?secret=" + told["secret"])
    assert told["picture"].startswith("<svg")
    assert "style" not in told["picture"]
    assert (await client.step("/sign-in/code", {"code": "000000"})).kind == "wrong_code"
    answer = await client.step("/sign-in/code", {"code": await house.code("sari")})
    assert answer.body["step"] == "done"
    assert "campaigns:run" in answer.body["rights"]
    assert "users:change" not in answer.body["rights"]
    assert (await client.get("/sign-in/enrolment")).kind == "other_step"  # shown once
    assert (await client.get("/me")).body["home"] == "/board"
    again = house.client()
    assert (await again.enter("sari", shown)).kind == "wrong"  # the one-time password is gone
    assert (await again.enter("sari", PASSWORD)).body["step"] == "code"


async def test_a_code_serves_once(house: House) -> None:
    await house.signed_in("sari", Role.SUPERVISOR)
    code = await house.code("sari")
    client = house.client()
    await client.enter("sari", PASSWORD)
    assert (await client.step("/sign-in/code", {"code": code})).kind == "wrong_code"
    house.clock.at += 30
    assert (await client.step("/sign-in/code", {"code": await house.code("sari")})).body["step"] == "done"


async def test_codes_cannot_be_tried_for_long(house: House) -> None:
    await house.user("sari", Role.SUPERVISOR)
    client = house.client()
    await client.enter("sari", PASSWORD)
    right = await house.code("sari")
    wrong = [f"{number:06d}" for number in range(20) if f"{number:06d}" != right][:6]
    found = [await client.step("/sign-in/code", {"code": code}) for code in wrong]
    assert [one.kind for one in found] == ["wrong_code"] * 5 + ["too_many"]
    assert (await client.step("/sign-in/code", {"code": right})).kind == "too_many"  # nor is the right one told


async def test_nothing_tells_whether_a_name_is_there(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The same words, the same headers, and the same slow hash is made in either case."""
    await house.user("sari", Role.AGENT, "1001")
    checked: list[str] = []
    verify = HashPool._verify

    def noted(pool: HashPool, hashed: str, password: str) -> bool:
        checked.append(hashed.rsplit("$", 2)[0])
        return verify(pool, hashed, password)

    monkeypatch.setattr(HashPool, "_verify", noted)
    answers = []
    for name in ("sari", "nobody"):
        answer = await house.client().enter(name, "not the password at all")
        answers.append((answer.status, answer.body, sorted(answer.headers)))
    assert answers[0] == answers[1]
    assert checked == ["$argon2id$v=19$m=32768,t=3,p=1"] * 2


async def test_an_old_hash_is_made_anew_at_sign_in(house: House) -> None:
    weak = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    await house.office.users.add(User("sari", Role.AGENT, weak, "1001"))
    assert (await house.client().enter("sari", PASSWORD)).status == 200
    user = await house.office.users.user("sari")
    assert user is not None
    assert "m=32768" in user.password
    assert (await house.client().enter("sari", PASSWORD)).status == 200


async def test_wrong_passwords_are_slowed_down_and_then_forgiven(house: House) -> None:
    await house.user("sari", Role.AGENT, "1001")
    found = [await house.client().enter("sari", f"wrong password no {turn}") for turn in range(6)]
    assert [one.kind for one in found] == ["wrong"] * 5 + ["too_many"]
    wait_s = int(found[-1].headers["Retry-After"])
    assert 0 < wait_s <= 31
    assert (await house.client().enter("sari", PASSWORD)).status == 429
    house.clock.at += wait_s
    assert (await house.client().enter("sari", PASSWORD)).status == 200


async def test_names_that_are_not_there_are_throttled_alike(house: House) -> None:
    found = [(await house.client().enter("nobody", "wrong")).status for _ in range(6)]
    assert found == [401] * 5 + [429]


async def test_an_address_is_throttled_over_all_names(house: House) -> None:
    for _ in range(100):
        await house.office.throttle.take("address", "127.0.0.1", house.clock.now())
    assert (await house.client().enter("sari", "wrong")).kind == "too_many"
    house.clock.at += 11
    assert (await house.client().enter("sari", "wrong")).kind == "wrong"


async def test_a_one_time_password_ends(house: House) -> None:
    shown = await house.user("sari", Role.AGENT, "1001", enrolled=False)
    house.clock.at += 8 * 86400
    assert (await house.client().enter("sari", shown)).kind == "one_time_over"


async def test_a_session_ends_when_idle_and_in_the_end(house: House) -> None:
    client = await house.signed_in("budi", Role.AGENT, "1001")
    raw = client.http.cookie_jar.filter_cookies(URL(house.base))
    assert len(raw["santun"].value) == 43  # 256 bits
    link = Link(house.redis.url)
    keys = [key.decode() for key in await link.one(("KEYS", "{s:*"))]
    assert not any(raw["santun"].value in key for key in keys)  # hashed
    [session] = [key for key in keys if key.endswith(":session")]
    assert 3500 < await link.one(("TTL", session)) <= 3600
    for _ in range(13):
        house.clock.at += 3599
        last = await client.get("/me")
    assert last.kind == "not_signed_in"  # after 12 hours, busy or not
    await link.close()


async def test_the_cookie_is_out_of_reach_of_scripts_and_of_other_sites(house: House) -> None:
    await house.user("budi", Role.AGENT, "1001")
    answer = await house.client().enter("budi", PASSWORD)
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


async def test_each_step_has_a_session_id_of_its_own(house: House) -> None:
    await house.user("sari", Role.SUPERVISOR)
    client = house.client()
    first = (await client.enter("sari", PASSWORD)).headers["Set-Cookie"].split(";")[0]
    house.clock.at += 30
    await client.step("/sign-in/code", {"code": await house.code("sari")})
    stale = house.client()
    assert (await stale.get("/me", headers={"Cookie": first})).kind == "not_signed_in"


async def test_changes_need_the_csrf_token(house: House) -> None:
    client = await house.signed_in("ani", Role.ADMIN)
    new = {"name": "budi", "role": "agent", "agent": "1001"}
    right, client.csrf = client.csrf, ""
    assert (await client.post("/users", new)).kind == "csrf"
    client.csrf = "x" * len(right)
    assert (await client.post("/users", new)).kind == "csrf"
    client.csrf = right
    elsewhere = {"Origin": "http://evil.example"}
    assert (await client.post("/users", new, headers=elsewhere)).kind == "origin"
    assert (await client.post("/users", new, headers={"Origin": house.base})).status == 201


async def test_sign_out_ends_it_at_once(house: House) -> None:
    client = await house.signed_in("budi", Role.AGENT, "1001")
    cookie = client.http.cookie_jar.filter_cookies(URL(house.base))["santun"].value
    assert (await client.post("/sign-out")).status == 204
    assert (await house.client().get("/me", headers={"Cookie": f"santun={cookie}"})).kind == "not_signed_in"


async def test_a_new_password_ends_the_other_sessions(house: House) -> None:
    here = await house.signed_in("budi", Role.AGENT, "1001")
    there = house.client()
    await there.enter("budi", PASSWORD)
    assert len((await here.get("/me/sessions")).body["sessions"]) == 2
    change = {"old": "no", "password": "another quiet river"}
    assert (await here.post("/me/password", change)).kind == "wrong"
    assert (await here.post("/me/password", change | {"old": PASSWORD})).body == {"closed": 1}
    assert (await there.get("/me")).status == 401
    assert (await here.get("/me")).status == 200


async def test_behind_a_stated_proxy_the_cookie_is_secure(tmp_path: Path) -> None:
    web = Web(listen="127.0.0.1:0", proxies=("127.0.0.1",), hosts=("dialer.example",))
    async with opened(tmp_path, web) as house:
        await house.user("budi", Role.AGENT, "1001")
        client = house.client()
        client.headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "8.8.8.8, 203.0.113.7",
                          "Host": "dialer.example"}  # fmt: skip
        answer = await client.enter("budi", PASSWORD)
        assert answer.headers["Set-Cookie"].startswith("__Host-santun=")
        assert "secure" in answer.headers["Set-Cookie"].lower()
        assert "max-age" in answer.headers["Strict-Transport-Security"]
        [(_, deed)] = await house.office.audit.read(10)
        assert deed.address == "203.0.113.7"  # the last one: what the proxy itself saw


async def test_on_loopback_the_operator_may_do_without_codes(tmp_path: Path) -> None:
    async with opened(tmp_path, Web(listen="127.0.0.1:0", second_factor=False)) as house:
        shown = await house.user("sari", Role.SUPERVISOR, enrolled=False)
        client = house.client()
        assert (await client.enter("sari", shown)).body["step"] == "password"
        assert (await client.step("/sign-in/password", {"password": PASSWORD})).body["step"] == "done"
