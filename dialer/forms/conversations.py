"""The IVR's conversations as the dialer knows them: texts in TOML, and what the IVR's own program says of them."""

from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

File = Annotated[str, Meta(max_length=100_000)]


class Source(msgspec.Struct, forbid_unknown_fields=True):
    """Steps and texts; `texts` by language, `id` and `en`."""

    flow: File
    texts: Annotated[dict[Annotated[str, Meta(pattern="^[a-z]{2}$")], File], Meta(max_length=5)]


class FlowFault(msgspec.Struct):
    """`file`: flow, or the language of its texts; `line` counts from 1. `code` stays the same, whatever `text` says;
    `params` go with it."""

    file: str
    line: int
    text: str
    code: str = ""
    params: dict[str, str] = {}


class Arrow(msgspec.Struct):
    """On a key, a finding of an entry, or at once (empty); only where `when` holds."""

    to: str
    on: str
    when: str


class FlowStep(msgspec.Struct):
    """`kind`: choices, entry, next, end. `role`: start, quiet, enough, not_stored, or empty."""

    name: str
    kind: str
    says: list[str]
    entry: str
    facts: list[str]
    does: str
    verifies: bool
    result: str
    role: str
    arrows: list[Arrow]


class Proof(msgspec.Struct):
    """`faults` empty: it is sound. `lacking`: sentences without a sound; null: the sounds are not on this machine."""

    label: str
    faults: list[FlowFault]
    steps: list[FlowStep]
    lacking: list[str] | None


class Proofs(Protocol):
    """The IVR's own program. Raises SetupError where it is not here."""

    async def prove(self, source: Source, make: bool = False) -> Proof:
        """`make`: what has no sound gets one."""

    async def shipped(self, name: str) -> Source:
        """The files of one that comes with Santun."""
