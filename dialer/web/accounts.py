"""Users and their passwords, for the API and the command line alike: made, reset, changed, removed, enrolled."""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import pyotp
import segno

from dialer.errors import BadInput
from dialer.model import AGENT_ID, CAMPAIGN_ID
from dialer.users import ONE_TIME_DAYS, USER_NAME, ApiToken, Phone, Role, Step, User, one_time_password, password_fault
from dialer.web.access import FOR_TOKENS
from dialer.web.doors import Passwords, Sessions, Users

ISSUER = "Santun"
CODE_S = 30
DAY_S = 86400.0
CAMPAIGNS_MAX = 20


@dataclass(frozen=True, slots=True)
class Accounts:
    """Who may sign in, and how."""

    users: Users
    sessions: Sessions
    passwords: Passwords

    async def known(self, name: str) -> User:
        """Raises BadInput where there is no such user."""
        user = await self.users.user(name) if USER_NAME.fullmatch(name) else None
        if user is None:
            raise BadInput(f"there is no user {name[:40]!r}.")
        return user

    async def add(
        self, name: str, role: Role, agent: str, phone: Phone, at: float, campaigns: Sequence[str] = ()
    ) -> tuple[User, str]:
        """(the user, his one-time password). Raises BadInput."""
        if not USER_NAME.fullmatch(name):
            raise BadInput("name: use 2 to 40 of a-z, 0-9, dot, - and _, a letter first.")
        _check(role, agent, campaigns)
        shown = one_time_password(secrets.token_bytes(20))
        user = User(
            name, role, await self.passwords.hash(shown), agent, phone, at + ONE_TIME_DAYS * DAY_S, made_at=at,
            changed_at=at, campaigns=tuple(campaigns),
        )  # fmt: skip
        await self.users.add(user)
        return user, shown

    async def reset(self, name: str, at: float, enrol_again: bool) -> str:
        """A new one-time password; his sessions end. `enrol_again`: his code generator is lost, too."""
        user = await self.known(name)
        shown = one_time_password(secrets.token_bytes(20))
        after = replace(
            user, password=await self.passwords.hash(shown), one_time_until=at + ONE_TIME_DAYS * DAY_S, changed_at=at
        )
        if enrol_again:
            after = replace(after, totp="", enrolled=False)
        await self.users.change(user, after)
        await self.sessions.close_all(name)
        return shown

    async def change(
        self, name: str, role: Role | None, agent: str | None, phone: Phone | None, at: float,
        campaigns: Sequence[str] | None = None,
    ) -> User:  # fmt: skip
        """Another role, extension or phone: his sessions end, for they stand for what he was. Or other campaigns."""
        user = await self.known(name)
        after = replace(
            user,
            role=user.role if role is None else role,
            agent=user.agent if agent is None else agent,
            phone=user.phone if phone is None else phone,
            campaigns=user.campaigns if campaigns is None else tuple(campaigns),
            changed_at=at,
        )
        _check(after.role, after.agent, after.campaigns)
        if after.role is not Role.ADMIN:
            await self._is_not_last(user)
        await self.users.change(user, after)
        if (user.role, user.agent, user.phone) != (after.role, after.agent, after.phone):
            await self.sessions.close_all(name)
        return after

    async def remove(self, name: str) -> None:
        """He signs in no more. Raises BadInput for the last administrator."""
        user = await self.known(name)
        await self._is_not_last(user)
        await self.users.remove(user)
        await self.sessions.close_all(name)

    async def set_password(self, user: User, password: str, at: float) -> User:
        """His own choice. Raises BadInput with what is wrong with it."""
        if fault := password_fault(password, user.name):
            raise BadInput(fault)
        if await self.passwords.fits(user.password, password):
            raise BadInput("Choose another one than the present.")
        hashed = await self.passwords.hash(password)
        after = replace(user, password=hashed, one_time_until=0.0, changed_at=at)
        await self.users.change(user, after)
        return after

    async def begin_enrolment(self, user: User) -> User:
        """With a secret for his code generator, if he has none."""
        if user.totp:
            return user
        after = replace(user, totp=pyotp.random_base32())
        await self.users.change(user, after)
        return after

    async def code_fits(self, user: User, code: str, at: float) -> bool:
        """Whether it is his code of now, of the half minute before or after, and has not been used."""
        clean = code.replace(" ", "")
        if not user.totp or len(clean) != 6 or not (clean.isascii() and clean.isdigit()):
            return False
        now = int(at // CODE_S)
        try:
            codes = [(counter, pyotp.HOTP(user.totp).at(counter)) for counter in (now, now - 1, now + 1)]
        except ValueError:  # sealed by a key that is not here
            return False
        for counter, code_then in codes:
            if secrets.compare_digest(code_then, clean):
                return not await self.users.code_used(user.name, counter)
        return False

    async def _is_not_last(self, user: User) -> None:
        if user.role is Role.ADMIN and sum(one.role is Role.ADMIN for one in await self.users.users()) == 1:
            raise BadInput("he is the last administrator: make another one first.")


def next_step(user: User, after: Step | None = None, codes: bool = True) -> Step:
    """What is still to be done after a step; None: after the password. `codes`: supervisors show one."""
    if user.one_time_until > 0:
        return Step.PASSWORD
    if codes and user.wants_code and after not in (Step.CODE, Step.ENROL):
        return Step.CODE if user.enrolled else Step.ENROL
    return Step.DONE


def code_address(user: User) -> str:
    """What a code generator reads."""
    return pyotp.TOTP(user.totp).provisioning_uri(name=user.name, issuer_name=ISSUER)


def code_picture(user: User) -> str:
    """The same as a QR code, in SVG without any script or style."""
    return segno.make(code_address(user), error="m").svg_inline(scale=4, svgclass=None, lineclass=None)


def token_for(name: str, rights: Iterable[str], days: int, by: str, at: float) -> ApiToken:
    """A program's, still without id and secret. Raises BadInput for a word that is no token's right."""
    known = {right.value for right in FOR_TOKENS}
    wanted = tuple(sorted(set(rights)))
    if not USER_NAME.fullmatch(name):
        raise BadInput("name: use 2 to 40 of a-z, 0-9, dot, - and _, a letter first.")
    if unknown := [right for right in wanted if right not in known]:
        raise BadInput(f"{', '.join(unknown)}: no right of a token; use some of {', '.join(sorted(known))}.")
    if not wanted:
        raise BadInput(f"rights: use some of {', '.join(sorted(known))}.")
    return ApiToken("", name, "", wanted, by, at, at + days * DAY_S)


def _check(role: Role, agent: str, campaigns: Sequence[str]) -> None:
    wrong = [name for name in campaigns if not CAMPAIGN_ID.fullmatch(name)]
    if wrong or len(set(campaigns)) != len(campaigns) or len(campaigns) > CAMPAIGNS_MAX:
        raise BadInput(f"campaigns: use ids of campaigns, each once, at most {CAMPAIGNS_MAX}.")
    if campaigns and not agent:
        raise BadInput("campaigns: only who has an extension serves campaigns.")
    if role is Role.TOKEN:
        raise BadInput("role: use agent, supervisor or admin; for a program make a token.")
    if agent and not AGENT_ID.fullmatch(agent):
        raise BadInput("agent: use an extension of 2 to 10 digits.")
    if role is Role.AGENT and not agent:
        raise BadInput("agent: an agent needs an extension of 2 to 10 digits.")
