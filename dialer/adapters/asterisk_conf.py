"""Fills asterisk-conf/ in from checked settings: no other text reaches a configuration file of Asterisk."""

import ipaddress
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dialer.dialplan import endpoint
from dialer.errors import ConfigError

CONF = Path(__file__).parents[2] / "asterisk-conf"
PLACEHOLDER = re.compile(r"@([A-Z][A-Z0-9_]*)@")
CONTROL_SOCKET = "asterisk.ctl"
SOCKET_PATH_MAX = 107  # sockaddr_un

# Asterisk complains about a missing file even where an empty one says all there is to say.
EMPTY = (
    *("acl", "ccss", "cli", "cli_aliases", "cli_permissions", "codecs", "dnsmgr", "dsp", "features", "pjproject"),
    *("pjsip_notify", "stasis", "udptl", "websocket_client"),
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_DIGITS = re.compile(r"[0-9]{2,10}")
_SECRET = re.compile(r"[A-Za-z0-9_.~!*+=-]{8,128}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")
_PATH = re.compile(r"/[\w./ +-]*")
_NAME_CURE = "use letters, digits, '.', '_' and '-', at most 40"
_SECRET_CURE = "use 8 to 128 of letters, digits and . _ ~ ! * + = -"  # noqa: S105
_HOST_CURE = "use a host name or an address"


class PhoneKind(StrEnum):
    """What an agent talks through."""

    SIP = "sip"
    WEBRTC = "webrtc"


@dataclass(frozen=True, slots=True)
class Phone:
    """An agent's phone: `agent` is his extension."""

    agent: str
    password: str
    kind: PhoneKind = PhoneKind.SIP


@dataclass(frozen=True, slots=True)
class Trunk:
    """A carrier. `qualify` off: some carriers leave OPTIONS unanswered and would look dead."""

    name: str
    host: str
    port: int = 5060
    qualify: bool = True
    user: str = ""
    password: str = ""
    register: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AsteriskSettings:
    """All that the configuration of one Asterisk node depends on."""

    node: str  # Asterisk's systemname
    run: Path  # etc, lib, spool, run, log, keys, data are made below it
    modules: Path
    sounds: Path
    recordings: Path
    ami_host: str = "127.0.0.1"
    ami_port: int = 5038
    ami_user: str = "santun"
    ami_secret: str
    ami_permit: str = "127.0.0.1/32"
    ami_tls_port: int = 0  # 0: none; 5039 is usual. The plain port beside it cannot be closed: leave it on loopback
    ami_tls_host: str = "127.0.0.1"
    ami_tls_cert: Path = Path("/none")  # PEM files that Asterisk's user may read
    ami_tls_key: Path = Path("/none")
    sip_host: str = "0.0.0.0"  # noqa: S104 - phones and trunks come from outside
    sip_port: int = 5060
    media_address: str = ""  # empty: Asterisk chooses by route, as it should; tests name one
    rtp_from: int = 20000
    rtp_to: int = 29999
    http_host: str = "127.0.0.1"
    http_port: int = 0  # 0: none; without this and the next: no browsers, no ARI
    http_tls_port: int = 0  # 0: none; 8089 is usual. The plain port beside it may stay 0
    http_tls_host: str = "127.0.0.1"
    http_tls_cert: Path = Path("/none")  # PEM files that Asterisk's user may read
    http_tls_key: Path = Path("/none")
    ari_user: str = "santun"
    ari_password: str = ""
    ivr_host: str = "127.0.0.1"
    ivr_port: int = 4573
    call_limit_s: int = 3600  # where an attempt brings no limit of its own
    agent_leg_limit_s: int = 43200
    trunks: tuple[Trunk, ...] = ()
    phones: tuple[Phone, ...] = ()

    @property
    def browsers(self) -> bool:
        """Whether there is a way in for ARI and agents in a browser."""
        return bool(self.http_port or self.http_tls_port)


def directories(run: Path) -> dict[str, Path]:
    """The folders of one Asterisk below its run folder, by the placeholder's name."""
    names = {"ETC": "etc", "LIB": "lib", "DATA": "data", "SPOOL": "spool", "RUN": "run", "LOG": "log"}
    return {f"SANTUN_{name}": run / folder for name, folder in names.items()}


def render(settings: AsteriskSettings, conf: Path, out: Path) -> None:
    """Write all of the configuration into `out`, readable for this user alone. Raises ConfigError with every fault."""
    if wrong := faults(settings):
        raise ConfigError("; ".join(wrong))
    fill(conf, _values(settings), out)
    write(out / "pjsip_trunks.conf", "".join(_trunk(trunk, settings) for trunk in settings.trunks))
    write(out / "pjsip_agents.conf", "".join(map(_phone, settings.phones)))
    if settings.browsers:
        user = section(settings.ari_user, type="user", password=settings.ari_password, read_only="no")
        write(out / "ari_users.conf", user)


def fill(conf: Path, values: Mapping[str, str], out: Path) -> None:
    """Copy `conf`/*.conf to `out`, filled in; a placeholder without a value is an error, and so the reverse."""
    sources = sorted(conf.glob("*.conf"))
    texts = {source.name: source.read_text(encoding="utf-8") for source in sources}
    if not texts:
        raise ConfigError(f"{conf} holds no *.conf; name the folder asterisk-conf of the project.")
    asked = {name: file for file, text in texts.items() for name in PLACEHOLDER.findall(text)}
    if unknown := [f"{asked[name]}: @{name}@" for name in sorted(asked.keys() - values.keys())]:
        raise ConfigError(f"{', '.join(unknown)}: nothing fills this placeholder; correct its name.")
    if idle := sorted(values.keys() - asked.keys()):
        raise ConfigError(f"No file in {conf} has the placeholder @{'@, @'.join(idle)}@; put it back.")
    for name, text in texts.items():
        write(out / name, PLACEHOLDER.sub(lambda found: values[found[1]], text))
    for name in EMPTY:
        if f"{name}.conf" not in texts:
            write(out / f"{name}.conf", "")


def write(path: Path, text: str) -> None:
    """A file that only this user reads: nearly every one of them holds a secret or leads to one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(text)


def _values(settings: AsteriskSettings) -> dict[str, str]:
    media = settings.media_address
    plain = {
        "NODE": settings.node,
        "MODULES": settings.modules,
        "SOUNDS": settings.sounds,
        "RECORDINGS": settings.recordings,
        "AMI_HOST": settings.ami_host,
        "AMI_PORT": settings.ami_port,
        "AMI_USER": settings.ami_user,
        "AMI_SECRET": settings.ami_secret,
        "AMI_PERMIT": settings.ami_permit,
        "AMI_TLS": _tls(settings.ami_tls_host, settings.ami_tls_port, settings.ami_tls_cert, settings.ami_tls_key),
        "SIP_HOST": settings.sip_host,
        "SIP_PORT": settings.sip_port,
        "MEDIA": f"media_address={media}\nbind_rtp_to_media_address=yes" if media else "",
        "RTP_FROM": settings.rtp_from,
        "RTP_TO": settings.rtp_to,
        "HTTP_ENABLED": "yes" if settings.http_port else "no",
        "HTTP_HOST": settings.http_host,
        "HTTP_PORT": settings.http_port or 8088,
        "HTTP_TLS": _tls(settings.http_tls_host, settings.http_tls_port, settings.http_tls_cert, settings.http_tls_key),
        "ARI_ENABLED": "yes" if settings.browsers else "no",
        "IVR_HOST": settings.ivr_host,
        "IVR_PORT": settings.ivr_port,
        "CALL_LIMIT_S": settings.call_limit_s,
        "AGENT_LEG_LIMIT_S": settings.agent_leg_limit_s,
    }
    places = {name: str(path) for name, path in directories(settings.run).items()}
    return places | {f"SANTUN_{name}": str(value) for name, value in plain.items()}


def _tls(host: str, port: int, cert: Path, key: Path) -> str:
    if not port:
        return "tlsenable=no"
    lines = {
        "tlsenable": "yes",
        "tlsbindaddr": f"{_bracketed(host)}:{port}",
        "tlscertfile": cert,
        "tlsprivatekey": key,
        "tlsdisablev1": "yes",
        "tlsdisablev11": "yes",
    }
    return "\n".join(f"{name}={value}" for name, value in lines.items())


def section(name: str, template: str = "", **lines: str | int) -> str:
    """One section of a configuration file; a line without a value is left out."""
    head = f"[{name}]({template})" if template else f"[{name}]"
    return "\n".join([head, *(f"{key}={value}" for key, value in lines.items() if value != "")]) + "\n\n"


def _trunk(trunk: Trunk, settings: AsteriskSettings) -> str:
    name, uri = trunk.name, f"sip:{_bracketed(trunk.host)}:{trunk.port}"
    auth = f"{name}-auth" if trunk.user else ""
    text = section(name, "trunk", aors=name, outbound_auth=auth, from_user=trunk.user, from_domain=_domain(trunk))
    text += section(name, "trunk-aor", contact=uri, qualify_frequency=10 if trunk.qualify else 0)
    text += section(f"{name}-ip", type="identify", endpoint=name, match=trunk.host)
    if trunk.user:
        text += section(auth, type="auth", auth_type="userpass", username=trunk.user, password=trunk.password)
    if trunk.register:
        text += section(
            f"{name}-registration", type="registration", transport="udp", outbound_auth=auth, server_uri=uri,
            client_uri=uri.replace("sip:", f"sip:{trunk.user}@"), contact_user=trunk.user, retry_interval=30,
        )  # fmt: skip
    return text


def _domain(trunk: Trunk) -> str:
    return trunk.host if trunk.user else ""


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _phone(phone: Phone) -> str:
    name = endpoint(phone.agent)
    text = section(name, f"agent-{phone.kind}", auth=name, aors=name, callerid=f'"Agent {phone.agent}" <{phone.agent}>')
    text += section(name, "agent-auth", username=name, password=phone.password)
    return text + section(name, "agent-aor")


# ---- checks: each yields sentences that name the field and the cure ------------------------------------------------


def faults(settings: AsteriskSettings) -> list[str]:
    """What is wrong with the settings, all of it."""
    return [*_words(settings), *_numbers(settings), *_paths(settings), *_trunks(settings.trunks), *_phones(settings)]


def _fits(pattern: re.Pattern[str], field: str, value: str, cure: str) -> Iterable[str]:
    if not pattern.fullmatch(value):
        shown = "this value" if "secret" in field or "password" in field else repr(value)
        yield f"{field}: {shown} cannot be used; {cure}"


def _words(settings: AsteriskSettings) -> Iterable[str]:
    yield from _fits(_NAME, "node", settings.node, _NAME_CURE)
    yield from _fits(_NAME, "ami_user", settings.ami_user, _NAME_CURE)
    yield from _fits(_SECRET, "ami_secret", settings.ami_secret, _SECRET_CURE)
    for field in ("ami_host", "ami_tls_host", "sip_host", "http_host", "http_tls_host", "ivr_host"):
        yield from _fits(_HOST, field, getattr(settings, field), _HOST_CURE)
    if settings.media_address:
        yield from _fits(_HOST, "media_address", settings.media_address, _HOST_CURE)
    if settings.browsers:
        yield from _fits(_NAME, "ari_user", settings.ari_user, _NAME_CURE)
        yield from _fits(_SECRET, "ari_password", settings.ari_password, _SECRET_CURE)
    try:
        ipaddress.ip_network(settings.ami_permit)
    except ValueError:
        yield f"ami_permit: {settings.ami_permit!r} is no network; use for example 127.0.0.1/32"


def _numbers(settings: AsteriskSettings) -> Iterable[str]:
    for field in ("ami_port", "sip_port", "rtp_from", "rtp_to", "ivr_port"):
        yield from _port(field, getattr(settings, field))
    if settings.http_port:
        yield from _port("http_port", settings.http_port)
    for kind, plain, usual in (("ami", settings.ami_port, 5039), ("http", settings.http_port, 8089)):
        if port := getattr(settings, f"{kind}_tls_port"):
            yield from _port(f"{kind}_tls_port", port)
            if port == plain:
                yield f"{kind}_tls_port: the plain port has it; use another, such as {usual}"
    if settings.rtp_to - settings.rtp_from < 3:
        yield f"rtp_from, rtp_to: {settings.rtp_from}-{settings.rtp_to} has no room; choose two ports for each call"
    for field in ("call_limit_s", "agent_leg_limit_s"):
        if not 1 <= (value := getattr(settings, field)) <= 86400:
            yield f"{field}: {value!r} cannot be used; use 1 to 86400 seconds"


def _port(field: str, value: int) -> Iterable[str]:
    if not 1 <= value <= 65535:
        yield f"{field}: {value!r} is no port; use 1 to 65535"


def _paths(settings: AsteriskSettings) -> Iterable[str]:
    pairs = {kind: (f"{kind}_tls_cert", f"{kind}_tls_key") for kind in ("ami", "http")}
    for field in ("run", "modules", "sounds", "recordings", *pairs["ami"], *pairs["http"]):
        cure = "use an absolute path of letters, digits, blanks and . _ + -"
        yield from _fits(_PATH, field, str(getattr(settings, field)), cure)
    for kind, pair in pairs.items():
        if getattr(settings, f"{kind}_tls_port") and Path("/none") in (getattr(settings, name) for name in pair):
            yield f"{kind}_tls_port: TLS wants {' and '.join(pair)}; set both"
    socket = directories(settings.run)["SANTUN_RUN"] / CONTROL_SOCKET
    if len(os.fsencode(socket)) > SOCKET_PATH_MAX:
        yield f"run: {socket} is too long for a socket; choose a folder nearer to the root"


def _trunks(trunks: tuple[Trunk, ...]) -> Iterable[str]:
    for trunk in trunks:
        field = f"trunk {trunk.name!r}"
        yield from _fits(_NAME, f"{field} name", trunk.name, _NAME_CURE)
        yield from _fits(_HOST, f"{field} host", trunk.host, _HOST_CURE)
        yield from _port(f"{field} port", trunk.port)
        if trunk.host in ("localhost", "127.0.0.1", "::1"):
            yield f"{field} host: all that comes from this machine would be the trunk; use another, or 127.0.0.2"
        if trunk.name.startswith("agent"):
            yield f"{field} name: names that begin with 'agent' are the agents'; choose another"
        if trunk.user:
            yield from _fits(_NAME, f"{field} user", trunk.user, _NAME_CURE)
            yield from _fits(_SECRET, f"{field} password", trunk.password, _SECRET_CURE)
        elif trunk.register:
            yield f"{field} register: there is no user to register; set user and password"
    yield from _twice("trunks", [trunk.name for trunk in trunks])


def _phones(settings: AsteriskSettings) -> Iterable[str]:
    for phone in settings.phones:
        field = f"agent {phone.agent!r}"
        yield from _fits(_DIGITS, field, phone.agent, "use 2 to 10 digits")
        yield from _fits(_SECRET, f"{field} password", phone.password, _SECRET_CURE)
        if phone.kind is PhoneKind.WEBRTC and not settings.browsers:
            yield f"{field}: a browser needs http_port or http_tls_port; set one"
    yield from _twice("agents", [phone.agent for phone in settings.phones])


def _twice(field: str, names: list[str]) -> Iterable[str]:
    if double := sorted({name for name in names if names.count(name) > 1}):
        yield f"{field}: {', '.join(double)} is there twice; remove one"
