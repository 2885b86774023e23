"""TLS of our own links: what proves the far end, what is wrong with certificates, and what the errors mean."""

import os
import ssl
import stat
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from dialer.config import tls_url
from dialer.errors import ConfigError

SOON = timedelta(days=14)  # a certificate that ends within is told
NOBODYS = stat.S_IWGRP | stat.S_IXGRP | stat.S_IRWXO  # rights that nobody is to have on a secret


def client_context(ca: str, cert: str = "", key: str = "") -> ssl.SSLContext:
    """For a link of ours: the far end's certificate and name are always verified, by `ca` alone, or by the system's.

    Raises ConfigError with the file and the cure.
    """
    if ca and (wrong := ca_fault(Path(ca))):
        raise ConfigError(wrong)
    if wrong := "; ".join(pair_faults(cert, key)):
        raise ConfigError(wrong)
    context = ssl.create_default_context(cafile=ca or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if cert:
        context.load_cert_chain(cert, key)
    return context


def tls_address(url: str, ca: Path | None, cert: Path | None, key: Path | None) -> str:
    """A rediss:// address with its files as options; the same for none. Raises ConfigError."""
    files = {"tls_ca": ca, "tls_cert": cert, "tls_key": key}
    named = {name: str(path.absolute()) for name, path in files.items() if path is not None}
    if named and not url.startswith("rediss://"):
        raise ConfigError("files for TLS are given, but Redis's address is not rediss://: they would not be used.")
    if named:
        client_context(*(named.get(name, "") for name in files))
    return tls_url(url, named)


def ca_fault(path: Path) -> str:
    """Why nothing can be proven by this file; empty: it can."""
    try:
        ssl.create_default_context(cafile=str(path))
    except OSError as error:  # ssl.SSLError is one
        return f"{path}: {_why(error)}; give the CA's certificate, in PEM"
    return ""


def pair_faults(cert: str, key: str) -> list[str]:
    """Why a certificate and its key cannot be used: files that are not there, that others may read, or do not match."""
    if not (cert or key):
        return []
    wrong = [f"{name} is not given: certificate and key go together" for name, path in
             (("the certificate", cert), ("the key", key)) if not path]  # fmt: skip
    if wrong:
        return wrong
    return [*key_faults(Path(key)), *match_faults(cert, key)]


def match_faults(cert: str, key: str) -> list[str]:
    """Why a certificate and a key are no pair."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(cert, key, password=_nobody_to_ask)
    except ConfigError:
        return [f"{key} wants a passphrase, and nobody is there to type it: keep it without, mode 0600"]
    except OSError as error:
        return [f"{cert}, {key}: {_why(error)}"]
    return []


def key_faults(path: Path) -> Iterator[str]:
    """Who else may read a file that holds a secret."""
    try:
        seen = path.stat()
    except OSError as error:
        yield f"{path}: {error.strerror}"
        return
    # root's file, read by way of a group, is how a service gets at a key that it may not change
    if seen.st_mode & NOBODYS or (seen.st_mode & stat.S_IRGRP and seen.st_uid == os.geteuid() != 0):
        yield f"{path} may be read by others (mode {stat.S_IMODE(seen.st_mode):04o}): chmod 600 {path}"
    if seen.st_uid not in (os.geteuid(), 0):
        yield f"{path} belongs to another user: chown it to the one that Santun runs as"


def time_faults(cert: Path, at: datetime) -> list[str]:
    """Whether a certificate holds now, and for how long; `at`: with its zone."""
    from cryptography import x509  # 10 MB, which those who only connect do without

    try:
        found = x509.load_pem_x509_certificate(cert.read_bytes())
    except (OSError, ValueError) as error:
        return [f"{cert} is no certificate in PEM: {error}"]
    if at < found.not_valid_before_utc:
        return [f"{cert} is not valid before {found.not_valid_before_utc:%Y-%m-%d %H:%M} UTC: look at the clock here"]
    if at > found.not_valid_after_utc:
        return [f"{cert} has expired on {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: renew it"]
    if at + SOON > found.not_valid_after_utc:
        return [f"{cert} expires on {found.not_valid_after_utc:%Y-%m-%d %H:%M} UTC: renew it"]
    return []


def server_pair(cert: str, key: str, at: datetime) -> list[str]:
    """All that is wrong with what a server of ours shows."""
    return [*pair_faults(cert, key), *time_faults(Path(cert), at)]


def _nobody_to_ask() -> str:
    raise ConfigError("a passphrase is asked for")


def _why(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        known = {"KEY_VALUES_MISMATCH": "the key is of another certificate", "NO_START_LINE": "this is no PEM"}
        return known.get(error.reason or "", (error.reason or str(error)).lower().replace("_", " "))
    return error.strerror or str(error)
