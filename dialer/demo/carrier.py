"""The demo's carrier: a second Asterisk whose subscribers behave as their number says, and who keeps its own call log.

A number is +62812, five digits that tell people apart, two digits of delay (quarter seconds of ringing) and two digits
of behaviour: number("human", serial=7, delay_s=3) is +62812000071200. What each behaviour does is in BEHAVIOURS;
carrier/extensions.conf does it; any other number is a human's. Robot agents' phones live here too: they register, pick
up and talk.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dialer.adapters.asterisk_check import Asterisk
from dialer.adapters.asterisk_conf import Phone, directories, fill, section, write
from dialer.adapters.asterisk_process import AsteriskProcess
from dialer.adapters.sounds import Speech, write_messages, write_plain
from dialer.dialplan import endpoint
from dialer.errors import BadInput, ConfigError

CONF = Path(__file__).parent / "carrier"
CATALOGUE = CONF / "sounds.toml"
DELAY_STEP_S = 0.25
DELAY_MAX_S = 24.75
SERIAL_MAX = 99_999


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a subscriber does. `sip`: how the call ends if it is not answered (0: it is; 487: we give up)."""

    code: str
    name: str
    does: str
    sip: int = 0
    human: bool = False
    keys: str = ""  # steps of sub-keys in extensions.conf, joined by '-'; the demo knows its IVR and brings its own

    @property
    def answers(self) -> bool:
        """Somebody or something picks up."""
        return self.sip == 0


BEHAVIOURS = (
    Behaviour("00", "human", "rings for the delay, answers, says halo, talks until hung up", human=True),
    Behaviour("01", "hangs_up_at_once", "rings for the delay, answers and hangs up", human=True),
    Behaviour("02", "hangs_up_soon", "says halo, hears nobody for 1 s, hangs up", human=True),
    Behaviour("03", "hangs_up_later", "says halo, talks for about 5 s, hangs up", human=True),
    Behaviour("04", "long_dial_delay", "10 s of nothing, then like human", human=True),
    Behaviour("05", "listens", "rings for the delay, answers, never says a word", human=True),
    Behaviour("06", "hears", "says halo, then writes down when he hears sound and when not", human=True),
    Behaviour("10", "keys_right", "verifies himself and chooses from the menu", human=True, keys="1-n4-2-1-1"),
    Behaviour("11", "keys_wrong", "fails to verify himself, three times", human=True, keys="1-0000-1111-2222"),
    Behaviour("12", "keys_too_late", "thinks for 12 s before his key", human=True, keys="w12-1-n4-2-1-1"),
    Behaviour("13", "keys_none", "listens and presses nothing", human=True),
    Behaviour("14", "keys_agent", "verifies himself and asks for an agent", human=True, keys="1-n4-0"),
    Behaviour("15", "keys_wrong_person", "says by key that he is somebody else", human=True, keys="9-1"),
    Behaviour("16", "keys_offer", "verifies himself and agrees to pay in parts", human=True, keys="1-n4-3-2-1-1"),
    Behaviour("20", "voicemail", "rings for the delay, greets for about 8 s, beeps, records for 30 s"),
    Behaviour("30", "busy", "486 at once", sip=486),
    Behaviour("31", "rings_out", "rings and nobody comes", sip=487),
    Behaviour("32", "invalid", "404 at once", sip=404),
    Behaviour("33", "congested", "503 at once", sip=503),
    Behaviour("34", "refuses", "603 at once", sip=603),
    Behaviour("35", "announcement", "183 and an operator's announcement, then 480", sip=480),
    Behaviour("36", "dead_air", "100 and then nothing at all", sip=487),
)
BY_CODE = {behaviour.code: behaviour for behaviour in BEHAVIOURS}
BY_NAME = {behaviour.name: behaviour for behaviour in BEHAVIOURS}


def number(behaviour: str, serial: int, delay_s: float = 1.0) -> str:
    """The E.164 number of a subscriber who behaves like this."""
    if behaviour not in BY_NAME:
        raise BadInput(f"{behaviour!r} is no behaviour; choose one of {', '.join(BY_NAME)}.")
    if not 0 <= serial <= SERIAL_MAX or not 0 <= delay_s <= DELAY_MAX_S:
        raise BadInput(f"serial {serial}, delay {delay_s} s: stay within {SERIAL_MAX} and {DELAY_MAX_S} s.")
    return f"+62812{serial:05d}{round(delay_s / DELAY_STEP_S):02d}{BY_NAME[behaviour].code}"


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """One line of the carrier's call log; times are epoch seconds, `answered_at` None if nobody picked up."""

    attempt: str  # X-Santun-Attempt, empty where the dialer does not send it
    number: str
    caller: str
    behaviour: str
    began_at: float
    answered_at: float | None
    ended_at: float
    keys: str


def parse_call(line: str) -> CarrierCall:
    """One line of the call log."""
    try:
        attempt, called, caller, behaviour, began, answered, ended, keys = line.split("|")
        return CarrierCall(
            attempt=attempt,
            number=f"+{called}",
            caller=caller,
            behaviour=behaviour,
            began_at=float(began),
            answered_at=float(answered) or None,
            ended_at=float(ended),
            keys=keys.strip(),
        )
    except ValueError as error:
        raise BadInput(f"{line!r} is no line of the carrier's call log; see sub-log in extensions.conf.") from error


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that reached the carrier, written when it began: it is there, too, when the carrier is killed."""

    attempt: str
    number: str
    began_at: float


def parse_begun(line: str) -> Begun:
    """One line of the log of calls that began."""
    try:
        attempt, called, began = line.strip().split("|")
        return Begun(attempt, f"+{called}", float(began))
    except ValueError as error:
        raise BadInput(f"{line!r} is no line of the carrier's calls begun; see [called] in extensions.conf.") from error


@dataclass(frozen=True, slots=True)
class Heard:
    """When a debtor who `hears` began to hear sound, and when there had been none for a second; epoch seconds."""

    attempt: str
    turns: tuple[tuple[bool, float], ...]  # (sound, since)


def parse_heard(line: str) -> Heard:
    """One line of what was heard."""
    try:
        attempt, turns = line.strip("\n").split("|")
        return Heard(attempt, tuple((turn[0] == "+", float(turn[1:])) for turn in turns.split()))
    except ValueError as error:
        raise BadInput(f"{line!r} is no line of what was heard; see sub-log in extensions.conf.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierSettings:
    """Addresses are loopback by nature: the carrier must be another host than the PBX, which knows it by address."""

    run: Path
    pbx_port: int
    port: int
    pbx_host: str = "127.0.0.1"
    host: str = "127.0.0.2"
    phones_host: str = "127.0.0.3"
    rtp_from: int = 30000
    rtp_to: int = 39999
    phones: tuple[Phone, ...] = ()
    patience_s: int = 0  # who gets no packet at all for so long hangs up; 0: never
    keys: Mapping[str, str] = field(default_factory=dict)  # behaviour's name -> steps, where BEHAVIOURS will not do


class Carrier:
    """Start it after the PBX, so that the phones register at the first try."""

    def __init__(self, asterisk: Asterisk, settings: CarrierSettings) -> None:
        self.settings = settings
        self.process = AsteriskProcess(asterisk, settings.run, settings.run / "sounds")
        self._modules = asterisk.modules

    async def start(self, speech: Speech) -> None:
        """Render, speak what is to be said, start."""
        sounds = self.settings.run / "sounds"
        write_plain(sounds)
        write_messages(sounds, speech, {}, CATALOGUE)
        render(self.settings, self._modules, self.settings.run / "etc")
        await self.process.start()

    async def stop(self) -> None:
        """Hangs up on everybody."""
        await self.process.stop()

    async def calls_now(self) -> int:
        """How many calls are up or ringing."""
        said = await self.process.console("core show channels count")
        return int(said.split()[0])

    def calls(self) -> tuple[CarrierCall, ...]:
        """The call log up to now: calls that have ended, in the order in which they did."""
        return tuple(map(parse_call, _lines(_call_log(self.settings.run))))

    def begun(self) -> tuple[Begun, ...]:
        """Every call that has reached it up to now."""
        return tuple(map(parse_begun, _lines(self.begun_log)))

    @property
    def begun_log(self) -> Path:
        """For who follows it."""
        return _begun_log(self.settings.run)

    def heard(self) -> tuple[Heard, ...]:
        """What those who `hear` have heard in calls that have ended."""
        return tuple(map(parse_heard, _lines(_heard_log(self.settings.run))))


def render(settings: CarrierSettings, modules: Path, out: Path) -> None:
    """Write the carrier's configuration."""
    values = {name: str(path) for name, path in directories(settings.run).items()} | {
        "CARRIER_MODULES": str(modules),
        "CARRIER_HOST": settings.host,
        "CARRIER_PORT": str(settings.port),
        "CARRIER_PHONES_HOST": settings.phones_host,
        "CARRIER_PBX_HOST": settings.pbx_host,
        "CARRIER_PBX_PORT": str(settings.pbx_port),
        "CARRIER_RTP_FROM": str(settings.rtp_from),
        "CARRIER_RTP_TO": str(settings.rtp_to),
        "CARRIER_CALL_LOG": str(_call_log(settings.run)),
        "CARRIER_BEGUN_LOG": str(_begun_log(settings.run)),
        "CARRIER_HEARD_LOG": str(_heard_log(settings.run)),
        "CARRIER_PATIENCE": str(settings.patience_s),
        "CARRIER_KEYS": _keys(settings.keys),
    }
    fill(CONF, values, out)
    write(out / "phones.conf", "".join(_phone(phone, settings) for phone in settings.phones))


def _call_log(run: Path) -> Path:
    return run / "calls.log"


def _begun_log(run: Path) -> Path:
    return run / "begun.log"


def _heard_log(run: Path) -> Path:
    return run / "heard.log"


def _lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []


def _keys(changed: Mapping[str, str]) -> str:
    if unknown := sorted(changed.keys() - BY_NAME.keys()):
        raise ConfigError(f"keys: {', '.join(unknown)} is no behaviour; choose one of {', '.join(BY_NAME)}.")
    pressing = (each for each in BEHAVIOURS if each.code.startswith("1"))
    return "\n".join(f"KEYS_{each.code}={changed.get(each.name, each.keys)}" for each in pressing)


def _phone(phone: Phone, settings: CarrierSettings) -> str:
    name = endpoint(phone.agent)
    pbx = f"{settings.pbx_host}:{settings.pbx_port}"
    text = section(name, "phone", outbound_auth=name, from_user=name, aors=name)
    text += section(name, "phone-auth", username=name, password=phone.password)
    text += section(name, type="aor", contact=f"sip:{pbx}")
    who = {"outbound_auth": name, "client_uri": f"sip:{name}@{pbx}", "contact_user": name}
    return text + section(f"{name}-registration", "phone-registration", **who)
