"""How long what is held of people is kept, and whether it is kept encrypted: the settings of `[privacy]`."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SITE_KEYS = "SANTUN_SITE_KEYS"
NO_KEYS = (
    f"no site keys: recording is refused, and secrets of code generators stand in Redis as they are; write one with"
    f" `dialer key >site.keys` (chmod 600), and set [privacy] keys = \"site.keys\" or {SITE_KEYS}"
)  # fmt: skip

Days = Annotated[int, Field(ge=1, le=3650)]


class Privacy(BaseModel):
    """`keys`: a file of age identities, of which the last one encrypts (or SANTUN_SITE_KEYS); `plain_recordings`: they
    may lie unencrypted, on a disk that is encrypted by other means. The rest in days; what is older goes.

    `contacts_days`: after their campaign was stopped for good; 0: for ever. Histories end after 400 days anyway.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    keys: str = ""
    secret: str = Field(default="", repr=False)
    plain_recordings: bool = False
    recordings_days: Days = 90
    outcomes_days: Days = 90
    refusals_days: Days = 30
    decisions_days: Days = 400
    history_days: Annotated[int, Field(ge=1, le=400)] = 400
    contacts_days: Annotated[int, Field(ge=0, le=3650)] = 90

    @property
    def may_record(self) -> bool:
        """Whether a call may be recorded at all."""
        return bool(self.secret) or self.plain_recordings

    @property
    def stream_days(self) -> Mapping[str, float]:
        """Stream -> days that its entries are kept."""
        return {"outcomes": self.outcomes_days, "refusals": self.refusals_days, "log": self.decisions_days}
