"""Who am I, signing in and out; users, tokens and the audit for administrators."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from dialer.model import CAMPAIGN_ID
from dialer.users import PASSWORD_MAX, USER_NAME, ApiToken, Phone, Role, Session, Step, User
from dialer.web.access import RIGHTS, Right
from dialer.web.accounts import CAMPAIGNS_MAX, Accounts, code_address, code_picture, next_step, token_for
from dialer.web.doors import Office
from dialer.web.pages import home_of
from dialer.web.problems import Problem
from dialer.web.route import Asked, Replay, Route

TOKEN_DAYS_MAX = 366
Secret = Annotated[str, Meta(max_length=PASSWORD_MAX * 4)]


class SignIn(msgspec.Struct, forbid_unknown_fields=True):
    """Name and password."""

    name: Annotated[str, Meta(max_length=100)]
    password: Secret


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    """Instead of the one-time password."""

    password: Secret


class ChangePassword(msgspec.Struct, forbid_unknown_fields=True):
    """One's own, at any time."""

    old: Secret
    password: Secret


class Code(msgspec.Struct, forbid_unknown_fields=True):
    """Six digits of the code generator."""

    code: Annotated[str, Meta(max_length=20)]


class Me(msgspec.Struct):
    """Who is signed in, and what is left to do: `step` password, enrol, code or done. `csrf` goes with every change."""

    name: str
    role: Role
    step: Step
    csrf: str
    agent: str
    phone: Phone
    rights: list[str]
    home: str
    agent_fields: list[str]


class Enrolment(msgspec.Struct):
    """What a code generator is given: the secret as text, as otpauth address, as QR code in SVG."""

    secret: str
    address: str
    picture: str


Campaigns = Annotated[list[Annotated[str, Meta(pattern=f"^{CAMPAIGN_ID.pattern}$")]], Meta(max_length=CAMPAIGNS_MAX)]


class UserShown(msgspec.Struct):
    """A user without his secrets."""

    name: str
    role: Role
    agent: str
    phone: Phone
    enrolled: bool
    waits_for_first_sign_in: bool
    made_at: datetime
    signed_in_at: datetime | None
    campaigns: list[str] = []


class UserList(msgspec.Struct):
    """All of them, by name."""

    users: list[UserShown]


class NewUser(msgspec.Struct, forbid_unknown_fields=True):
    """Who may sign in from now on. `agent`: an extension of 2 to 10 digits; `campaigns`: those that he serves, the one
    he prefers first; empty: any, as he chooses."""

    name: Annotated[str, Meta(pattern=f"^{USER_NAME.pattern}$")]
    role: Role
    agent: Annotated[str, Meta(pattern="^([0-9]{2,10})?$")] = ""
    phone: Phone = Phone.BROWSER
    campaigns: Campaigns = []


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    """What is left out stays."""

    role: Role | None = None
    agent: Annotated[str, Meta(pattern="^([0-9]{2,10})?$")] | None = None
    phone: Phone | None = None
    campaigns: Campaigns | None = None


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    """`enrol_again`: the code generator is lost, too."""

    enrol_again: bool = False


class OneTime(msgspec.Struct):
    """A password that is shown once, changed at the first sign-in, and ends by itself."""

    name: str
    one_time_password: str
    until: datetime


class TokenShown(msgspec.Struct):
    """A token without its secret."""

    id: str
    name: str
    rights: list[str]
    made_by: str
    made_at: datetime
    until: datetime | None


class TokenList(msgspec.Struct):
    """All of them, by name."""

    tokens: list[TokenShown]


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    """For a program. `rights`: words such as outcomes:see."""

    name: Annotated[str, Meta(pattern=f"^{USER_NAME.pattern}$")]
    rights: Annotated[list[Annotated[str, Meta(max_length=40)]], Meta(min_length=1, max_length=60)]
    days: Annotated[int, Meta(ge=1, le=TOKEN_DAYS_MAX)] = 90


class TokenOnce(msgspec.Struct):
    """`token` is shown this once: Authorization: Bearer TOKEN."""

    id: str
    token: str


class AuditQuery(msgspec.Struct, forbid_unknown_fields=True):
    """`before`: an entry's id, for the page after."""

    count: Annotated[int, Meta(ge=1, le=500)] = 100
    before: Annotated[str, Meta(pattern="^([0-9]{1,20}-[0-9]{1,20})?$")] = ""


class AuditEntry(msgspec.Struct):
    """Who did what to whom, from where, and what came of it."""

    id: str
    at: datetime
    who: str
    role: str
    what: str
    target: str
    address: str
    status: int
    note: str


class AuditPage(msgspec.Struct):
    """Newest first. `next`: the `before` of the page after; empty: there is none."""

    entries: list[AuditEntry]
    next: str


class SessionShown(msgspec.Struct):
    """One browser. `here`: this one."""

    made_at: datetime
    address: str
    here: bool


class SessionList(msgspec.Struct):
    """One's own."""

    sessions: list[SessionShown]


class Closed(msgspec.Struct):
    """How many sessions were ended."""

    closed: int


# ---- signing in -----------------------------------------------------------------------------------------------------


async def sign_in(office: Office, asked: Asked[None, SignIn]) -> Me:
    """Throttled before the slow hash, by name and by address; an unknown name takes as long as a wrong password."""
    name = asked.body.name.strip().lower()
    await _take(office, asked, name)
    user = await office.users.user(name) if USER_NAME.fullmatch(name) else None
    asked.note = f"name={name}" if user else "unknown name"  # who types his password there is not written down
    if not await office.passwords.fits(user.password if user else "", asked.body.password) or user is None:
        raise Problem(401, "wrong", "Name or password is wrong.")
    if 0 < user.one_time_until <= asked.at:
        raise Problem(403, "one_time_over", "This one-time password has run out; ask for another one.")
    await office.throttle.give_back("name", name, asked.at)
    await office.throttle.give_back("address", asked.who.address, asked.at)
    if asked.session is not None:
        await office.sessions.close(asked.session)
    if office.passwords.is_old(user.password):
        after = replace(user, password=await office.passwords.hash(asked.body.password))
        await office.users.change(user, after)
        user = after
    return await _step(office, asked, user, next_step(user, None, office.config.web.second_factor), None)


async def _take(office: Office, asked: Asked[None, SignIn], name: str) -> None:
    wait_s = await office.throttle.take("address", asked.who.address, asked.at)
    if not wait_s:
        wait_s = await office.throttle.take("name", name, asked.at)
        if wait_s:
            await office.throttle.give_back("address", asked.who.address, asked.at)
    if wait_s:
        raise Problem(429, "too_many", "Too many tries; wait.", wait_s)


async def _step(
    office: Office, asked: Asked[None, Any], user: User, step: Step, session: Session | None
) -> Me:  # fmt: skip
    """The session for the next step, under a new id."""
    if step is Step.ENROL:
        user = await _accounts(office).begin_enrolment(user)
    if session is None:
        cookie, now = await office.sessions.open(user, step, asked.who.address, asked.at)
    else:
        cookie, now = await office.sessions.move(session, user, step, asked.at)
    if step is Step.DONE:
        after = replace(user, signed_in_at=asked.at)
        await office.users.change(user, after)
    asked.set_cookie = cookie
    return _me(office, user, now)


async def change_first(office: Office, asked: Asked[None, NewPassword]) -> Me:
    """In the step `password`."""
    user, session = await _in_step(office, asked, Step.PASSWORD)
    user = await _accounts(office).set_password(user, asked.body.password, asked.at)
    return await _step(office, asked, user, next_step(user, Step.PASSWORD, office.config.web.second_factor), session)


async def enrolment(office: Office, asked: Asked[None, None]) -> Enrolment:
    """In the step `enrol` only: once a code was shown the secret is not shown again."""
    user, _ = await _in_step(office, asked, Step.ENROL)
    return Enrolment(user.totp, code_address(user), code_picture(user))


async def show_code(office: Office, asked: Asked[None, Code]) -> Me:
    """In the steps `code` and `enrol`."""
    user, session = await _in_step(office, asked, Step.CODE, Step.ENROL)
    wait_s = await office.throttle.take("code", user.name, asked.at)
    if wait_s:
        raise Problem(429, "too_many", "Too many tries; wait.", wait_s)
    if not await _accounts(office).code_fits(user, asked.body.code, asked.at):
        raise Problem(422, "wrong_code", "This code is not the one of now, or has been used.")
    await office.throttle.give_back("code", user.name, asked.at)
    if not user.enrolled:
        after = replace(user, enrolled=True)
        await office.users.change(user, after)
        user = after
    return await _step(office, asked, user, Step.DONE, session)


async def sign_out(office: Office, asked: Asked[None, None]) -> None:
    """Harmless for who is not signed in."""
    if asked.session is not None:
        await office.sessions.close(asked.session)
    asked.set_cookie = ""


async def me(office: Office, asked: Asked[None, None]) -> Me:
    """In any step."""
    user, session = await _in_step(office, asked, *Step)
    return _me(office, user, session)


async def _in_step(office: Office, asked: Asked[None, Any], *steps: Step) -> tuple[User, Session]:
    session = asked.session
    if session is None:
        raise Problem(401, "not_signed_in", "Sign in first.")
    user = await office.users.user(session.user)
    if user is None or session.step not in steps:
        raise Problem(409, "other_step", "This is not the next step.", more={"step": session.step.value})
    return user, session


def _me(office: Office, user: User, session: Session) -> Me:
    rights = sorted(RIGHTS[user.role]) if session.step is Step.DONE else []
    return Me(
        user.name, user.role, session.step, session.csrf, user.agent, user.phone, [right.value for right in rights],
        home_of(user.role), list(office.config.web.agent_fields),
    )  # fmt: skip


async def change_own(office: Office, asked: Asked[None, ChangePassword]) -> Closed:
    """The other sessions end."""
    user, session = await _in_step(office, asked, Step.DONE)
    wait_s = await office.throttle.take("name", user.name, asked.at)
    if wait_s:
        raise Problem(429, "too_many", "Too many tries; wait.", wait_s)
    if not await office.passwords.fits(user.password, asked.body.old):
        raise Problem(422, "wrong", "The present password is wrong.")
    await office.throttle.give_back("name", user.name, asked.at)
    await _accounts(office).set_password(user, asked.body.password, asked.at)
    return Closed(await office.sessions.close_all(user.name, but=session.key))


async def own_sessions(office: Office, asked: Asked[None, None]) -> SessionList:
    """Where one is signed in."""
    user, here = await _in_step(office, asked, Step.DONE)
    found = await office.sessions.of(user.name)
    return SessionList([SessionShown(_time(one.made_at), one.address, one.key == here.key) for one in found])


async def close_others(office: Office, asked: Asked[None, None]) -> Closed:
    """Signed out everywhere else."""
    user, here = await _in_step(office, asked, Step.DONE)
    return Closed(await office.sessions.close_all(user.name, but=here.key))


# ---- users ----------------------------------------------------------------------------------------------------------


async def list_users(office: Office, asked: Asked[None, None]) -> UserList:
    """Without their secrets."""
    return UserList([_shown(one) for one in await office.users.users()])


async def add_user(office: Office, asked: Asked[None, NewUser]) -> OneTime:
    """His one-time password is shown this once."""
    new = asked.body
    asked.note = f"name={new.name} role={new.role.value} agent={new.agent}"
    user, shown = await _accounts(office).add(new.name, new.role, new.agent, new.phone, asked.at, new.campaigns)
    return OneTime(user.name, shown, _time(user.one_time_until))


async def change_user(office: Office, asked: Asked[None, UserChange]) -> UserShown:
    """His sessions end, unless only his campaigns change."""
    new, name = asked.body, asked.path["name"]
    await _is_there(office, name)
    asked.note = " ".join(
        f"{word}={getattr(new, word)}" for word in ("role", "agent", "phone", "campaigns") if getattr(new, word)
    )
    return _shown(await _accounts(office).change(name, new.role, new.agent, new.phone, asked.at, new.campaigns))


async def reset_user(office: Office, asked: Asked[None, Reset]) -> OneTime:
    """A new one-time password; his sessions end."""
    name = asked.path["name"]
    await _is_there(office, name)
    asked.note = "enrol again" if asked.body.enrol_again else ""
    shown = await _accounts(office).reset(name, asked.at, asked.body.enrol_again)
    return OneTime(name, shown, _time((await _accounts(office).known(name)).one_time_until))


async def remove_user(office: Office, asked: Asked[None, None]) -> None:
    """Not oneself, not the last administrator."""
    name = asked.path["name"]
    await _is_there(office, name)
    if name == asked.who.name:
        raise Problem(409, "oneself", "Have another administrator do that.")
    await _accounts(office).remove(name)


async def _is_there(office: Office, name: str) -> None:
    if not USER_NAME.fullmatch(name) or await office.users.user(name) is None:
        raise Problem(404, "no_user", "There is no such user.")


# ---- tokens and audit -----------------------------------------------------------------------------------------------


async def list_tokens(office: Office, asked: Asked[None, None]) -> TokenList:
    """Without their secrets."""
    return TokenList([_token(one) for one in await office.tokens.all()])


async def make_token(office: Office, asked: Asked[None, NewToken]) -> TokenOnce:
    """Shown this once."""
    new = asked.body
    asked.note = f"name={new.name} rights={' '.join(new.rights)}"
    shown = await office.tokens.make(token_for(new.name, new.rights, new.days, asked.who.name, asked.at))
    return TokenOnce(shown.split("_")[1], shown)


async def revoke_token(office: Office, asked: Asked[None, None]) -> None:
    """At once."""
    if not await office.tokens.revoke(asked.path["token"]):
        raise Problem(404, "no_token", "There is no such token.")


async def read_audit(office: Office, asked: Asked[AuditQuery, None]) -> AuditPage:
    """Every change, and every try to sign in."""
    query = asked.query
    found = await office.audit.read(query.count, query.before)
    entries = [
        AuditEntry(entry, _time(one.at), one.who, one.role, one.what, one.target, one.address, one.status, one.note)
        for entry, one in found
    ]
    return AuditPage(entries, entries[-1].id if len(entries) == query.count else "")


def _accounts(office: Office) -> Accounts:
    return Accounts(office.users, office.sessions, office.passwords)


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _shown(user: User) -> UserShown:
    signed_in = _time(user.signed_in_at) if user.signed_in_at else None
    return UserShown(
        user.name, user.role, user.agent, user.phone, user.enrolled, user.one_time_until > 0, _time(user.made_at),
        signed_in, list(user.campaigns),
    )  # fmt: skip


def _token(token: ApiToken) -> TokenShown:
    until = _time(token.until) if token.until else None
    return TokenShown(token.id, token.name, list(token.rights), token.made_by, _time(token.made_at), until)


WRONG = ((401, "wrong"), (403, "one_time_over"))
SHOWN = ((409, "shown_once"),)
STEP = ((401, "not_signed_in"), (409, "other_step"))

ROUTES = (
    Route("POST", "/sign-in", None, sign_in, "Sign in", takes=SignIn, gives=Me, signed=True, cost=0,
          once=Replay.NO, problems=WRONG),
    Route("POST", "/sign-in/password", None, change_first, "Change the one-time password", takes=NewPassword, gives=Me,
          once=Replay.NO, problems=STEP),
    Route("GET", "/sign-in/enrolment", None, enrolment, "The secret for a code generator", gives=Enrolment,
          problems=STEP),
    Route("POST", "/sign-in/code", None, show_code, "Show a code", takes=Code, gives=Me, once=Replay.NO,
          problems=STEP),
    Route("POST", "/sign-out", None, sign_out, "Sign out", once=Replay.NO),
    Route("GET", "/me", None, me, "Who is signed in", gives=Me, problems=STEP),
    Route("POST", "/me/password", Right.SELF, change_own, "Change one's own password", takes=ChangePassword,
          gives=Closed),
    Route("GET", "/me/sessions", Right.SELF, own_sessions, "Where one is signed in", gives=SessionList),
    Route("POST", "/me/sessions/close", Right.SELF, close_others, "Sign out everywhere else", gives=Closed),
    Route("GET", "/users", Right.USERS_SEE, list_users, "Who may sign in", gives=UserList),
    Route("POST", "/users", Right.USERS_CHANGE, add_user, "One more user", takes=NewUser, gives=OneTime, status=201,
          once=Replay.DONE, problems=SHOWN),
    Route("PATCH", "/users/{name}", Right.USERS_CHANGE, change_user, "Change role, extension or phone",
          takes=UserChange, gives=UserShown),
    Route("POST", "/users/{name}/reset", Right.USERS_CHANGE, reset_user, "A new one-time password", takes=Reset,
          gives=OneTime, once=Replay.DONE, problems=SHOWN),
    Route("DELETE", "/users/{name}", Right.USERS_CHANGE, remove_user, "Remove a user"),
    Route("GET", "/tokens", Right.TOKENS_CHANGE, list_tokens, "Programs' tokens", gives=TokenList),
    Route("POST", "/tokens", Right.TOKENS_CHANGE, make_token, "One more token", takes=NewToken, gives=TokenOnce,
          status=201, once=Replay.DONE, problems=SHOWN),
    Route("DELETE", "/tokens/{token}", Right.TOKENS_CHANGE, revoke_token, "Revoke a token"),
    Route("GET", "/audit", Right.AUDIT_SEE, read_audit, "Who changed what", query=AuditQuery, gives=AuditPage),
)  # fmt: skip
