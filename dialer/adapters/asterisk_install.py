"""Finds an Asterisk that is able, or unpacks Debian testing's own into `.asterisk/`: no root, nothing else touched.

    python -m dialer.adapters.asterisk_install        find or unpack, then print the command line
    python -m dialer.adapters.asterisk_install -q     the same, silent where all is there

Looked for in this order: SANTUN_ASTERISK (a program, or a folder like .asterisk), `asterisk` on PATH, `.asterisk/`.
Why and how: docs/decisions/0001-asterisk-from-debian-testing.md
"""

import fcntl
import json
import os
import re
import shutil
import sys
from pathlib import Path

from dialer.adapters import debian
from dialer.adapters.asterisk_check import Asterisk, faults, version_of
from dialer.adapters.debian import SetupStopped
from dialer.adapters.programs import OWN

FOLDER = ".asterisk"
ESPEAK = "usr/bin/espeak-ng"
DOWNLOADS = ".cache/asterisk"
STAMP = "santun.json"
FORMAT = 1  # raise it, and every tree unpacked before is made anew
ROOM_NEEDED = 700 * 1024 * 1024
CONFIGURATIONS = (Path("/etc/asterisk/asterisk.conf"), Path("/usr/local/etc/asterisk/asterisk.conf"))


def find(root: Path) -> Asterisk:
    """The Asterisk to use, checked; where there is none, SetupStopped with the cause and the cure."""
    root = root.resolve()
    if there := _found(root) or _unpacked(root / FOLDER):
        return there
    raise SetupStopped("there is no Asterisk that Santun can use; run ./run setup.")


def install(root: Path) -> Asterisk:
    """Like find, but fetches and unpacks Debian's where there is none; of two at once the second waits."""
    root = root.resolve()
    downloads = root / DOWNLOADS
    downloads.mkdir(parents=True, exist_ok=True)
    with (downloads / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        there = _found(root) or _unpacked(root / FOLDER)
        if there is None or not (_machine_speaks(root) or (root / FOLDER / ESPEAK).is_file()):
            _unpack(root, downloads / "apt")
        return there or find(root)


def _machine_speaks(root: Path) -> bool:
    """Has the machine an espeak-ng of its own? Where ./run could not install one, it comes along with Asterisk."""
    found = shutil.which("espeak-ng")
    return found is not None and not Path(found).is_relative_to(root)


def _found(root: Path) -> Asterisk | None:
    """The operator's own choice, which has to be able, or the machine's own, which is passed over if it is not."""
    needed = root / "asterisk-conf/modules.conf"
    if chosen := os.environ.get("SANTUN_ASTERISK"):
        path = Path(chosen).expanduser().resolve()
        there = _unpacked(path) if path.is_dir() else _installed(path)
        wrong = faults(there, needed) if there else ["it is neither an Asterisk nor a folder unpacked by ./run"]
        if there is None or wrong:
            raise SetupStopped(f"SANTUN_ASTERISK={chosen} is of no use, {'; '.join(wrong)}; name another or unset it.")
        return there
    program = shutil.which("asterisk", path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin")
    there = _installed(Path(program)) if program else None
    return there if there and not faults(there, needed) else None


def _installed(program: Path) -> Asterisk | None:
    """An ordinarily installed Asterisk: its folders as its own asterisk.conf names them, or where they usually are."""
    version = version_of([str(program)])
    if version is None:
        return None
    prefix = program.resolve().parents[1]
    modules = [*_configured("astmoddir"), *prefix.glob("lib*/asterisk/modules"), *prefix.glob("lib/*/asterisk/modules")]
    data = [*_configured("astdatadir"), prefix / "share/asterisk", Path("/var/lib/asterisk")]
    module_folder = next((path for path in modules if (path / "chan_pjsip.so").is_file()), None)
    data_folder = next((path for path in data if (path / "documentation").is_dir()), None)
    if module_folder is None or data_folder is None:
        return None
    return Asterisk((str(program),), module_folder, data_folder, _sounds(data_folder), version)


def _configured(name: str) -> list[Path]:
    readable = (file for file in CONFIGURATIONS if os.access(file, os.R_OK))
    found = (re.search(rf"^\s*{name}\s*=>?\s*([^\s;]+)", file.read_text(errors="replace"), re.M) for file in readable)
    return [Path(match[1]) for match in found if match]


def _unpacked(tree: Path) -> Asterisk | None:
    """The Asterisk of a folder that was unpacked whole and tried."""
    try:
        stamp = json.loads((tree / STAMP).read_text())
    except (OSError, ValueError):
        return None
    return _of_tree(tree, stamp["version"]) if stamp.get("format") == FORMAT else None


def _of_tree(tree: Path, version: str) -> Asterisk:
    loader, data = _loader(tree), tree / "usr/share/asterisk"
    command = _command(loader, tree / "usr/sbin/asterisk")
    return Asterisk(command, loader.parent / "asterisk/modules", data, _sounds(data), version)


def _loader(tree: Path) -> Path:
    for loader in sorted(tree.glob("usr/lib/*/ld-linux-*.so.*")):
        return loader
    raise SetupStopped("Debian has no Asterisk for this machine's architecture; set SANTUN_ASTERISK to your own.")


def _command(loader: Path, program: Path) -> tuple[str, ...]:
    """Debian's own dynamic loader and libraries, never the machine's, which may be older or newer."""
    libraries = f"{loader.parent}:{loader.parent / 'pulseaudio'}"  # the second: what espeak-ng stands on
    return (str(loader), "--inhibit-cache", "--library-path", libraries, str(program))


def _sounds(data: Path) -> Path | None:
    return next((path for name in ("en", "en_US_f_Allison") if (path := data / "sounds" / name).is_dir()), None)


def _unpack(root: Path, apt: Path) -> None:
    if shutil.disk_usage(root).free < ROOM_NEEDED:
        raise SetupStopped(f"the disk of {root} has less than 700 MB free; free some and start again.")
    part = root / f"{FOLDER}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    names = ["asterisk"] if _machine_speaks(root) else ["asterisk", "espeak-ng"]
    packages = debian.fetch(names, apt)
    print(f"Unpacking {len(packages)} packages into {FOLDER} and trying whether Asterisk is able", flush=True)
    debian.unpack(packages, part)
    _thin(part)
    version = version_of(_of_tree(part, "").command) or ""
    needed = root / "asterisk-conf/modules.conf"
    if wrong := faults(_of_tree(part, version), needed) if version else ["it does not run"]:
        raise SetupStopped(f"Debian's Asterisk is of no use here, {'; '.join(wrong)}; set SANTUN_ASTERISK to your own.")
    stamp = {"format": FORMAT, "version": version, "packages": [path.name for path in packages]}
    (part / STAMP).write_text(json.dumps(stamp, indent=1) + "\n")
    shutil.rmtree(root / FOLDER, ignore_errors=True)
    part.rename(root / FOLDER)  # in one step: a folder of this name is always whole
    shutil.rmtree(apt)
    if (root / FOLDER / ESPEAK).is_file():
        _offer_espeak(root)


def _offer_espeak(root: Path) -> None:
    """An espeak-ng for PATH, which still works when the whole folder is moved."""
    libraries = _loader(root / FOLDER).parent.relative_to(root)
    command = _command(_loader(root / FOLDER), root / FOLDER / ESPEAK)
    words = " ".join(f'"{word.replace(str(root), "$root")}"' for word in (*command, f"--path={root / libraries}"))
    offered = root / OWN / "espeak-ng"
    offered.parent.mkdir(parents=True, exist_ok=True)
    offered.write_text(f'#!/bin/sh\nroot=$(dirname "$0")/../..\nexec {words} "$@"\n')
    offered.chmod(0o755)


def _thin(tree: Path) -> None:
    """Keeps the program, the libraries and Asterisk's data, half of the size; without documentation/ it won't start."""
    kept = {"usr", "usr/lib", "usr/lib64", "usr/bin", ESPEAK}
    kept |= {"usr/sbin", "usr/sbin/asterisk", "usr/share", "usr/share/asterisk"}
    for folder in ("", "usr", "usr/bin", "usr/sbin", "usr/share"):
        for path in (tree / folder).iterdir():
            if path.relative_to(tree).as_posix() not in kept:
                _delete(path)
    for name in ("gconv", "perl", "perl-base", "perl5"):
        for path in (*tree.glob(f"usr/lib/{name}"), *tree.glob(f"usr/lib/*/{name}")):
            _delete(path)


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def main(arguments: list[str]) -> int:
    try:
        asterisk = install(Path(__file__).parents[2])
    except SetupStopped as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if "-q" not in arguments:
        print(f"Asterisk {asterisk.version}: {' '.join(asterisk.command)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
