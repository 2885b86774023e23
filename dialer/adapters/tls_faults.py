"""What an error of TLS means, in words with their cure; by what OpenSSL says, however deep it lies."""

import ssl

_CURES = (
    ("certificate has expired", "its certificate has expired: renew it there"),
    ("certificate is not yet valid", "its certificate is not valid yet: compare the clocks of the two machines"),
    ("mismatch", "its certificate is for another name: reach it by a name or an address that stands in it"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not signed by the CA given: tls_ca has to be the CA's file"),
    ("CERTIFICATE_REQUIRED", "it wants a certificate of ours: give tls_cert and tls_key"),
    ("UNKNOWN_CA", "it does not know the CA of our certificate: sign tls_cert by its own"),
    ("WRONG_VERSION_NUMBER", "what answers there does not speak TLS: is this its TLS port?"),
    ("RECORD_LAYER_FAILURE", "what answers there does not speak TLS: is this its TLS port?"),
    ("PACKET_LENGTH_TOO_LONG", "what answers there does not speak TLS: is this its TLS port?"),
    ("UNEXPECTED_EOF", "what answers there ends the handshake: is this its TLS port?"),
)  # fmt: skip


def cure(error: BaseException | None) -> str:
    """What an error of TLS means, in words; empty: it is none."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        said = str(error).replace(" ", "_").upper()
        if isinstance(error, ssl.SSLError) or "[SSL" in str(error):
            return next((word for sign, word in _CURES if sign.replace(" ", "_").upper() in said), "its TLS fails")
        error = error.__cause__ or error.__context__
    return ""


def why(error: BaseException) -> str:
    """Why a link cannot be had: its cure where TLS fails, else the kind of error."""
    return cure(error) or type(error).__name__
