"""Agents' one-time SIP passwords: pushed into Asterisk's memory by ARI at sign-in, taken away at sign-out."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

import aiohttp

from dialer.adapters.tls_faults import why
from dialer.dialplan import Context, endpoint
from dialer.errors import ActionRefused, BadInput, LinkDown
from dialer.model import AGENT_ID

LIMIT_S = 2.0
_PATH = "/asterisk/config/dynamic/res_pjsip"

Fields = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class AriSettings:
    """One node's ARI: `url` as in http://127.0.0.1:8088/ari. `media_address` empty: Asterisk chooses by route."""

    node: str
    url: str
    user: str
    password: str = field(repr=False)
    media_address: str = ""
    tls: ssl.SSLContext | None = None  # for https; none: by the system's CAs


class Ari:
    """Passwords of one Asterisk node; what is pushed lives until Asterisk ends, not a reload. Close it after use."""

    def __init__(self, settings: AriSettings) -> None:
        self.node: Final = settings.node
        self._settings = settings
        self._client: aiohttp.ClientSession | None = None

    async def push(self, agent: str, password: str) -> None:
        """He may register with this password and no other from now on. Raises LinkDown, ActionRefused, BadInput."""
        _check(agent)
        for kind, fields in objects(agent, password, self._settings.media_address).items():
            body = {"fields": [{"attribute": name, "value": value} for name, value in fields.items()]}
            await self._ask("PUT", kind, agent, body)

    async def take_away(self, agent: str) -> None:
        """No password is his any more; calls that are up go on. Harmless where there was none."""
        _check(agent)
        for kind in ("endpoint", "aor", "auth"):
            await self._ask("DELETE", kind, agent)

    async def check(self) -> None:
        """Whether it answers, and knows us. Raises LinkDown, ActionRefused."""
        if (status := await self._send("GET", "/asterisk/ping")) != HTTPStatus.OK:
            raise ActionRefused(f"ARI of {self.node} says {status} to {self._settings.user}.")

    async def knows(self, agent: str) -> bool:
        """Whether he could register now."""
        _check(agent)
        return await self._ask("GET", "endpoint", agent) != HTTPStatus.NOT_FOUND

    async def close(self) -> None:
        """Connections that are kept open."""
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _ask(self, method: str, kind: str, agent: str, body: object = None) -> int:
        status = await self._send(method, f"{_PATH}/{kind}/{endpoint(agent)}", body)
        gone = method != "PUT" and status == HTTPStatus.NOT_FOUND
        if status >= HTTPStatus.BAD_REQUEST and not gone:
            raise ActionRefused(f"ARI of {self.node} says {status} to the {kind} of agent {agent}.")
        return status

    async def _send(self, method: str, path: str, body: object = None) -> int:
        if self._client is None:
            who = aiohttp.encode_basic_auth(self._settings.user, self._settings.password)
            limit = aiohttp.ClientTimeout(total=LIMIT_S)
            trust = aiohttp.TCPConnector(ssl=self._settings.tls or True)
            self._client = aiohttp.ClientSession(headers={"Authorization": who}, timeout=limit, connector=trust)
        try:
            url = f"{self._settings.url.rstrip('/')}{path}"
            async with self._client.request(method, url, json=body) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError) as error:
            raise LinkDown(f"ARI of {self.node} does not answer: {why(error)}.") from None


def objects(agent: str, password: str, media_address: str = "") -> dict[str, Fields]:
    """What makes an agent in a browser, in the order in which Asterisk needs it.

    Fields are applied in their order: `disallow` after `allow` would leave a phone without any codec, which rings and
    is never answered. The values are those of [agent-webrtc] in asterisk-conf/pjsip.conf, which a push cannot name.
    """
    name = endpoint(agent)
    media = {"media_address": media_address, "bind_rtp_to_media_address": "yes"} if media_address else {}
    return {
        "auth": {"auth_type": "userpass", "username": name, "password": password},
        "aor": {
            "max_contacts": "1",
            "remove_existing": "yes",
            "remove_unavailable": "yes",
            "qualify_frequency": "10",
            "qualify_timeout": "2",
            "minimum_expiration": "30",
            "default_expiration": "60",
            "maximum_expiration": "120",
        },
        "endpoint": {
            "auth": name,
            "aors": name,
            "identify_by": "auth_username,username",
            "callerid": f'"Agent {agent}" <{agent}>',
            "context": Context.FROM_AGENT.value,
            "transport": "ws",
            "webrtc": "yes",
            "disallow": "all",
            "allow": "ulaw,opus",
            "direct_media": "no",
            "rtp_symmetric": "yes",
            "force_rport": "yes",
            "rewrite_contact": "yes",
            "dtmf_mode": "rfc4733",
            "allow_subscribe": "no",
            "device_state_busy_at": "0",
            "rtp_timeout": "5",
            "rtp_timeout_hold": "60",
            "rtp_keepalive": "5",
            **media,
        },
    }


def _check(agent: str) -> None:
    if not AGENT_ID.fullmatch(agent):
        raise BadInput(f"{agent!r} is no agent: use his extension, 2 to 10 digits.")
