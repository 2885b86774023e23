"""Fetches Debian packages with all they stand on, signatures checked, and unpacks them into a folder; no root needed.

It is the machine's own apt with folders of its own and an empty list of installed packages, so that the whole closure
comes, libc included, and nothing of the machine's own system is used or changed.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from dialer.errors import SetupError

SUITE = "forky"  # named, not "testing": the testing after it would bring another Asterisk
PUBLIC = "http://deb.debian.org/debian"
KEYRINGS = tuple(Path(f"/usr/share/keyrings/debian-archive-keyring.{kind}") for kind in ("gpg", "pgp"))

# What an apt that failed says -> the cause and the cure in our words; the first that fits.
CAUSES = (
    (
        r"is expired",
        "the Release file of {mirror} is past its date and SANTUN_STRICT_APT=1 refuses it;"
        " set SANTUN_DEBIAN_MIRROR to a mirror that is up to date",
    ),
    (r"not valid yet", "the Release file of {mirror} is from the future; set this machine's clock"),
    (
        r"NO_PUBKEY|is not signed|BADSIG|[Ii]nvalid signature|signatures were invalid|Missing key|sqv returned",
        "the Release file of {mirror} is not signed by a key in {keyring};"
        " bring the package debian-archive-keyring up to date",
    ),
    (
        r"does not have a Release file|404 +Not Found|File not found",
        "{mirror} has no Debian {suite}; set SANTUN_DEBIAN_MIRROR to a mirror that has",
    ),
    (r"Could not get lock", "an apt-get started before is still at work here; wait for its end and start again"),
    (r"[Nn]o space left|enough free space", "the disk is full; free 700 MB"),
    (
        r"Failed to fetch|Could not|Unable to connect|Temporary failure|unreachable|timed out|Connection failed",
        "the Debian mirror {mirror} does not answer;"
        " check the network, or set SANTUN_DEBIAN_MIRROR to a mirror that does",
    ),
)


class SetupStopped(SetupError):
    """Set-up stopped:"""


def fetch(packages: Sequence[str], folder: Path) -> list[Path]:
    """Downloads the packages and everything below them into folder; a download that broke off goes on from there."""
    for tool in ("apt-get", "apt-config", "dpkg-deb"):
        if not shutil.which(tool):
            raise SetupStopped(
                f"there is no {tool} here to fetch Debian's packages; install Asterisk 22 and set SANTUN_ASTERISK."
            )
    keyring = next((path for path in KEYRINGS if path.is_file()), None)
    if keyring is None:
        raise SetupStopped(
            "Debian's keys are not here to check its signatures; install the package debian-archive-keyring."
        )
    mirror = _mirror()
    told = {"mirror": mirror, "keyring": str(keyring), "suite": SUITE}
    _configure(folder, f"deb [signed-by={keyring}] {mirror} {SUITE} main\n")
    print(f"Fetching {', '.join(packages)} from Debian {SUITE} at {mirror} (about 90 MB)", flush=True)
    late = _apt(folder, told, "update", may_be_late=os.environ.get("SANTUN_STRICT_APT") != "1")
    _apt(folder, told, *late, "install", "-y", "--download-only", "--no-install-recommends", *packages)
    return sorted((folder / "cache/archives").glob("*.deb"))


def unpack(packages: Sequence[Path], into: Path) -> None:
    for package in packages:
        ended = subprocess.run(["dpkg-deb", "-x", package, into], capture_output=True, text=True, check=False)
        if ended.returncode != 0:
            package.unlink(missing_ok=True)  # the next try fetches it again
            said = (ended.stderr.strip().splitlines() or [str(ended.returncode)])[-1]
            raise SetupStopped(f"{package.name} cannot be unpacked ({said}); free 700 MB of disk and start again.")


def _mirror() -> str:
    """The mirror that this machine's own apt uses for Debian, else Debian's public address."""
    if chosen := os.environ.get("SANTUN_DEBIAN_MIRROR"):
        return chosen.rstrip("/")
    targets = subprocess.run(
        ["apt-get", "indextargets", "--no-release-info", "--format", "$(REPO_URI)", "Created-By: Packages"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    # Ubuntu's, the security archive's and other people's addresses do not end so
    return next((uri.rstrip("/") for uri in targets if uri.rstrip("/").endswith("/debian")), PUBLIC)


def _configure(folder: Path, sources: str) -> None:
    for name in ("state/lists/partial", "cache/archives/partial", "etc/preferences.d", "etc/sources.list.d"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()  # empty: nothing counts as installed
    (folder / "etc/sources.list").write_text(sources)
    settings = {
        "Dir": folder,
        "Dir::State": folder / "state",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Dir::Etc": folder / "etc",
        "Dir::Etc::netrc": "/etc/apt/auth.conf",
        "Dir::Etc::netrcparts": "/etc/apt/auth.conf.d",
        "APT::Sandbox::User": "root",  # the user _apt cannot reach a folder in somebody's home
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Acquire::Retries": "3",
        "Acquire::http::Timeout": "30",
    }
    # of the machine's own settings only how to reach the network: its proxy, its certificates
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout
    network = re.findall(r"^Acquire::(?:https?|ftp)::.*;$", dump, re.MULTILINE)
    (folder / "apt.conf").write_text("\n".join([*network, *(f'{key} "{settings[key]}";' for key in settings), ""]))


def _apt(folder: Path, told: Mapping[str, str], *arguments: str, may_be_late: bool = False) -> tuple[str, ...]:
    """Runs the private apt; returns the option that the next run needs because the Release file is past its date."""
    ended = subprocess.run(
        ["apt-get", "-q", *arguments],
        env={**os.environ, "APT_CONFIG": str(folder / "apt.conf"), "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode == 0:
        return ()
    if may_be_late and "is expired" in ended.stdout:
        print(
            f"Warning: {told['mirror']} is a copy past its date, so security updates may be missing;"
            " its signatures are still checked, and SANTUN_STRICT_APT=1 refuses it.",
            file=sys.stderr,
        )
        late = ("-o", "Acquire::Check-Valid-Until=false")
        _apt(folder, told, *late, *arguments)
        return late
    raise SetupStopped(f"{_cause(ended.stdout, told)}.")


def _cause(said: str, told: Mapping[str, str]) -> str:
    errors = [line for line in said.splitlines() if re.match(r"[EW]: |Err:|  ", line)]
    for pattern, words in CAUSES:
        if re.search(pattern, "\n".join(errors)):
            return words.format(**told)
    last = errors[-1].removeprefix("E: ") if errors else "it said nothing"
    return f"apt-get failed on {told['mirror']} ({last}); set SANTUN_DEBIAN_MIRROR to another mirror"
