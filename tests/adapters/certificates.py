"""A CA of the test's own, and what it signs: for this machine, for another name, long ago."""

import ipaddress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
END = datetime(2090, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(2025, 2, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Pair:
    """Two PEM files; the key is closed to others."""

    cert: Path
    key: Path


class Authority:
    """Signs; `ca` is its certificate's file."""

    def __init__(self, folder: Path, name: str = "ca") -> None:
        self._folder, self._key = folder, ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"{name} of a test")])
        own = self._builder(self._name, END).add_extension(x509.BasicConstraints(True, None), critical=True)
        usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
        own = own.public_key(self._key.public_key()).add_extension(usage, critical=True)
        own = own.add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
        self.ca = folder / f"{name}.pem"
        self.ca.write_bytes(own.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def sign(self, name: str, host: str = "127.0.0.1", end: datetime = END) -> Pair:
        """For a host name or an address."""
        try:
            known: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(host))
        except ValueError:
            known = x509.DNSName(host)
        key = ec.generate_private_key(ec.SECP256R1())
        found = self._builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), end)
        found = found.public_key(key.public_key()).add_extension(x509.SubjectAlternativeName([known]), critical=False)
        issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        found = found.add_extension(issuer, critical=False)
        pair = Pair(self._folder / f"{name}.pem", self._folder / f"{name}.key")
        pair.cert.write_bytes(found.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
        pem, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
        pair.key.touch(mode=0o600)
        pair.key.write_bytes(key.private_bytes(pem, pkcs8, serialization.NoEncryption()))
        return pair

    def _builder(self, subject: x509.Name, end: datetime) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(BEGIN, end - timedelta(days=1)))
            .not_valid_after(end)
        )
