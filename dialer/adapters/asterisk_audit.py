"""An Asterisk that is there already, held against what Santun needs: its files and, where it runs, what it has loaded.

Only ever read: every fault is a sentence with its cure, and diff() shows what `dialer conf` would have written instead.
"""

import difflib
import glob
import ipaddress
import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dialer.adapters.asterisk_conf import CONF, CONTROL_SOCKET, AsteriskSettings, render
from dialer.adapters.clock import SystemClock
from dialer.adapters.sounds import LANGUAGES, SILENCES_MS, read_catalogue
from dialer.adapters.tls import match_faults, time_faults

READ = frozenset({"system", "call", "user"})
WRITE = frozenset({"originate", "call", "reporting"})
SOUND_KINDS = (".wav", ".wav16", ".sln", ".sln16", ".ulaw", ".alaw")
YES = frozenset({"yes", "true", "y", "t", "1", "on"})  # as Asterisk reads it
CODECS = frozenset({"ulaw", "alaw", "g722", "opus", "slin"})
_SECTION = re.compile(r"\[([^\]]+)\](?:\(([^)]*)\))?")
_SECRET = re.compile(r"^(\w*(?:secret|password|md5_cred|_token)\s*=>?\s*).*$", re.I)
_LOGIN = re.compile(r"(?<=:)[^\s:@/,()]+@")  # in a dialplan: user:password@host
_COMMENT = re.compile(r"(?<!\\);.*")
_SIGN = re.compile(r"\s*(=>?)\s*")
_BLOCK = re.compile(r";--(?!-).*?--;", re.S)
EVERYWHERE = frozenset({"0.0.0.0", "::", "[::]", ""})  # noqa: S104 - what is looked for
ANSWER_S = 5.0
DEFAULT_RUN = "/var/run/asterisk"
_US = (ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1"))

Lines = list[tuple[str, str]]
Console = Callable[[str], str]  # a command of Asterisk's console -> what it says


@dataclass(frozen=True, slots=True)
class Section:
    """One section of a configuration file. `is_template`: it stands for nothing by itself."""

    name: str
    lines: Lines
    is_template: bool = False

    def last(self, key: str) -> str:
        """The value that counts; empty: none."""
        return next((value for name, value in reversed(self.lines) if name == key), "")

    def all(self, key: str) -> list[str]:
        return [value for name, value in self.lines if name == key]


def sections(folder: Path, name: str) -> list[Section]:
    """A configuration file as Asterisk reads it: includes followed, templates laid under. [] where there is none."""
    found: list[Section] = []
    by_name: dict[str, Lines] = {}
    for line in _text(folder, name, 0):
        head = _SECTION.match(line)
        if head:
            lines: Lines = []
            words = [word.strip() for word in (head[2] or "").split(",")]
            for word in words:
                lines += by_name.get(word, [])
            if "+" in words:
                lines = by_name.setdefault(head[1], lines)
            by_name[head[1]] = lines
            found.append(Section(head[1], lines, "!" in words))
        elif found and "=" in line:
            key, _, value = line.partition("=")
            found[-1].lines.append((key.strip(), value.removeprefix(">").strip()))
    return found


def _text(folder: Path, name: str, depth: int) -> Iterator[str]:
    if depth > 8:
        return
    for path in sorted(glob.glob(os.path.join(glob.escape(str(folder)), name))):
        for line in _lines(Path(path)):
            include = re.match(r"#(?:try)?include\s+[\"<]?([^\">]+)", line)
            if include:
                yield from _text(folder, include[1].strip(), depth + 1)
            else:
                yield line


def _lines(path: Path) -> list[str]:
    """Of one file what has a meaning: no comments, no empty lines."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    lines = (_COMMENT.sub("", line).strip() for line in _BLOCK.sub("", text).splitlines())
    return [_SIGN.sub(r"\1", line, count=1) for line in lines if line]


def audit(folder: Path, node: AsteriskSettings, console: Console | None = None) -> list[str]:
    """What is wrong with the Asterisk whose configuration is in `folder`; `console`: of the one that runs."""
    if not (folder / "asterisk.conf").is_file():
        return [f"{folder}: there is no asterisk.conf; name Asterisk's folder by --pbx."]
    with tempfile.TemporaryDirectory() as made:
        ours = Path(made)
        render(node, CONF, ours)
        found = [
            *_modules(folder, ours, node, console),
            *_options(folder),
            *_manager(folder, ours, node),
            *_dialplan(folder, ours, console),
            *_pjsip(folder, ours),
            *_http(folder, node),
            *_tls(folder, ours, datetime.fromtimestamp(SystemClock().now(), UTC)),
        ]
    return [*found, *_sounds(node)]


def diff(folder: Path, node: AsteriskSettings) -> str:
    """What `dialer conf` would change in `folder`, as one unified diff of what has a meaning: no comments, no files
    that it would leave empty; secrets are named, never shown."""
    with tempfile.TemporaryDirectory() as made:
        render(node, CONF, Path(made))
        parts = [_differs(folder / path.name, path) for path in sorted(Path(made).glob("*.conf"))]
    return "".join(parts)


def _differs(theirs: Path, ours: Path) -> str:
    there, wanted = _lines(theirs), _lines(ours)
    if not wanted or there == wanted:
        return ""
    told = [_LOGIN.sub("(there is one)@", _SECRET.sub(r"\1(there is one)", one)) for one in there]
    meant = [_SECRET.sub(r"\1(of our settings)", one) for one in wanted]
    lines = difflib.unified_diff(told, meant, str(theirs), f"{theirs} (santun)", lineterm="")
    return "".join(f"{line}\n" for line in lines)


# ---- each part: sentences ------------------------------------------------------------------------------------------


def _modules(folder: Path, ours: Path, node: AsteriskSettings, console: Console | None) -> Iterator[str]:
    wanted = {value for one in sections(ours, "modules.conf") for value in one.all("load")}
    theirs = [one for one in sections(folder, "modules.conf") if one.name == "modules"]
    if console is not None:
        shown = [line.split() for line in console("module show").splitlines() if ".so" in line]
        loaded = {words[0] for words in shown if "Running" in words and "Not" not in words}
        cure = "add `load={}` to modules.conf and restart Asterisk"
    else:
        everything = any(one.last("autoload") == "yes" for one in theirs)
        loaded = {value for one in theirs for key in ("load", "preload", "require") for value in one.all(key)}
        loaded |= wanted if everything else set()
        cure = "add `load={}` to modules.conf"
    loaded -= {value for one in theirs for value in one.all("noload")} if console is None else set()
    for name in sorted(wanted - loaded):
        yield f"modules.conf: {name} is not loaded; {cure.format(name)}."
    if node.modules.is_dir():
        for name in sorted(name for name in wanted if not (node.modules / name).is_file()):
            yield f"modules: {name} is not in {node.modules}; install the package of Asterisk's that has it."
    if not any(name.startswith("res_timing_") for name in loaded):
        yield "modules.conf: no timing module, so conferences and prompts would be silent; load res_timing_timerfd.so."


def _options(folder: Path) -> Iterator[str]:
    options = next((one for one in sections(folder, "asterisk.conf") if one.name == "options"), Section("options", []))
    if options.last("live_dangerously") in YES:
        yield "asterisk.conf: whoever may set a variable may run a shell; set live_dangerously=no in [options]."


def _manager(folder: Path, ours: Path, node: AsteriskSettings) -> Iterator[str]:
    found, general = sections(folder, "manager.conf"), _general(folder, "manager.conf")
    if general.last("enabled") not in YES:
        yield "manager.conf: the manager is off; set enabled=yes in [general]."
    if general.last("webenabled") in YES:
        yield "manager.conf: the manager answers over HTTP; set webenabled=no in [general]."
    if general.last("bindaddr") in EVERYWHERE and node.ami_host not in EVERYWHERE:
        yield f"manager.conf: it listens on every address; set bindaddr={node.ami_host} in [general]."
    user = next((one for one in found if one.name == node.ami_user and not one.is_template), None)
    if user is None:
        yield f"manager.conf: there is no user [{node.ami_user}]; add the section of the diff."
        return
    for right, needed in (("read", READ), ("write", WRITE)):
        held = {word.strip() for value in user.all(right) for word in value.split(",") if word.strip()}
        if missing := sorted(needed - held - ({*needed} if "all" in held else set())):
            lacks = f"{right}={','.join(missing)}"
            yield f"manager.conf: [{user.name}] lacks {lacks}; set {right}={','.join(sorted(needed))}."
        if extra := sorted(held - needed):
            yield (
                f"manager.conf: [{user.name}] may do more than it needs: {right}={','.join(extra)}; "
                f"set {right}={','.join(sorted(needed))}."
            )
    if not user.all("acl") and (not user.all("deny") or not user.all("permit") or _anybody(user.all("permit"))):
        cure = f"set deny=0.0.0.0/0.0.0.0, permit={node.ami_permit}"
        yield f"manager.conf: [{user.name}] may log in from anywhere; {cure}."
    if not any("eventfilter" in key for key, _ in user.lines):
        yield f"manager.conf: [{user.name}] gets every event of every call; add the eventfilter lines of the diff."
        return
    wanted = next(one for one in sections(ours, "manager.conf") if one.name == node.ami_user)
    told = _events(user)
    if told and (missing := sorted(_events(wanted) - told)):
        yield f"manager.conf: [{user.name}] is not told of {', '.join(missing)}; add the eventfilter lines of the diff."


def _events(user: Section) -> set[str]:
    """Those that it is told of by name; empty: by older filters, which are not looked into."""
    return {name for key, _ in user.lines for name in re.findall(r"name\((\w+)\)", key)}


def _anybody(permits: list[str]) -> bool:
    """Whether one of these networks is the whole world."""
    return any(one.rpartition("/")[2] in ("0", "0.0.0.0") for one in permits if "/" in one)  # noqa: S104


def _dialplan(folder: Path, ours: Path, console: Console | None) -> Iterator[str]:
    theirs = {one.name: set(_extensions(one)) for one in sections(folder, "extensions.conf")}
    for wanted in sections(ours, "extensions.conf"):
        if wanted.name in ("general", "globals"):
            continue
        if wanted.name not in theirs:
            yield f"extensions.conf: context [{wanted.name}] is missing; include our extensions.conf."
            continue
        for exten in sorted(set(_extensions(wanted)) - theirs[wanted.name]):
            yield f"extensions.conf: [{wanted.name}] has no extension {exten}; take the context over from the diff."
        if console is not None and "There is no existence" in console(f"dialplan show {wanted.name}"):
            yield f"Asterisk has not read [{wanted.name}]; run `dialplan reload`."


def _extensions(section: Section) -> Iterator[str]:
    return (value.partition(",")[0].strip() for key, value in section.lines if key == "exten")


def _pjsip(folder: Path, ours: Path) -> Iterator[str]:
    theirs = [one for one in sections(folder, "pjsip.conf") if not one.is_template]
    kinds = {(one.last("type"), one.name): one for one in theirs}
    for one in theirs:
        if one.last("type") == "identify":
            wrong = [part.strip() for value in one.all("match") for part in value.split(",") if _is_us(part.strip())]
            if wrong:
                yield (
                    f"pjsip.conf: [{one.name}] takes {', '.join(wrong)} for {one.last('endpoint')}: the browsers' "
                    "websocket comes from there, as does all that this machine runs; give the trunk another address."
                )
    if ("endpoint", "anonymous") in kinds:
        yield "pjsip.conf: [anonymous] lets anybody call in; remove it."
    if not any(one.last("type") == "transport" for one in theirs):
        yield "pjsip.conf: there is no transport; add [udp] of the diff."
    for wanted in sections(ours, "pjsip.conf"):
        if wanted.is_template or wanted.last("type") != "endpoint":
            continue
        found = kinds.get(("endpoint", wanted.name))
        if found is None:
            yield f"pjsip.conf: endpoint [{wanted.name}] is missing; add its sections of the diff."
            continue
        codecs = {word.strip() for value in found.all("allow") for word in value.split(",")}
        if not codecs & CODECS and "all" not in codecs:
            yield f"pjsip.conf: [{wanted.name}] allows no codec of ours; set allow=ulaw,alaw."
        if found.last("context") != wanted.last("context"):
            cure = f"set context={wanted.last('context')}"
            yield f"pjsip.conf: [{wanted.name}] calls into [{found.last('context')}]; {cure}."


def _is_us(match: str) -> bool:
    """Whether it holds 127.0.0.1; 127.0.0.2 and its like are other machines on this one, as in the demo."""
    try:
        network = ipaddress.ip_network("127.0.0.1" if match == "localhost" else match, strict=False)
    except ValueError:
        return False
    return any(address in network for address in _US if address.version == network.version)


def _http(folder: Path, node: AsteriskSettings) -> Iterator[str]:
    if not node.browsers:
        return
    if (_general(folder, "ari.conf").last("enabled") or "yes") not in YES:
        yield "ari.conf: it is off, and agents in a browser need it; set enabled=yes in [general]."
    if not any(one.last("type") == "user" and one.name == node.ari_user for one in sections(folder, "ari.conf")):
        yield f"ari.conf: there is no user [{node.ari_user}], who pushes passwords; add ari_users.conf of the diff."
    http = _general(folder, "http.conf")
    if http.last("enabled") in YES:
        yield from _plain_http(http, node)
    elif node.http_port:
        yield "http.conf: it is off, and agents in a browser need it; set enabled=yes in [general]."


def _plain_http(http: Section, node: AsteriskSettings) -> Iterator[str]:
    if not node.http_port:
        yield "http.conf: it answers in the clear beside TLS; set enabled=no in [general]."
        return
    if http.last("bindport") != str(node.http_port):
        yield f"http.conf: it listens on port {http.last('bindport') or '8088'}; set bindport={node.http_port}."
    if not (http.last("bindaddr").startswith("127.") or http.last("bindaddr") in ("::1", "localhost", node.http_host)):
        yield f"http.conf: it listens on {http.last('bindaddr') or 'every address'}; set bindaddr={node.http_host}."


def _tls(folder: Path, ours: Path, now: datetime) -> Iterator[str]:
    """Of the manager and of HTTP, where we want it: switched on, at its place, with a pair that fits and holds."""
    for name in ("manager.conf", "http.conf"):
        wanted, theirs = _general(ours, name), _general(folder, name)
        if wanted.last("tlsenable") != "yes":
            continue
        if theirs.last("tlsenable") not in YES:
            yield f"{name}: TLS is off; add the lines of the diff that begin with tls."
            continue
        if theirs.last("tlsbindaddr") != wanted.last("tlsbindaddr"):
            place = theirs.last("tlsbindaddr") or "its default place"
            yield f"{name}: TLS listens on {place}; set tlsbindaddr={wanted.last('tlsbindaddr')}."
        cert, key = theirs.last("tlscertfile"), theirs.last("tlsprivatekey")
        for fault in (*match_faults(cert, key or cert), *time_faults(Path(cert), now)):
            yield f"{name}: {fault}; without a pair that holds it does not listen with TLS."


def _general(folder: Path, name: str) -> Section:
    return next((one for one in sections(folder, name) if one.name == "general"), Section("general", []))


def _sounds(node: AsteriskSettings) -> Iterator[str]:
    names = [f"silence-{length_ms}" for length_ms in SILENCES_MS] + ["tone-ok"]
    names += [f"{language}/{name}" for name in read_catalogue() for language in LANGUAGES]
    missing = [name for name in names if not any((node.sounds / f"{name}{kind}").is_file() for kind in SOUND_KINDS)]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield (
            f"sounds: {', '.join(missing[:3])}{more} missing in {node.sounds}; "
            f"run `ivr prompts render --out {node.sounds}`."
        )


# ---- the one that runs ---------------------------------------------------------------------------------------------


def console_of(folder: Path) -> Console | None:
    """The console of the Asterisk whose configuration is in `folder`, by its control socket; None: it does not run, or
    this user may not."""
    directories = next((one for one in sections(folder, "asterisk.conf") if one.name == "directories"), None)
    place = Path((directories.last("astrundir") if directories else "") or DEFAULT_RUN) / CONTROL_SOCKET

    def ask(command: str) -> str:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(ANSWER_S)
            link.connect(str(place))
            while b"\n" not in link.recv(4096):  # host/pid/version
                pass
            link.sendall(f"cli quit after {command}".encode() + b"\0")
            said = b""
            while more := link.recv(65536):
                said += more
        return said.decode(errors="replace").replace("\0", "")

    try:
        return ask if ask("core show version") else None
    except OSError:
        return None
