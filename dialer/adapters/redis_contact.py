"""A contact as Redis keeps it: a head that Lua reads, then msgpack without defaults; entries of version 0 were JSON.

The head: version, revision (of the list's data, see redis_updates.py), rank (signed, 4 bytes): lower is called first.
"""

import struct
from datetime import date

import msgspec

from dialer.adapters.redis_codec import Reader
from dialer.errors import BadInput
from dialer.lists.order import rank
from dialer.model import Consent, Contact, Number, NumberKind, NumberState

VERSION = 1
HEAD = struct.Struct(">BBi")
REVISIONS = 256

Packed = (
    bytes  # a name in hex: 0 and the bytes it stands for; any other: its UTF-8, 1 in front where it could be mistaken
)


# None, not 0.0, where there is no time: msgspec leaves out only what is the very same object as the default
class _Number(msgspec.Struct, omit_defaults=True):
    """e164 (without its +, where it is one), key, kind, state, past, not found at, given at."""

    n: int | str
    k: Packed
    t: NumberKind = NumberKind.DEBTOR
    s: NumberState = NumberState.UNTRIED
    p: str = ""
    f: float | None = None  # not found at
    g: float | None = None  # given at


class _Contact(msgspec.Struct, omit_defaults=True):
    """Contact under short names; its id is the hash's field. Letters are never used again for something else."""

    p: Packed
    n: tuple[_Number, ...]
    N: str = ""
    l: str = ""  # noqa: E741 # language
    z: str = ""
    L: str = ""
    P: str = ""
    c: str = "IDR"
    a: int = 0
    d: int = 0  # due day, counted from 0001-01-01
    s: Packed = b""
    S: int = 0
    r: int = 0
    t: int = 0
    i: int = 0
    A: Packed = b""
    C: str = ""
    m: int = 0
    f: int = 0
    I: int = 0  # noqa: E741 # incentive
    v: str = ""
    g: str = ""
    o: str = ""
    e: tuple[tuple[str, str, int], ...] = ()
    u: tuple[tuple[str, str], ...] = ()
    k: int = 0
    x: float | None = None
    T: float | None = None
    b: float | None = None
    B: str = ""
    w: tuple[tuple[str, int], ...] = ()
    q: float | None = None  # broke a promise at
    y: tuple[bytes, ...] = ()  # payments


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_Contact).decode
_JSON = msgspec.json.Decoder(Contact)


def encode_contact(one: Contact) -> bytes:
    """Raises BadInput for what msgpack cannot hold."""
    try:
        return HEAD.pack(VERSION, one.rev % REVISIONS, rank(one)) + _pack(_short(one))
    except (OverflowError, UnicodeEncodeError) as error:
        raise BadInput(f"contact {one.id}: {error}") from error


def decode_contact(raw: bytes, contact: str) -> Contact:
    """Raises ValueError (msgspec's errors are some) for what makes no sense."""
    if raw[:1] == b"{":
        known = _JSON.decode(raw)
        if known.id != contact:
            raise ValueError(f"stands under another name than its own, {known.id}")
        return known
    if len(raw) < HEAD.size:
        raise ValueError("too short")
    version, rev, _ = HEAD.unpack_from(raw)
    if version != VERSION:
        raise ValueError(f"version {version} is not known here")
    one = _unpack(raw[HEAD.size :])
    consents = tuple(Consent(what, source, date.fromordinal(on)) for what, source, on in one.e)
    return Contact(
        id=contact, person=text_of(one.p), numbers=tuple(map(_long_number, one.n)), name=one.N, language=one.l,
        zone=one.z, lender=one.L, product=one.P, currency=one.c, amount=one.a,
        due=date.fromordinal(one.d) if one.d else None, secret=text_of(one.s), secret_digits=one.S, priority=one.r,
        tries=one.t, next_number=one.i, alias=text_of(one.A), account=one.C, minimum=one.m, fee=one.f, incentive=one.I,
        province=one.v, regency=one.g, post_code=one.o, consents=consents, custom=one.u, score=one.k,
        expires=one.x or 0.0,
        last_at=one.T or 0.0, callback_at=one.b or 0.0, callback_agent=one.B, came=one.w,
        broken_at=one.q or 0.0, paid=tuple(raw.hex() for raw in one.y), rev=rev,
    )  # fmt: skip


def read_contact(reader: Reader, raw: object, key: str, contact: str) -> Contact | None:
    """None where there is nothing, or nothing that makes sense: that is named."""
    if raw is None:
        return None
    try:
        return decode_contact(raw if isinstance(raw, bytes) else b"", contact)
    except (ValueError, OverflowError) as error:
        reader.complain(key, contact, str(error))
        return None


def _short(one: Contact) -> _Contact:
    due = one.due.toordinal() if one.due else 0
    consents = tuple((said.what, said.source, said.on.toordinal()) for said in one.consents)
    return _Contact(
        p=packed_name(one.person), n=tuple(map(_short_number, one.numbers)), N=one.name, l=one.language, z=one.zone,
        L=one.lender, P=one.product, c=one.currency, a=one.amount, d=due, s=packed_name(one.secret),
        S=one.secret_digits,
        r=one.priority, t=one.tries, i=one.next_number, A=packed_name(one.alias), C=one.account, m=one.minimum,
        f=one.fee, I=one.incentive, v=one.province, g=one.regency, o=one.post_code, e=consents, u=one.custom,
        k=one.score,
        x=one.expires or None,
        T=one.last_at or None, b=one.callback_at or None, B=one.callback_agent, w=one.came, q=one.broken_at or None,
        y=tuple(bytes.fromhex(name) for name in one.paid),
    )  # fmt: skip


def _short_number(one: Number) -> _Number:
    digits = one.e164[1:]
    plain = one.e164[:1] == "+" and digits.isascii() and digits.isdigit() and digits[:1] != "0" and len(digits) < 19
    return _Number(
        int(digits) if plain else one.e164, packed_name(one.key), one.kind, one.state, one.past,
        one.not_found_at or None, one.given_at or None,
    )  # fmt: skip


def _long_number(one: _Number) -> Number:
    e164 = f"+{one.n}" if isinstance(one.n, int) else one.n
    return Number(e164, text_of(one.k), one.t, one.s, one.p, one.f or 0.0, one.g or 0.0)


def packed_name(name: str) -> Packed:
    """A name in as few bytes as may be."""
    try:
        raw = bytes.fromhex(name)
    except ValueError:
        raw = b""
    if raw and raw.hex() == name:  # capitals and blanks would not come back
        return b"\0" + raw
    return name.encode() if name[:1] > "\1" or not name else b"\1" + name.encode()


def text_of(packed: Packed) -> str:
    """The name that was packed."""
    if packed[:1] == b"\0":
        return packed[1:].hex()
    return packed[packed[:1] == b"\1" :].decode()
