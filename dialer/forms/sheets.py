"""What people edit in the browser and others read: a text under a name, each version kept, none overwritten unseen.

scripts/april     what agents of a campaign say, by language and stage
results/april     with what words its talks end, and by which keys
flow/reminder     a conversation of the IVR, with its texts
flows             which campaign has which conversation
"""

import re
from dataclasses import dataclass

NAME = re.compile(r"[a-z]{1,20}(/[a-z0-9][a-z0-9_-]{0,39})?")
VERSIONS_KEPT = 50


@dataclass(frozen=True, slots=True)
class Sheet:
    """One version. `revision` 0: nobody has written it yet; `at`: epoch seconds."""

    name: str
    text: str = ""
    revision: int = 0
    by: str = ""
    at: float = 0.0
