"""Finding, trying and unpacking Asterisk: invented programs for what goes wrong, the real one for what goes well."""

import json
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from dialer.adapters import debian
from dialer.adapters.asterisk_check import Asterisk, faults, version_of
from dialer.adapters.asterisk_install import FOLDER, FORMAT, STAMP, find, install, main
from dialer.adapters.debian import SetupStopped

ROOT = Path(__file__).parents[2]

# An asterisk by its command line and its manager interface; each kind lacks one thing that Santun needs.
INVENTED = """
    import re, socket, sys
    from pathlib import Path
    if sys.argv[1:] == ["-V"]:
        print("Asterisk 18.10.0~dfsg+~cs6.10.40431411-2")
        raise SystemExit
    KIND = "{kind}"
    if KIND == "dead":
        print("Stasis initialization failed.  ASTERISK EXITING!")
        raise SystemExit(1)
    conf = Path(sys.argv[-1]).with_name("manager.conf").read_text()
    server = socket.create_server(("127.0.0.1", int(re.search(r"port=(\\d+)", conf)[1])))
    link = server.accept()[0]
    ask = link.makefile("r")
    def say(*lines): link.sendall(("\\r\\n".join(lines) + "\\r\\n\\r\\n").encode())
    link.sendall(b"Asterisk Call Manager/7.0.3\\r\\n")
    for line in ask:
        if line.startswith("Action: Login"):
            say("Response: Success")
            say("Event: FullyBooted", "Status: Fully Booted")
        if line.startswith("Action: UserEvent"):
            say("Response: Success")
            if KIND == "no filter":
                say("Event: UserEvent", "UserEvent: NotAskedFor")
        if line.startswith("ActionID: amd"):
            file = "" if KIND == "no audio file" else ",audioFile"
            say("Response: Success", "ActionID: amd", f"Output: AMD([initialSilence{{file}}])")
"""


def program(path: Path, body: str, interpreter: str = "/bin/sh") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!{interpreter}\n{dedent(body)}")
    path.chmod(0o755)
    return path


def installed(prefix: Path, kind: str) -> Path:
    """An Asterisk as a distribution lays it out, below prefix."""
    for name in ("chan_pjsip.so", "app_amd.so"):
        program(prefix / "lib/asterisk/modules" / name, "")
    (prefix / "share/asterisk/documentation").mkdir(parents=True)
    return program(prefix / "sbin/asterisk", INVENTED.format(kind=kind), sys.executable)


def as_asterisk(found: Path) -> Asterisk:
    return Asterisk(
        (str(found),), found.parents[1] / "lib/asterisk/modules", found.parents[1] / "share/asterisk", None, ""
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project's folder on a machine with no Asterisk and with an espeak-ng."""
    monkeypatch.delenv("SANTUN_ASTERISK", raising=False)
    monkeypatch.delenv("SANTUN_STRICT_APT", raising=False)
    monkeypatch.setenv("SANTUN_DEBIAN_MIRROR", "http://mirror.invalid/debian/")
    program(tmp_path / "bin/espeak-ng", "")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    (tmp_path / "project").mkdir()
    return tmp_path / "project"


def apt(root: Path, body: str) -> Path:
    program(root.parent / "bin/apt-config", "")
    log = root.parent / "apt.log"
    program(root.parent / "bin/apt-get", f'echo "$*" >>{log}\n{dedent(body)}')
    return log


# --- is it able? ---


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        ("able", ""),
        ("no filter", "it does not know the event filter syntax eventfilter(action(include),name(X)) in manager.conf"),
        ("no audio file", "its AMD application has no audioFile argument"),
        ("dead", "it did not start (Stasis initialization failed.  ASTERISK EXITING!)"),
    ],
)
def test_what_an_asterisk_lacks_is_named(tmp_path: Path, kind: str, fault: str) -> None:
    assert faults(as_asterisk(installed(tmp_path, kind))) == ([fault] if fault else [])


def test_a_module_of_our_configuration_that_was_not_built_is_named(tmp_path: Path) -> None:
    conf = tmp_path / "modules.conf"
    conf.write_text("[modules]\nautoload=no\nload = app_amd.so ; detection\n; load=res_odbc.so\nload=res_none.so\n")
    found = as_asterisk(installed(tmp_path, "able"))
    assert faults(found, conf) == [f"it has no res_none.so in {found.modules}"]


def test_a_version_is_read_without_the_packagers_part(tmp_path: Path) -> None:
    assert version_of([str(installed(tmp_path, "able"))]) == "18.10.0"


@pytest.mark.parametrize("body", ["echo Usage: something", "exit 1", "echo Asterisk"])
def test_another_program_has_no_version(tmp_path: Path, body: str) -> None:
    assert version_of([str(program(tmp_path / "other", body))]) is None
    assert version_of([str(tmp_path / "nothing")]) is None


# --- where is it? ---


def test_the_chosen_one_comes_first(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = installed(root / "mine", "able")
    installed(root.parent, "able")
    monkeypatch.setenv("SANTUN_ASTERISK", str(chosen))
    assert find(root) == Asterisk(
        (str(chosen),), root / "mine/lib/asterisk/modules", root / "mine/share/asterisk", None, "18.10.0"
    )


@pytest.mark.parametrize("kind", ["no filter", "dead"])
def test_a_chosen_one_that_is_not_able_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("SANTUN_ASTERISK", str(installed(root / "mine", kind)))
    with pytest.raises(SetupStopped, match=r"SANTUN_ASTERISK=.* is of no use, it .*; name another or unset it\.$"):
        find(root)


def test_a_chosen_path_that_is_none_is_refused(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in (root, root / "nothing", program(root / "other", "")):
        monkeypatch.setenv("SANTUN_ASTERISK", str(path))
        with pytest.raises(SetupStopped, match="neither an Asterisk nor a folder"):
            find(root)


def test_the_machines_own_is_taken_when_able(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = installed(root.parent, "able")
    monkeypatch.setenv("PATH", f"{own.parent}:/usr/bin:/bin")
    assert find(root).command == (str(own),)


def test_the_machines_own_is_passed_over_when_not_able(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{installed(root.parent, 'no filter').parent}:/usr/bin:/bin")
    with pytest.raises(SetupStopped, match=r"run \./run setup\.$"):
        find(root)


@pytest.mark.parametrize("stamp", [None, "", "{}", json.dumps({"format": FORMAT - 1, "version": "22"})])
def test_a_half_or_old_tree_does_not_count(root: Path, stamp: str | None) -> None:
    program(root / FOLDER / "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2", "")
    if stamp is not None:
        (root / FOLDER / STAMP).write_text(stamp)
    with pytest.raises(SetupStopped):
        find(root)


def test_a_whole_tree_is_started_by_its_own_loader(root: Path) -> None:
    libraries = root / FOLDER / "usr/lib/aarch64-linux-gnu"
    program(libraries / "ld-linux-aarch64.so.1", "")
    (root / FOLDER / STAMP).write_text(json.dumps({"format": FORMAT, "version": "22.10.1"}))
    found = find(root)
    assert found.command[0] == str(libraries / "ld-linux-aarch64.so.1")
    assert found.command[-1] == str(root / FOLDER / "usr/sbin/asterisk")
    assert (found.modules, found.version) == (libraries / "asterisk/modules", "22.10.1")
    assert install(root) == found


# --- unpack it ---

LATE = """
    case "$*" in
        *Check-Valid-Until=false*) ;;
        *update*) echo "E: Release file for http://x/InRelease is expired (invalid since 15d)."; exit 100 ;;
    esac
"""


def test_a_copy_past_its_date_goes_on_with_one_warning(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = apt(root, LATE)
    assert debian.fetch(["asterisk"], root / "apt") == []
    assert capsys.readouterr().err.splitlines() == [
        "Warning: http://mirror.invalid/debian is a copy past its date, so security updates may be missing;"
        " its signatures are still checked, and SANTUN_STRICT_APT=1 refuses it."
    ]
    assert [line for line in log.read_text().splitlines() if "Check-Valid-Until=false" in line][-1].endswith(
        "install -y --download-only --no-install-recommends asterisk"
    )


def test_a_copy_past_its_date_is_refused_when_strict(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANTUN_STRICT_APT", "1")
    log = apt(root, LATE)
    with pytest.raises(SetupStopped, match=r"past its date and SANTUN_STRICT_APT=1 refuses it; set SANTUN_DEBIAN_M"):
        debian.fetch(["asterisk"], root / "apt")
    assert "Check-Valid-Until" not in log.read_text()


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("E: Release file is not valid yet (invalid for another 2h).", "set this machine's clock"),
        ("W: GPG error: http://x InRelease: signatures couldn't be verified: NO_PUBKEY 6ED0E7B8", "keyring up to date"),
        ("E: The repository 'http://x forky InRelease' is not signed.", "keyring up to date"),
        ("E: The repository 'http://x forky Release' does not have a Release file.", "has no Debian forky"),
        ("E: Failed to fetch http://x  Could not resolve 'x'", "does not answer; check the network"),
        ("Err:1 http://x forky InRelease\n  Could not connect to x:80 (1.2.3.4)", "does not answer"),
        ("E: Could not get lock /x/lock. It is held by process 652 (apt-get)", "still at work here; wait for its end"),
        ("E: You don't have enough free space in /x.", "the disk is full; free 700 MB"),
        ("E: Something else", "(Something else); set SANTUN_DEBIAN_MIRROR to another mirror"),
        ("", "(it said nothing)"),
    ],
)
def test_what_apt_says_becomes_one_sentence(root: Path, said: str, words: str) -> None:
    apt(root, f"cat <<'END'\n{said}\nEND\nexit 100")
    with pytest.raises(SetupStopped) as stopped:
        install(root)
    assert words in str(stopped.value)
    assert str(stopped.value).startswith("Set-up stopped: ")
    assert str(stopped.value).endswith(".")
    assert "\n" not in str(stopped.value)
    assert not (root / FOLDER).exists()


def test_nothing_of_the_machines_apt_but_its_way_to_the_network(root: Path) -> None:
    apt(root, "")
    program(
        root.parent / "bin/apt-config",
        """
        echo 'Acquire::http::Proxy "http://proxy:3128";'
        echo 'Acquire::Check-Valid-Until "false";'
        echo 'APT::Get::AllowUnauthenticated "true";'
        """,
    )
    debian.fetch(["asterisk"], root / "apt")
    conf = (root / "apt/apt.conf").read_text()
    assert "proxy:3128" in conf
    assert "Valid-Until" not in conf
    assert "Unauthenticated" not in conf
    assert "signed-by=" in (root / "apt/etc/sources.list").read_text()


def test_the_mirror_is_the_machines_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SANTUN_DEBIAN_MIRROR")
    apt(
        root,
        """
        [ "$1" = indextargets ] || exit 0
        echo http://archive.ubuntu.com/ubuntu/
        echo http://security.debian.org/debian-security/
        echo http://ftp.id.debian.org/debian/
        """,
    )
    debian.fetch(["asterisk"], root / "apt")
    assert "] http://ftp.id.debian.org/debian forky main" in (root / "apt/etc/sources.list").read_text()
    apt(root, "[ $1 = indextargets ] || exit 0; echo http://archive.ubuntu.com/ubuntu/")
    debian.fetch(["asterisk"], root / "apt")
    assert f"] {debian.PUBLIC} forky main" in (root / "apt/etc/sources.list").read_text()


def test_unpacking_that_breaks_off_leaves_no_tree_and_asks_for_that_package_again(root: Path) -> None:
    apt(root, "")
    package = root / ".cache/asterisk/apt/cache/archives/libc6_2.43_amd64.deb"
    program(package, "")
    program(root.parent / "bin/dpkg-deb", "echo 'dpkg-deb: error: unexpected end of file' >&2; exit 2")
    with pytest.raises(SetupStopped, match=r"libc6_2.43_amd64.deb cannot be unpacked \(dpkg-deb: error: unexpected"):
        install(root)
    assert not package.exists()
    assert not (root / FOLDER).exists()


def test_a_tree_that_does_not_run_never_counts(root: Path) -> None:
    apt(root, "")
    program(root / ".cache/asterisk/apt/cache/archives/asterisk.deb", "")
    program(
        root.parent / "bin/dpkg-deb",
        """
        mkdir -p "$3/usr/bin" "$3/usr/sbin" "$3/usr/share/doc" "$3/usr/lib/x86_64-linux-gnu"
        echo 'exit 1' >"$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
        chmod +x "$3/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"
        """,
    )
    with pytest.raises(SetupStopped, match="of no use here, it does not run"):
        install(root)
    assert not (root / FOLDER).exists()


def test_without_debians_tools_the_cure_is_an_asterisk_of_ones_own(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root.parent / "bin"))
    with pytest.raises(
        SetupStopped, match=r"there is no apt-get here .*; install Asterisk 22 and set SANTUN_ASTERISK\.$"
    ):
        install(root)


# --- the real one ---


@pytest.mark.asterisk
def test_the_one_that_run_put_here_is_able() -> None:
    there = find(ROOT)
    assert faults(there, ROOT / "asterisk-conf/modules.conf") == []
    assert version_of(there.command) == there.version
    assert there.data.joinpath("documentation").is_dir()


@pytest.mark.asterisk
def test_the_command_line_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("Asterisk ")
    assert main(["-q"]) == 0
    assert capsys.readouterr().out == ""
