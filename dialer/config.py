"""The site's settings: one TOML file and the environment -> frozen Config; every fault in one message with its cure."""

import ipaddress
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode, urlsplit

import phonenumbers
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from dialer.contacts import ListRules
from dialer.debts.payments import SECRET_MIN
from dialer.errors import ConfigError
from dialer.forms import faults
from dialer.forms.privacy import SITE_KEYS, Privacy
from dialer.forms.told import told
from dialer.keyed import KEY_HEX_MIN, read_key
from dialer.law import schedule
from dialer.law.rulebook import DEMO_CAMPAIGNS, Pack
from dialer.lists import recycle_form
from dialer.lists.values import MINOR_DIGITS
from dialer.model import AGENT_ID, CAMPAIGN_ID, Campaign, Kind, Mode, Outcome

AMI_SECRET = "SANTUN_AMI_SECRET"  # noqa: S105 - the name of a variable; _<NODE> behind it: of one node only
ARI_PASSWORD = "SANTUN_ARI_PASSWORD"  # noqa: S105 - the name of a variable; _<NODE> behind it: of one node only
TURN_SECRET = "SANTUN_TURN_SECRET"  # noqa: S105 - the name of a variable; _<NODE> behind it: of one node only
PERSON_KEY = "SANTUN_PERSON_KEY"
PAYMENT_SECRET = "SANTUN_PAYMENT_SECRET"  # noqa: S105 - the name of a variable; _<SENDER> behind it
REDIS_URL = "SANTUN_REDIS_URL"
LANGUAGES = ("id", "en")
CALLER_ID = re.compile(r"\+?[0-9]{3,15}")
DIAL_MAX_S = 120  # of post-dial delay and ringing together
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?|[0-9A-Fa-f:]{2,39}")


def _host(text: str) -> str:
    if not _HOST.fullmatch(text):
        raise ValueError("use a host name or an IP address")
    return text


def _region(text: str) -> str:
    if text not in phonenumbers.SUPPORTED_REGIONS:
        raise ValueError("use a country such as ID")
    return text


def _caller_id(text: str) -> str:
    if not CALLER_ID.fullmatch(text):
        raise ValueError("use 3 to 15 digits, with or without +")
    return text


def _currency(text: str) -> str:
    if text not in MINOR_DIGITS:
        raise ValueError(f"use one of {', '.join(MINOR_DIGITS)}")
    return text


def _address(text: str) -> str:
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise ValueError("use an IP address") from None


TLS_FILES = {"tls_ca": "ssl_ca_certs", "tls_cert": "ssl_certfile", "tls_key": "ssl_keyfile"}  # as redis-py names them


def tls_url(url: str, files: Mapping[str, str]) -> str:
    """A rediss:// address with the files that go with it (`tls_ca`, `tls_cert`, `tls_key`), as its options."""
    options = urlencode({TLS_FILES[name]: file for name, file in files.items() if file})
    return f"{url}{'&' if '?' in url else '?'}{options}" if options else url


def _redis_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("redis", "rediss", "unix") and bool(parts.hostname or parts.path)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("use redis://127.0.0.1:6379/0")
    return text


AgentField = Literal[
    "name", "lender", "product", "account", "outstanding", "minimum", "fee", "incentive", "due", "days_late",
    "province", "regency", "promises", "contacts", "notes", "heard", "offers",
]  # fmt: skip
# what a talk needs; an account's number, fees and where somebody lives only where the operator says so
AGENT_FIELDS: tuple[AgentField, ...] = (
    "name", "lender", "product", "outstanding", "minimum", "incentive", "due", "days_late", "promises", "contacts",
    "notes", "heard", "offers",
)  # fmt: skip

Host = Annotated[str, AfterValidator(_host)]
Port = Annotated[int, Field(ge=1, le=65535)]
CallerId = Annotated[str, AfterValidator(_caller_id)]


class _Table(BaseModel):
    # what was written is never quoted by pydantic itself: it may be a secret in the wrong place
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Redis(_Table):
    """Where Redis is. A password stands in SANTUN_REDIS_URL, never in the file.

    rediss:// is TLS: its certificate is verified by `tls_ca`, else by the system's CAs, and its name always; `tls_cert`
    and `tls_key`: ours, where it asks for one. PEM files, beside the settings file.
    """

    url: Annotated[str, AfterValidator(_redis_url)] = Field(default="redis://127.0.0.1:6379/0", repr=False)
    tls_ca: str = ""
    tls_cert: str = ""
    tls_key: str = ""

    @property
    def files(self) -> dict[str, str]:
        """Those of TLS."""
        return {name: getattr(self, name) for name in TLS_FILES}

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if any(self.files.values()) and not self.url.startswith("rediss:"):
            raise ValueError("tls_ca, tls_cert and tls_key are for url = rediss://...: a plain link would not use them")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert and tls_key go together")
        return self


class Asterisk(_Table):
    """One Asterisk node's manager interface, and what agents in a browser need of it.

    `ari`: http://127.0.0.1:8088/ari, empty: no browsers; `websocket`: where its SIP websocket is, if not beside ARI.
    `media_address`: where agents' sound is sent to, where Asterisk cannot tell by route. For agents at home: `turn`,
    STUN and TURN servers such as turn:turn.example.com:3478 (its use-auth-secret is ours); `relay_only`: by them alone.
    `tls`: host and port are the manager's TLS (5039); its certificate, that of an https `ari` and of a wss `websocket`
    are verified by the CA's file `tls_ca` (PEM, beside the settings file), else by the system's CAs.
    """

    host: Host = "127.0.0.1"
    port: Port = 5038
    user: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")] = "santun"
    secret: str = Field(repr=False)
    tls: bool = False
    tls_ca: str = ""
    ari: Annotated[str, Field(pattern=r"^(https?://[^\s@]+)?$")] = ""
    ari_user: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")] = "santun"
    ari_secret: str = Field(default="", repr=False)
    websocket: Annotated[str, Field(pattern=r"^(wss?://[^\s@]+)?$")] = ""
    media_address: Annotated[str, Field(pattern=r"^([A-Za-z0-9.:-]{1,253})?$")] = ""
    turn: tuple[Annotated[str, Field(pattern=r"^(stuns?|turns?):[^\s@]{1,253}$")], ...] = ()
    turn_secret: str = Field(default="", repr=False)
    relay_only: bool = False

    @model_validator(mode="after")
    def _is_used(self) -> Self:
        if self.tls_ca and not (self.tls or self.ari.startswith("https:") or self.websocket.startswith("wss:")):
            raise ValueError("tls_ca is for tls = true or an https ari: a plain link would not use it")
        return self

    @property
    def sip_websocket(self) -> str:
        """Where the browsers' SIP goes to; empty: nowhere."""
        beside = self.ari.rstrip("/").removesuffix("/ari").replace("http", "ws", 1)
        return self.websocket or (f"{beside}/ws" if beside else "")


class Trunk(_Table):
    """A way out. `endpoint`: its PJSIP endpoint on `node`; `lines`, `calls_per_second`: the carrier's limits.

    `number_format`: how the carrier wants numbers: digits (628...), e164 (+628...), national (08...).
    `attempt_header`: a SIP header that carries our attempt id, for a carrier whose call records are compared with ours.
    """

    node: str = ""  # may be left out where there is one Asterisk only
    endpoint: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,39}$")]
    host: Host
    port: Port = 5060
    lines: Annotated[int, Field(ge=1, le=10_000)]
    calls_per_second: Annotated[float, Field(gt=0, le=1000, allow_inf_nan=False)] = 5.0
    caller_ids: Annotated[tuple[CallerId, ...], Field(min_length=1)]
    number_format: Literal["digits", "e164", "national"] = "digits"
    attempt_header: Annotated[str, Field(pattern=r"^(X-[A-Za-z0-9-]{1,40})?$")] = ""

    @property
    def dial(self) -> str:
        """The template that originate.dial_string() fills in."""
        return f"PJSIP/{{{self.number_format}}}@{self.endpoint}"

    @property
    def loopback(self) -> bool:
        """Whether its calls cannot leave this machine; a name is not believed, only an address."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


class AgentSettings(_Table):
    """An agent whom the site knows; his extension is the table's name."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    node: str = ""


class Ivr(_Table):
    """Where `ivr serve` listens for FastAGI, and Asterisk finds it."""

    host: Host = "127.0.0.1"
    port: Port = 4573
    prompts: str = ""  # its folder of sounds, where the web is on the same machine


class ListSettings(_Table):
    """How lists are read, see contacts.ListRules. `country_codes` empty: the region's own."""

    region: Annotated[str, AfterValidator(_region)] = "ID"
    country_codes: tuple[Annotated[int, Field(ge=1, le=999)], ...] = ()
    day_first: bool = False
    currency: Annotated[str, AfterValidator(_currency)] = "IDR"


class RuleFiles(_Table):
    """`folder`: rule packs of the operator's own, before those that come along; `holidays`: his corrections;
    `stricter`: files of rules that tighten a pack. Paths count from the folder of the settings file."""

    folder: str = ""
    holidays: str = ""
    stricter: tuple[str, ...] = ()


class Offers(_Table):
    """What lenders let us offer: `limits` is the file that `ivr serve --limits` reads, too; empty: nothing is offered.
    Its path counts from the folder of the settings file."""

    limits: str = ""


class PaymentSender(_Table):
    """Who may tell of payments; the table's name goes with each as X-Santun-Sender. `lenders`: of these only; empty: of
    all. Its secret stands in SANTUN_PAYMENT_SECRET_<SENDER>."""

    lenders: tuple[Annotated[str, Field(min_length=1, max_length=200)], ...] = ()
    secret: str = Field(repr=False)


class Web(_Table):
    """Pages and API. Beyond loopback it wants TLS (`tls_cert`, `tls_key`: PEM files) or a proxy that has it.

    `hosts`: names under which it is reached; `proxies`: addresses of proxies whose X-Forwarded-For and -Proto are
    believed; `agent_fields`: what agents see of an account; a session ends after `idle_minutes` and after `day_hours`.
    `second_factor`: supervisors and administrators show a code, too; may be off on loopback alone.
    """

    listen: str = "127.0.0.1:8080"
    tls_cert: str = ""
    tls_key: str = ""
    hosts: tuple[Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")], ...] = ()
    proxies: tuple[Annotated[str, AfterValidator(_address)], ...] = ()
    agent_fields: tuple[AgentField, ...] = AGENT_FIELDS
    recordings: str = ""  # the folder that Asterisk records into; empty: recordings are not given out
    uploads: str = ""  # where uploaded lists wait, shared by all web processes; empty: below the system's own folder
    second_factor: bool = True
    idle_minutes: Annotated[int, Field(ge=5, le=720)] = 60
    day_hours: Annotated[int, Field(ge=1, le=24)] = 12
    requests_per_second: Annotated[float, Field(ge=1, le=1000, allow_inf_nan=False)] = 10.0  # of one session or token
    connections_per_address: Annotated[int, Field(ge=10, le=2000)] = 500  # open at once, from one client

    @property
    def host(self) -> str:
        """Where it listens."""
        return self.listen.rpartition(":")[0].strip("[]") or "127.0.0.1"

    @property
    def port(self) -> int:
        return int(self.listen.rpartition(":")[2])

    @property
    def loopback(self) -> bool:
        """Reached from this machine only, by no proxy."""
        return self._on_loopback and not self.proxies

    @property
    def _on_loopback(self) -> bool:
        try:
            return self.host == "localhost" or ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False

    @model_validator(mode="after")
    def _is_safe(self) -> Self:
        port = self.listen.rpartition(":")[2]
        if not (port.isascii() and port.isdigit() and int(port) <= 65535) or not _HOST.fullmatch(self.host):
            raise ValueError(f"listen = {self.listen!r}: use host:port")
        if bool(self.tls_cert) != bool(self.tls_key):
            raise ValueError("tls_cert and tls_key go together")
        if not (self.second_factor or self.loopback):
            raise ValueError("second_factor = false is for listen on loopback alone")
        if not (self._on_loopback or self.tls_cert or self.proxies):
            raise ValueError(
                f"listen = {self.listen!r} is beyond loopback: give tls_cert and tls_key, or proxies = [...] with TLS"
            )
        return self


class MetricsPages(_Table):
    """Where the engine shows /metrics, /healthz and /readyz (docs/metrics.md): host:port; empty: nowhere."""

    listen: Annotated[str, Field(pattern=r"^$|^(\[[0-9A-Fa-f:]{2,39}\]|[A-Za-z0-9.-]{1,253}):[0-9]{1,5}$")] = ""


class SpoolSettings(_Table):
    """Where changes wait while Redis is away (docs/operate.md). `folder` empty: `spool` in the folder that systemd
    gives the service, else beside the settings file; `most_mb`: how much may wait."""

    folder: str = ""
    most_mb: Annotated[int, Field(ge=1, le=100_000)] = 64


class Config(_Table):
    """All settings of a site. `person_key`: the secret of every keyed hash; who loses it loses all histories."""

    redis: Redis = Redis()
    asterisk: Annotated[dict[str, Asterisk], Field(min_length=1)]
    trunk: Annotated[dict[str, Trunk], Field(min_length=1)]
    agents: dict[str, AgentSettings] = Field(default_factory=dict)
    ivr: Ivr = Ivr()
    list: ListSettings = ListSettings()
    rules: RuleFiles = RuleFiles()
    offers: Offers = Offers()
    web: Web = Web()
    metrics: MetricsPages = MetricsPages()
    spool: SpoolSettings = SpoolSettings()
    privacy: Privacy = Privacy()
    payments: dict[str, PaymentSender] = Field(default_factory=dict)
    person_key: bytes = Field(repr=False)

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        wrong = [
            *(f"asterisk.{name}: use a name of a-z, 0-9 and -" for name in self.asterisk if not _NAME.fullmatch(name)),
            *(f"payments.{name}: use a name of a-z, 0-9 and -" for name in self.payments if not _NAME.fullmatch(name)),
            *(f"trunk.{name}: use a name of a-z, 0-9 and -" for name in self.trunk if not _NAME.fullmatch(name)),
            *(
                f"agents.{agent}: use an extension of 2 to 10 digits"
                for agent in self.agents
                if not AGENT_ID.fullmatch(agent)
            ),
            *self._unknown_nodes(),
        ]
        if wrong:
            raise ValueError("; ".join(wrong))
        return self

    def _unknown_nodes(self) -> Iterator[str]:
        known = ", ".join(self.asterisk)
        users = {f"trunk.{name}": trunk.node for name, trunk in self.trunk.items()}
        users |= {f"agents.{name}": agent.node for name, agent in self.agents.items()}
        for user, node in users.items():
            if node and node not in self.asterisk:
                yield f"{user}.node = {node!r}: use one of {known}, or add [asterisk.{node}]"
            elif not node and len(self.asterisk) > 1:
                yield f"set {user}.node to one of {known}"

    def node_of(self, user: Trunk | AgentSettings) -> str:
        """The Asterisk node of a trunk or an agent."""
        return user.node or next(iter(self.asterisk))

    def node_of_agent(self, agent: str) -> str:
        """The Asterisk node on which an agent works, also one whom the settings do not name."""
        known = self.agents.get(agent)
        return self.node_of(known) if known is not None else next(iter(self.asterisk))

    def list_rules(self) -> ListRules:
        """What lists are read by."""
        own = phonenumbers.country_code_for_region(self.list.region)
        codes = frozenset(self.list.country_codes or (own,))
        return ListRules(self.person_key, self.list.region, codes, self.list.day_first, self.list.currency)


def read_config(text: str, env: Mapping[str, str], name: str = "santun.toml") -> Config:
    """The configuration of a file's text and the environment. Raises ConfigError with every fault at once."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{name} is no TOML: {error}.") from None
    wrong = _take_secrets(data, env)
    try:
        config = Config.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{name}: {'; '.join([*wrong, *faults.sentences(error)])}.") from None
    if wrong:
        raise ConfigError(f"{name}: {'; '.join(wrong)}.")
    return config


def web_of(settings: Web, listen: str) -> Web:
    """The same, but for where it listens. Raises ConfigError."""
    try:
        return Web.model_validate(settings.model_dump() | {"listen": listen})
    except ValidationError as error:
        raise ConfigError(f"--listen: {'; '.join(faults.sentences(error))}.") from None


def _take_secrets(data: dict[str, Any], env: Mapping[str, str]) -> list[str]:
    """Put the environment's secrets into `data`; what is missing or stands in the file is a fault."""
    wrong: list[str] = []
    if "person_key" in data:
        wrong.append(f"person_key: take it out of the file, set {PERSON_KEY} instead")
    data["person_key"] = _person_key(env.get(PERSON_KEY, ""), wrong)
    nodes = data.get("asterisk")
    for name, node in nodes.items() if isinstance(nodes, dict) else ():
        if not isinstance(node, dict):
            continue
        own = f"{AMI_SECRET}_{name.upper().replace('-', '_')}"
        if "secret" in node:
            wrong.append(f"asterisk.{name}.secret: take it out of the file, set {AMI_SECRET} instead")
        node["secret"] = env.get(own) or env.get(AMI_SECRET, "")
        if not node["secret"]:
            wrong.append(f"set {AMI_SECRET} (or {own}) to the manager's secret")
        elif not node["secret"].isprintable():
            wrong.append(f"{AMI_SECRET}: use printable characters only")
        if "ari_secret" in node:
            wrong.append(f"asterisk.{name}.ari_secret: take it out of the file, set {ARI_PASSWORD} instead")
        node["ari_secret"] = env.get(f"{ARI_PASSWORD}{own.removeprefix(AMI_SECRET)}") or env.get(ARI_PASSWORD, "")
        if node.get("ari") and not node["ari_secret"]:
            wrong.append(f"set {ARI_PASSWORD}: asterisk.{name}.ari is asked with it")
        if "turn_secret" in node:
            wrong.append(f"asterisk.{name}.turn_secret: take it out of the file, set {TURN_SECRET} instead")
        node["turn_secret"] = env.get(f"{TURN_SECRET}{own.removeprefix(AMI_SECRET)}") or env.get(TURN_SECRET, "")
    _payment_secrets(data, env, wrong)
    _redis_secret(data, env, wrong)
    privacy = data.setdefault("privacy", {})
    if isinstance(privacy, dict):
        if "secret" in privacy:
            wrong.append(f"privacy.secret: take it out of the file, set {SITE_KEYS} or [privacy] keys instead")
        privacy["secret"] = env.get(SITE_KEYS, "")
    return wrong


def _person_key(text: str, wrong: list[str]) -> bytes:
    key = read_key(text)
    if not key:
        wrong.append(f"set {PERSON_KEY} to {KEY_HEX_MIN} or more hex digits: `openssl rand -hex 32`, kept for ever")
    return key


def _payment_secrets(data: dict[str, Any], env: Mapping[str, str], wrong: list[str]) -> None:
    senders = data.get("payments")
    for name, sender in senders.items() if isinstance(senders, dict) else ():
        if not isinstance(sender, dict):
            continue
        own = f"{PAYMENT_SECRET}_{name.upper().replace('-', '_')}"
        if "secret" in sender:
            wrong.append(f"payments.{name}.secret: take it out of the file, set {own} instead")
        sender["secret"] = env.get(own, "")
        if len(sender["secret"]) < SECRET_MIN:
            wrong.append(f"set {own} to {SECRET_MIN} or more characters, such as `openssl rand -hex 32`")


def _redis_secret(data: dict[str, Any], env: Mapping[str, str], wrong: list[str]) -> None:
    redis = data.setdefault("redis", {})
    if not isinstance(redis, dict):
        return
    if "@" in str(redis.get("url", "")):
        wrong.append(f"redis.url: take the password out of the file, set {REDIS_URL} instead")
    if env.get(REDIS_URL):
        redis["url"] = env[REDIS_URL]


# ---- a campaign against its pack and its trunk ----------------------------------------------------------------------


def validate_campaign(campaign: Campaign, pack: Pack, trunk: Trunk) -> list[str]:
    """What forbids to run the campaign, each with its cure; empty: nothing does."""
    return [
        *_guard(campaign, pack, trunk),
        *_law(campaign, pack),
        *_caller(campaign, pack, trunk),
        *_limits(campaign),
        *_words(campaign),
        *schedule.faults(campaign, pack),
    ]


def _guard(campaign: Campaign, pack: Pack, trunk: Trunk) -> list[str]:
    if campaign.pack != pack.id:
        other = f"pack = {campaign.pack!r}, but the rules given are {pack.id!r}: load that pack"
        return [told("other_pack", other, pack=campaign.pack, given=pack.id)]
    if pack.only_trunk_loopback and not (campaign.id in DEMO_CAMPAIGNS and trunk.loopback):
        demo = (
            f"pack = {pack.id!r} knows no hours: only the campaigns {', '.join(DEMO_CAMPAIGNS)} on a trunk with a"
            " loopback address may use it; use the pack of your country"
        )
        return [told("demo_pack", demo, pack=pack.id)]
    return []


def _law(campaign: Campaign, pack: Pack) -> list[str]:
    wrong: list[str] = []
    if campaign.ring_s < pack.ring_min_s:
        short = f"ring_s = {campaign.ring_s}: the pack asks for {pack.ring_min_s} or more"
        wrong.append(told("ring_short", short, value=campaign.ring_s, least=pack.ring_min_s))
    if not 0 < campaign.abandon_rate_max <= pack.abandon_rate_max:
        loose = f"abandon_rate_max = {campaign.abandon_rate_max}: the pack allows 0 < rate <= {pack.abandon_rate_max}"
        wrong.append(told("abandon_loose", loose, value=campaign.abandon_rate_max, most=pack.abandon_rate_max))
    limit = campaign.connect_limit_ms
    if not 500 <= limit <= pack.connect_limit_ms or limit % 250:
        step = f"connect_limit_ms = {limit}: use 500 to {pack.connect_limit_ms} in steps of 250"
        wrong.append(told("connect_limit", step, value=limit, most=pack.connect_limit_ms))
    return wrong


def _caller(campaign: Campaign, pack: Pack, trunk: Trunk) -> list[str]:
    shown = ", ".join(trunk.caller_ids)
    if not campaign.caller_id:
        none = told("caller_id_lacks", f"set caller_id to one of {shown}", known=shown)
        return [none] if pack.caller_id_required else []
    if campaign.caller_id not in trunk.caller_ids:
        other = f"caller_id = {campaign.caller_id!r} is not one of the trunk's: use {shown}"
        return [told("caller_id_other", other, value=campaign.caller_id, known=shown)]
    return []


def _limits(campaign: Campaign) -> list[str]:
    """Whole numbers and fractions in their range; a NaN is in no range."""
    dialling = campaign.ring_s + campaign.post_dial_delay_s
    ranges: tuple[tuple[str, float, float, float], ...] = (
        ("lines_max", campaign.lines_max, 1, 10_000),
        ("calls_per_second", campaign.calls_per_second, 0.01, 1000),
        ("lines_per_agent_max", campaign.lines_per_agent_max, 1, 20),
        ("ratio", campaign.ratio, 1, campaign.lines_per_agent_max),
        ("post_dial_delay_s", campaign.post_dial_delay_s, 1, DIAL_MAX_S),
        ("ring_s + post_dial_delay_s", dialling, 1, DIAL_MAX_S),
        ("grace_ms", campaign.grace_ms, 1000, 60_000),
        ("agent_wait_s", campaign.agent_wait_s, 1, 600),
        ("agent_offer_s", campaign.agent_offer_s, 0, 600),
        ("wrap_up_max_s", campaign.wrap_up_max_s, 0, 3600),
        ("call_max_s", campaign.call_max_s, 60, 14_400),
        ("tries_max", campaign.tries_max, 1, 100),
        ("promise_days_max", campaign.promise_days_max, 0, 366),
        ("promise_least", campaign.promise_least, 0, 10**15),
        ("promise_grace_days", campaign.promise_grace_days, 0, 14),
        ("callback_own_agent_s", campaign.callback_own_agent_s, 0, 3600),
    )
    wrong: list[str] = [
        told("range", f"{name} = {value}: use {low} to {high}", name=name, value=value, low=low, high=high)
        for name, value, low, high in ranges
        if not low <= value <= high
    ]
    if campaign.grace_ms % 1000:
        part = f"grace_ms = {campaign.grace_ms}: use whole seconds, in steps of 1000"
        wrong.append(told("whole_seconds", part, name="grace_ms", value=campaign.grace_ms))
    return wrong


def _words(campaign: Campaign) -> list[str]:
    wrong: list[str] = []
    if not CAMPAIGN_ID.fullmatch(campaign.id):
        wrong.append(told("campaign_id", f"id = {campaign.id!r}: use up to 40 of a-z, 0-9 and -", value=campaign.id))
    if (campaign.kind is Kind.IVR) != (campaign.mode is Mode.IVR):
        unfit = f"kind = {campaign.kind.value!r} and mode = {campaign.mode.value!r} do not fit: ivr needs both"
        wrong.append(told("kind_and_mode", unfit, kind=campaign.kind, mode=campaign.mode))
    if campaign.language not in LANGUAGES:
        where, known = f"language = {campaign.language!r}", ", ".join(LANGUAGES)
        wrong.append(told("use_one_of", f"{where}: use one of {known}", where=where, known=known))
    if campaign.shift_ends and not _CLOCK.fullmatch(campaign.shift_ends):
        clock = f"shift_ends = {campaign.shift_ends!r}: use a time such as 17:30, or leave it empty"
        wrong.append(told("clock", clock, name="shift_ends", value=campaign.shift_ends))
    for name in ("name", "caller_name"):
        text = getattr(campaign, name)
        if not text.isprintable() or len(text) > 100:
            wrong.append(told("one_line", f"{name}: use one line of at most 100 characters", name=name))
    outcomes = [outcome.value for outcome in Outcome]
    for outcome, retry in campaign.retries.items():
        where = f"retries.{outcome}"
        if outcome not in outcomes:
            known = ", ".join(outcomes)
            wrong.append(told("use_one_of", f"{where}: unknown outcome; use one of {known}", where=where, known=known))
        elif not (1 <= retry.after_s <= 30 * 86_400 and 1 <= retry.times <= 50):
            beyond = f"{where}: use after_s of 1 to {30 * 86_400} and times of 1 to 50"
            wrong.append(told("retry_range", beyond, where=where, most_s=30 * 86_400, most=50))
    return [*wrong, *recycle_form.faults(campaign.recycle)]
