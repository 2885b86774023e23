"""The web's keys in Redis, beside redis_keys.py. What stands in braces decides the hash slot."""

USERS = "santun:users"  # name -> user
EXTENSIONS = "santun:extensions"  # agent -> user's name
TOKENS = "santun:tokens"  # id -> API token
AUDIT = "santun:audit"  # stream: who changed what


def session_keys(key: str) -> tuple[str, str]:
    """A session, by the hash of its cookie, and its requests' count."""
    return f"{{s:{key}}}:session", f"{{s:{key}}}:rate"


def sessions_key(user: str) -> str:
    """The sessions of a user: key -> end."""
    return f"{{u:{user}}}:sessions"


def code_key(user: str, counter: int) -> str:
    """A code of his that has been used."""
    return f"{{u:{user}}}:code:{counter}"


def rate_key(kind: str, whose: str) -> str:
    """Tries of a kind, by the hash of whose they are."""
    return f"{{r:{kind}:{whose}}}:rate"


def once_key(whose: str) -> str:
    """What became of an idempotency key, by the hash of sender and key."""
    return f"{{i:{whose}}}:answer"
