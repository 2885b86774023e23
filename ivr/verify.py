"""Is this the right person? What was keyed is compared by keyed hash; nothing here knows the secret itself."""

import hmac

from dialer.keyed import secret_key

TRIES = 3


def proves(key: bytes, secret: str, keyed: str) -> bool:
    """True if `keyed` is what the list's `secret` was made from; takes the same time either way."""
    return bool(secret) and hmac.compare_digest(secret_key(key, keyed).encode(), secret.encode())
