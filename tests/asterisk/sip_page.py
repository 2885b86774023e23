"""A page's SIP in a few lines: REGISTER over a websocket with digest, for what no browser is needed to show."""

import hashlib
import re
import secrets
from dataclasses import dataclass, field

import aiohttp

from tests.patience import PATIENCE


@dataclass(slots=True)
class SipPage:
    """One websocket that speaks SIP as `user`."""

    socket: aiohttp.ClientWebSocketResponse
    user: str
    via: str = "WS"  # WSS where the page came by https
    call: str = field(default_factory=lambda: secrets.token_hex(8))
    sequence: int = 0

    async def register(self, password: str, expires: int = 60) -> int:
        """The final status: 200, or 401 where the password is refused."""
        answer = await self.ask("REGISTER", "", expires)
        challenge = re.search(r"^WWW-Authenticate: Digest .*$", answer, re.M)
        if status(answer) != 401 or challenge is None:
            return status(answer)
        realm, nonce = (re.search(rf'{name}="([^"]*)"', challenge[0])[1] for name in ("realm", "nonce"))  # type: ignore[index]
        opaque = re.search(r'opaque="([^"]*)"', challenge[0])
        secret, asked = md5(f"{self.user}:{realm}:{password}"), md5("REGISTER:sip:santun")
        cnonce = secrets.token_hex(8)
        response = md5(f"{secret}:{nonce}:00000001:{cnonce}:auth:{asked}")
        said = f'username="{self.user}", realm="{realm}", nonce="{nonce}", uri="sip:santun", response="{response}"'
        said += f', qop=auth, nc=00000001, cnonce="{cnonce}", algorithm=MD5'
        said += f', opaque="{opaque[1]}"' if opaque else ""
        return status(await self.ask("REGISTER", f"Authorization: Digest {said}\r\n", expires))

    async def ask(self, method: str, more: str = "", expires: int = 60, user: str = "") -> str:
        """One request; its final answer. `user`: who it says it is, if not who it is."""
        who = user or self.user
        self.sequence += 1
        await self.socket.send_str(
            f"{method} sip:santun SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.via} page.invalid;branch=z9hG4bK{secrets.token_hex(8)}\r\n"
            f"From: <sip:{who}@santun>;tag={self.call}\r\nTo: <sip:{who}@santun>\r\n"
            f"Call-ID: {self.call}\r\nCSeq: {self.sequence} {method}\r\nMax-Forwards: 70\r\n"
            f"Contact: <sip:{who}@page.invalid;transport=ws>;expires={expires}\r\n{more}Content-Length: 0\r\n\r\n"
        )
        while True:
            text: str = await self.socket.receive_str(timeout=5)
            if text.startswith("SIP/2.0") and status(text) >= 200 and f"CSeq: {self.sequence} " in text:
                return text

    async def asked(self, method: str) -> str:
        """What comes from the other side next, of this method."""
        while True:
            text: str = await self.socket.receive_str(timeout=20 * PATIENCE)
            if text.startswith(f"{method} "):
                return text


def status(answer: str) -> int:
    """Of a SIP answer."""
    return int(answer.split(" ", 2)[1])


def md5(text: str) -> str:
    """As digest wants it."""
    return hashlib.md5(text.encode()).hexdigest()
