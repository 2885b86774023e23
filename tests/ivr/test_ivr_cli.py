"""The command `ivr` as a process of its own: serving with a real Redis, stopping on a signal, telling what is wrong."""

import asyncio
import csv
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from typer.testing import CliRunner

from dialer.adapters.programs import redis_server
from dialer.adapters.redis_keys import IVR_BEATS
from dialer.adapters.redis_process import RedisProcess
from dialer.adapters.redis_store import RedisStore
from dialer.adapters.sounds import tone, write_wav
from dialer.errors import DialerError
from dialer.keyed import mark_of
from dialer.model import Attempt, Number, attempt_id
from dialer.ports import Held
from dialer.running.pulse import serves
from ivr import cli
from ivr.adapters.voices import Setup, keep, kept
from ivr.prompts import fixed
from tests.ivr import twins
from tests.ivr.peer import Peer

ROOT = Path(__file__).parents[2]
NUMBER = Number("+6281234567890", "n1")
LIMIT_S = 30.0
RENDER_LIMIT_S = 150.0  # a thousand sounds beside other work


@pytest.fixture
async def redis(tmp_path: Path) -> AsyncIterator[str]:
    process = RedisProcess(redis_server(ROOT), tmp_path / "redis", "no")
    await process.start()
    yield process.url
    await process.kill()


async def open_attempt(url: str) -> str:
    """A campaign, its one debtor, and a call to him that is up."""
    store = RedisStore(url)
    contact = replace(twins.CONTACT, numbers=(NUMBER,))
    await store.save_campaign(twins.CAMPAIGN)
    await store.add_contacts(twins.CAMPAIGN.id, [contact], twins.NOW - 10)
    token = await store.lead(twins.CAMPAIGN.id, "engine", 60_000)
    assert token is not None
    await store.candidates(twins.CAMPAIGN.id, twins.NOW, 1)
    attempt = Attempt(
        attempt_id(twins.NOW, b"0123456789"), twins.CAMPAIGN.id, "node", "ivr", "trunk", "+6221", "id", "demo",
        contact.id, contact.person, NUMBER, claimed_at=twins.NOW,
    )  # fmt: skip
    assert all(isinstance(one, Held) for one in await store.lock([attempt], twins.NOW))
    assert all(await store.claim(token, [attempt], twins.NOW))
    await store.close()
    return attempt.id


@contextmanager
def serving(
    redis: str, prompts: Path, *also: str, **env: str
) -> Iterator[tuple["subprocess.Popen[str]", tuple[str, int]]]:
    """`ivr serve`, once its log says that it serves, and `also` these; killed if it has not ended by itself."""
    command = [sys.executable, "-m", "ivr", "serve", "--prompts", str(prompts), "--listen", "127.0.0.1:0"]
    environment = os.environ | {"SANTUN_PERSON_KEY": twins.KEY.hex()} | env
    with subprocess.Popen(
        [*command, "--redis", redis], cwd=ROOT, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            assert process.stderr
            awaited = {"serve", *also}
            said: dict[str, dict[str, Any]] = {}
            while awaited - said.keys():
                one = json.loads(process.stderr.readline())
                said[one["action"]] = one
            yield process, (said["serve"]["host"], said["serve"]["port"])
        finally:
            if process.poll() is None:
                process.kill()


def ended(process: "subprocess.Popen[str]") -> str:
    """What it logged until it ended in good order."""
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, said
    return said


@pytest.mark.redis
async def test_a_conversation_with_a_real_redis(redis: str, tmp_path: Path) -> None:
    """Facts arrive in Redis; heart beats until it stops; the log has neither name, keys nor secret."""
    attempt = await open_attempt(redis)
    keys = iter("1" + "1234" + "0")
    variables = {"SANTUN_ATTEMPT": attempt, "SANTUN_CAMPAIGN": twins.CAMPAIGN.id, "SANTUN_LANGUAGE": "id"}
    beats = Redis.from_url(redis)
    with serving(redis, tmp_path / "prompts") as (process, address), beats:
        peer = Peer(
            address, variables, lambda path, awaited: next(keys, "") if awaited and path.name == "silence" else ""
        )
        peer.run()
        assert peer.set == {"IVR_RESULT": "agent"}
        ((server, _),) = beats.hgetall(IVR_BEATS).items()
        assert isinstance(server, bytes)
        assert serves(server.decode(), "{}:{}".format(*address))
        process.send_signal(signal.SIGTERM)
        log = ended(process)
        assert beats.hlen(IVR_BEATS) == 0

    store = RedisStore(redis)
    facts = [(fact.name, fact.value) for fact in await store.facts(twins.CAMPAIGN.id, attempt)]
    await store.close()
    assert [name for name, _ in facts[-3:]] == ["wants_agent", "step", "closed"]
    assert ("key", "****") in facts
    for private in ("1234", "Budi", NUMBER.e164, twins.KEY.hex(), twins.CONTACT.secret):
        assert private not in log
    assert json.loads(log.splitlines()[-1])["endings"] == {"agent": 1}


SITE = """
[asterisk.pbx1]
[trunk.carrier]
endpoint = "carrier"
host = "192.0.2.7"
lines = 30
caller_ids = ["+622150001234"]
[rules]
stricter = ["tight.toml"]
"""


@pytest.mark.redis
async def test_a_call_back_keeps_to_the_sites_rule_pack(redis: str, tmp_path: Path) -> None:
    """The morning as the IVR knows it begins at nine; the site's stricter rules leave half an hour before noon."""
    spans = dict.fromkeys(("mon", "tue", "wed", "thu", "fri", "sat"), "11:10-11:40")
    days = "".join(f'{day} = "{span}"\n' for day, span in spans.items())
    (tmp_path / "tight.toml").write_text(f'id = "tight"\nversion = "1"\n[hours]\nsource = "A works agreement"\n{days}')
    (tmp_path / "santun.toml").write_text(SITE)
    attempt = await open_attempt(redis)
    store = RedisStore(redis)
    await store.save_campaign(replace(twins.CAMPAIGN, trunk="carrier", caller_id="+622150001234"))
    keys = iter("1" + "1234" + "4" + "3" + "1" + "1")
    variables = {"SANTUN_ATTEMPT": attempt, "SANTUN_CAMPAIGN": twins.CAMPAIGN.id, "SANTUN_LANGUAGE": "id"}
    known = {"SANTUN_CONFIG": str(tmp_path / "santun.toml"), "SANTUN_AMI_SECRET": "s"}
    with serving(redis, tmp_path / "prompts", "rules", **known) as (process, address):
        Peer(
            address, variables, lambda path, awaited: next(keys, "") if awaited and path.name == "silence" else ""
        ).run()
        process.send_signal(signal.SIGTERM)
        ended(process)
    (when,) = [fact.value for fact in await store.facts(twins.CAMPAIGN.id, attempt) if fact.name == "call_back"]
    await store.close()
    assert when[11:16] == "11:10"


@pytest.mark.redis
async def test_stopping_lets_a_call_finish(redis: str, tmp_path: Path) -> None:
    attempt = await open_attempt(redis)
    asked = threading.Event()
    with serving(redis, tmp_path / "prompts") as (process, address):
        wrong = iter("91")

        def press(path: Path, keys: str) -> str:
            if not asked.is_set():
                process.send_signal(signal.SIGTERM)
                asked.set()
            return next(wrong, "") if keys and path.name == "silence" else ""

        peer = Peer(address, {"SANTUN_ATTEMPT": attempt, "SANTUN_CAMPAIGN": twins.CAMPAIGN.id}, press).run()
        assert peer.set == {"IVR_RESULT": "done"}
        ended(process)


@pytest.mark.redis
async def test_two_signals_end_everything(redis: str, tmp_path: Path) -> None:
    attempt = await open_attempt(redis)
    with serving(redis, tmp_path / "prompts") as (process, address):

        def press(path: Path, keys: str) -> str:
            process.send_signal(signal.SIGTERM)
            threading.Event().wait(0.2)
            return ""

        peer = Peer(address, {"SANTUN_ATTEMPT": attempt, "SANTUN_CAMPAIGN": twins.CAMPAIGN.id}, press).run()
        assert peer.set == {}
        ended(process)


@pytest.mark.redis
async def test_a_signal_that_another_thread_takes_ends_it(redis: str, tmp_path: Path) -> None:
    """As it happens by chance while a thread begins or ends: the main thread, in accept(), is not interrupted."""
    kernel = ctypes.CDLL(None)
    with serving(redis, tmp_path / "prompts") as (process, _):
        other = max(int(name) for name in os.listdir(f"/proc/{process.pid}/task"))
        assert other != process.pid
        assert kernel.tgkill(process.pid, other, signal.SIGTERM) == 0
        assert "All calls have ended" in ended(process)


def run(
    *words: str, typed: str = "", limit_s: float = LIMIT_S, **environment: str
) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if name != "SANTUN_PERSON_KEY"}
    return subprocess.run(
        [sys.executable, "-m", "ivr", *words], cwd=ROOT, input=typed, capture_output=True, text=True, timeout=limit_s,
        env=kept | environment,
    )  # fmt: skip


def test_serve_without_the_key_says_what_to_set(tmp_path: Path) -> None:
    done = run("serve", "--prompts", str(tmp_path), "--redis", "redis://127.0.0.1:1")
    assert done.returncode == 2
    assert "SANTUN_PERSON_KEY" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_password_on_the_command_line_is_refused_and_not_shown(tmp_path: Path) -> None:
    """Everybody on a machine reads its command lines; from the environment it is taken."""
    url = "redis://:hush@127.0.0.1:1"
    words = ("serve", "--prompts", str(tmp_path))
    refused = run(*words, "--redis", url)
    assert (refused.returncode, "set SANTUN_REDIS_URL" in refused.stderr) == (2, True)
    assert "hush" not in refused.stderr
    assert "SANTUN_PERSON_KEY" in run(*words, SANTUN_REDIS_URL=url).stderr, "it went on to what is lacking next"


@pytest.mark.redis
async def test_serve_with_another_key_than_the_lists_says_so(redis: str, tmp_path: Path) -> None:
    """By it nobody who calls is known, and nobody proves who he is."""
    store = RedisStore(redis)
    assert await store.is_keyed_by(mark_of(twins.KEY), from_now=True)
    await store.close()
    words = ("serve", "--prompts", str(tmp_path), "--redis", redis, "--listen", "127.0.0.1:0")
    done = await asyncio.to_thread(run, *words, SANTUN_PERSON_KEY="cd" * 32)
    assert done.returncode == 2
    assert "SANTUN_PERSON_KEY is not the one by which this Redis knows its people" in done.stderr
    with serving(redis, tmp_path) as (process, _):
        process.terminate()
        ended(process)


@pytest.mark.parametrize("listen", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:99999", "192.0.2.1:4573"])
def test_serve_on_an_impossible_address_says_so(tmp_path: Path, listen: str) -> None:
    words = ("serve", "--prompts", str(tmp_path), "--redis", "redis://127.0.0.1:1", "--listen", listen)
    done = run(*words, SANTUN_PERSON_KEY=twins.KEY.hex())
    assert done.returncode == 2
    assert "--listen" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("option", ["--limits", "--flow"])
def test_serve_with_a_file_that_is_not_there_says_so(tmp_path: Path, option: str) -> None:
    words = ("serve", "--prompts", str(tmp_path), "--redis", "redis://127.0.0.1:1", option, str(tmp_path / "none.toml"))
    done = run(*words, SANTUN_PERSON_KEY=twins.KEY.hex())
    assert done.returncode == 2
    assert "none.toml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.timeout(RENDER_LIMIT_S + LIMIT_S)
def test_render_writes_pieces_and_the_dialplans_messages(tmp_path: Path) -> None:
    done = run("prompts", "render", "--out", str(tmp_path), "--company", "Dana Sejahtera", limit_s=RENDER_LIMIT_S)
    assert done.returncode == 0, done.stderr
    for language in ("id", "en"):
        assert (tmp_path / language / "message.wav").stat().st_size > 16_000
    assert len(list((tmp_path / "pieces").glob("*.wav"))) > 500
    assert json.loads((tmp_path / "voices.json").read_text())["google"] is False
    forgotten = run("prompts", "forget", "--out", str(tmp_path), "--days", "0")
    assert forgotten.stdout.startswith("0 files")


def test_missing_is_a_script_for_the_voice_actor(tmp_path: Path) -> None:
    """Printed, recorded in part, printed again; what was read is compared with what is to be said."""
    table = run("prompts", "missing", "--csv", "--company", "Dana Sejahtera")
    rows = list(csv.DictReader(table.stdout.splitlines()))
    assert table.returncode == 0
    assert list(rows[0]) == ["file", "text", "context", "uses"]
    assert "Dana Sejahtera" in rows[0]["text"]
    assert {row["file"]: row["text"] for row in rows}["thanks"] == "Terima kasih."
    (tmp_path / "id" / "words").mkdir(parents=True)
    for name in ("thanks", "words/satu", "words/bank-maju"):
        write_wav(tmp_path / "id" / f"{name}.wav", tone(440, 0.5))
    (tmp_path / "id" / "script.csv").write_text("file,text\nthanks,Terima kasih.\n")
    left = run("prompts", "missing", "--recordings", str(tmp_path))
    assert f"{len(rows) - 3} of {len(rows)} pieces" in left.stderr
    assert "words/bank-maju: no fixed piece" in left.stderr
    assert "thanks" not in left.stdout.split()
    (tmp_path / "id" / "script.csv").write_text("file,text\nthanks,Terima kasih banyak.\n")
    assert "thanks: other words" in run("prompts", "missing", "--recordings", str(tmp_path)).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("missing", "--language", "xx"),
        ("missing", "--recordings", "/no/such/folder"),
        ("list", "--language", "xx"),
        ("missing", "--flow", "/no/such/flow.toml"),
        ("list", "--flow", "{out}/words.toml"),
        ("render", "--out", "{out}", "--piper", "id"),
        ("render", "--out", "{out}", "--piper", "id=/no/such.onnx"),
    ],
)
def test_what_prompts_cannot_do_is_one_sentence(tmp_path: Path, words: tuple[str, ...]) -> None:
    example = (ROOT / "docs/examples/flow-greeting.toml").read_text()
    (tmp_path / "words.toml").write_text(example.replace('id = "greeting"', 'id = "words"', 1))
    shutil.copy(ROOT / "docs/examples/flow-greeting.id.toml", tmp_path / "words.id.toml")
    done = CliRunner().invoke(cli.app, ["prompts", *(word.format(out=tmp_path) for word in words)])
    assert isinstance(done.exception, DialerError)
    assert not done.stdout


def test_a_conversation_of_ones_own_is_in_the_script_and_in_the_rendering(tmp_path: Path) -> None:
    flow = str(ROOT / "docs/examples/flow-greeting.toml")
    assert "greeting/sorry" in run("prompts", "missing", "--flow", flow).stdout
    assert "greeting/sorry" in run("prompts", "list", "--flow", flow).stdout
    keep(tmp_path, Setup(sentences={"id": {"greeting/sorry": "Maaf sekali."}}))
    assert "Maaf sekali." in fixed("id", kept(tmp_path).said)


def test_list_and_talk() -> None:
    assert "Apakah benar" in run("prompts", "list").stdout
    said = run("talk", "payment_reminder", "--debtor", "sample", "--language", "en", typed="1\n1234\n41\n").stdout
    assert "[paid_claim]" in said
    assert said.rstrip().endswith("[done]")
    assert "[closed hung_up" in run("talk", typed="1\n").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("talk", "--language", "fr"), "--language fr: use one of id, en."),
        (("path", "--language", "fr"), "--language fr: use one of id, en."),
        (("path", "--debtor", "nobody"), "--debtor nobody: use one of sample, plain, new."),
        (("path", "--prompts", "nowhere"), "--prompts nowhere: there is no such folder"),
    ],
)
def test_what_cannot_be_talked_of_is_one_sentence(words: tuple[str, ...], told: str) -> None:
    done = run(*words)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not done.stdout


def test_flow_and_path(tmp_path: Path) -> None:
    assert "67 steps, id, en; sound" in run("flow", "check", "payment_reminder").stdout
    assert "flowchart TD" in run("flow", "draw", "payment_reminder").stdout
    ways = run("path", "payment_reminder", "--debtor", "sample").stdout
    assert "promise          1 1234 2 1 1" in ways
    assert "guessed" in ways
    broken = tmp_path / "broken.toml"
    broken.write_text("id = 1\n")
    (tmp_path / "broken.id.toml").write_text("[anyone]\n")
    done = run("flow", "check", str(broken))
    assert done.returncode == 2
    assert done.stderr.startswith(f"{broken}:1: ")  # as editors find it
    assert "Traceback" not in done.stderr
