"""The command `dialer`: run the engine, look after campaigns, lists and agents, watch what happens."""

import asyncio
import dataclasses
import json
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console

from dialer import contacts, show
from dialer.adapters import list_files
from dialer.adapters.site import CONFIG, CONFIG_FILE, OpenSite, load_config, new_id, open_site
from dialer.errors import BadInput, DialerError
from dialer.model import CAMPAIGN_ID, Campaign, Command, Contact, Kind, Mode

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__)
campaign_app = typer.Typer(no_args_is_help=True, help="Create, start, pause, stop and list campaigns.")
agent_app = typer.Typer(no_args_is_help=True, help="What an agent's desk or phone would say for him.")
app.add_typer(campaign_app, name="campaign")
app.add_typer(agent_app, name="agent")

REPLY_S = 5.0
CHUNK = 500
REJECTS_SHOWN = 20

Config = Annotated[Path, typer.Option("--config", "-c", envvar=CONFIG, help="The site's settings.")]
HERE = Path(CONFIG_FILE)
ASTERISK_DATA = Path("/usr/share/asterisk")
Id = Annotated[str, typer.Argument(help="Campaign id: a-z, 0-9 and -.")]
AgentId = Annotated[str, typer.Argument(help="The agent's extension.")]
Of = Annotated[str, typer.Option("--campaign", help="Campaign id.")]

out = Console()


# ---- processes ------------------------------------------------------------------------------------------------------


@app.command()
def engine(config: Config = HERE) -> None:
    """Place and route the calls of every campaign that no other engine leads."""
    _serve(config, "")


@app.command()
def serve(
    config: Config = HERE,
    listen: Annotated[str, typer.Option(help="host:port of the health and live pages.")] = "127.0.0.1:8080",
) -> None:
    """Engine and web in one process, for a small site."""
    _serve(config, listen)


def _serve(config: Path, listen: str) -> None:
    from dialer.service import serve  # the engine's libraries take a second to load: only where it runs

    asyncio.run(serve(config, listen))


@app.command()
def check(config: Config = HERE) -> None:
    """Settings and reachability: every fault at once, each with its cure; fails if there is one."""
    from dialer.adapters.reach import faults_of

    wrong = asyncio.run(faults_of(load_config(config), config))
    for fault in wrong:
        out.print(f"[red]-[/red] {fault}", highlight=False)
    if wrong:
        raise typer.Exit(1)
    out.print("Everything that was checked is in order.")


@app.command()
def conf(
    settings: Annotated[Path, typer.Argument(help="TOML: the settings of one Asterisk node.")],
    data: Annotated[Path, typer.Option(help="Asterisk's own data folder, which holds documentation/.")] = ASTERISK_DATA,
) -> None:
    """Fill asterisk-conf/ in for one Asterisk node, and make the folders it runs in."""
    from dialer.adapters.asterisk_conf import CONF, render
    from dialer.adapters.asterisk_process import prepare
    from dialer.adapters.asterisk_settings import read_settings

    node = read_settings(settings, os.environ)
    render(node, CONF, node.run / "etc")
    prepare(node.run, data, node.sounds)
    node.recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
    out.print(f"Ready: asterisk -f -C {node.run / 'etc' / 'asterisk.conf'}", highlight=False, soft_wrap=True)


# ---- list -----------------------------------------------------------------------------------------------------------


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="A CSV file, one debtor a line.")],
    campaign: Of,
    config: Config = HERE,
    rejects: Annotated[Path | None, typer.Option(help="Where to write what was not used, and why.")] = None,
) -> None:
    """Read a list of debtors into a campaign; the same file twice changes nothing."""
    _run(config, lambda site: _load(site, file, campaign, rejects))


async def _load(site: OpenSite, file: Path, campaign: str, rejects: Path | None) -> None:
    if await site.store.campaign(campaign) is None:
        raise BadInput(f"there is no campaign {campaign!r}; create it first: dialer campaign create {campaign}")
    rules, now = site.config.list_rules(), site.clock.now()
    new, batch, refused = 0, list[Contact](), list[contacts.Rejected]()
    written = list_files.inspect(file)
    columns = contacts.read_header(written.header)
    for row in contacts.read_rows(list_files.rows(written), columns, rules):
        if isinstance(row, contacts.Rejected):
            refused.append(row)
            continue
        batch.append(row)
        if len(batch) >= CHUNK:
            new += await site.store.add_contacts(campaign, batch, now)
            batch = []
    new += await site.store.add_contacts(campaign, batch, now) if batch else 0
    lost = sum(one.row_lost for one in refused)
    out.print(f"{new} new debtors in {campaign}; {lost} rows and {len(refused) - lost} single values not used.")
    for one in refused[:REJECTS_SHOWN]:
        out.print(show.reject(one), highlight=False, markup=False)
    if columns.unknown:
        out.print(f"Columns not understood and not used: {', '.join(columns.unknown)}", highlight=False, markup=False)
    if rejects is not None:
        show.write_rejects(rejects, refused)
    elif len(refused) > REJECTS_SHOWN:
        out.print(f"... and {len(refused) - REJECTS_SHOWN} more: --rejects FILE keeps them all.")


# ---- campaigns ------------------------------------------------------------------------------------------------------


@campaign_app.command("create")
def create(
    campaign: Id,
    config: Config = HERE,
    name: Annotated[str, typer.Option(help="For people.")] = "",
    kind: Annotated[Kind, typer.Option(help="Who takes answered calls.")] = Kind.AGENTS,
    mode: Annotated[Mode | None, typer.Option(help="How calls are paced.")] = None,
    pack: Annotated[str, typer.Option(help="Rule pack.")] = "indonesia",
    trunk: Annotated[str, typer.Option(help="Trunk of the settings; empty: the first.")] = "",
    caller_id: Annotated[str, typer.Option(help="Number shown; empty: the trunk's first.")] = "",
    caller_name: Annotated[str, typer.Option(help="Who calls, as the IVR says it.")] = "",
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any other setting, as name=value.")] = None,
) -> None:
    """Create a campaign, or change its settings; it does not start by itself."""
    given = {"id": campaign, "name": name or campaign, "kind": kind, "pack": pack, "caller_name": caller_name}
    given["mode"] = mode or (Mode.IVR if kind is Kind.IVR else Mode.PROGRESSIVE)
    _run(config, lambda site: _create(site, given | {"trunk": trunk, "caller_id": caller_id}, set_ or []))


async def _create(site: OpenSite, given: dict[str, Any], more: list[str]) -> None:
    given["trunk"] = given["trunk"] or next(iter(site.config.trunk))
    trunk = site.config.trunk.get(given["trunk"])
    given["caller_id"] = given["caller_id"] or (trunk.caller_ids[0] if trunk else "")
    for word in more:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadInput(f"--set {word}: use name=value.")
        given[name] = json.loads(value) if value.startswith("{") else value
    settings = {field.name for field in dataclasses.fields(Campaign)}
    if unknown := sorted(given.keys() - settings):
        raise BadInput(f"--set {', '.join(unknown)}: unknown; use one of {', '.join(sorted(settings))}.")
    try:
        wanted = msgspec.convert(given, Campaign, strict=False)
    except msgspec.ValidationError as error:
        raise BadInput(f"campaign {given['id']}: {error}") from None
    site.pack_of(wanted)
    await site.store.save_campaign(wanted)
    out.print(f"Campaign {wanted.id} is there. Load a list, then: dialer campaign start {wanted.id}")


@campaign_app.command("start")
def start(campaign: Id, config: Config = HERE) -> None:
    """Begin or go on calling."""
    _order(config, campaign, "start", {})


@campaign_app.command("pause")
def pause(campaign: Id, config: Config = HERE) -> None:
    """No new calls; those that are up go on."""
    _order(config, campaign, "pause", {})


@campaign_app.command("stop")
def stop(campaign: Id, config: Config = HERE) -> None:
    """No new calls, for good until started again."""
    _order(config, campaign, "stop", {})


@campaign_app.command("list")
def list_campaigns(config: Config = HERE) -> None:
    """Every campaign, with its state and what is left of its list."""
    _run(config, _list_campaigns)


async def _list_campaigns(site: OpenSite) -> None:
    rows = []
    for name in sorted(await site.store.campaigns()):
        found = await site.store.campaign(name)
        if found is not None:
            rows.append((*found, *(await site.store.remaining(name, site.clock.now()))))
    out.print(show.campaigns(rows))


# ---- agents ---------------------------------------------------------------------------------------------------------


def _agent_command(name: str, says: str) -> None:
    def command(agent: AgentId, campaign: Of, config: Config = HERE, disposition: str = "") -> None:
        args = {"agent": agent} | ({"disposition": disposition} if disposition else {})
        _order(config, campaign, name, args)

    command.__doc__ = says
    agent_app.command(name.replace("_", "-"))(command)


for _name, _says in {
    "sign_in": "Ready to work: his phone is called and parks in his room.",
    "sign_out": "Done, at the latest after the call he is in.",
    "break": "A pause, after the call he is in.",
    "back": "Back from the pause.",
    "wrapped": "The last call is wrapped up, with its disposition.",
    "hang_up": "End the call he is in.",
}.items():
    _agent_command(_name, _says)


# ---- watching -------------------------------------------------------------------------------------------------------


@app.command()
def status(
    config: Config = HERE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """What every campaign does now, and why."""
    _run(config, lambda site: _status(site, watch, as_json))


async def _status(site: OpenSite, watch: bool, as_json: bool) -> None:
    while True:
        for name in sorted(await site.store.campaigns()):
            raw = await site.store.published(name)
            seen = json.loads(raw) if raw else {"campaign": name, "reason": "no engine has led it yet"}
            seen.pop("kept", None)
            out.print_json(data=seen) if as_json else out.print(show.status(seen, site.clock.now()))
        if not watch:
            return
        await asyncio.sleep(1.0)


@app.command()
def outcomes(
    campaign: Of,
    config: Config = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    count: Annotated[int, typer.Option(help="How many of the past.", min=0)] = 20,
    refusals: Annotated[bool, typer.Option(help="Calls that were not placed, instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Whole records, one a line.")] = False,
) -> None:
    """The outcome stream: one line per attempt."""
    stream = "refusals" if refusals else "outcomes"

    async def follow_it(site: OpenSite) -> None:
        past = await site.store.tail(campaign, count, stream) if count else ()
        for _, entry in past:
            _print_entry(entry, as_json)
        if follow:
            async for _, entry in site.store.follow(campaign, past[-1][0] if past else "$", stream):
                _print_entry(entry, as_json)

    _run(config, follow_it)


def _print_entry(entry: Any, as_json: bool) -> None:
    text = json.dumps(dict(entry)) if as_json else show.entry(entry)
    out.print(text, highlight=False, markup=False, soft_wrap=True)


# ---- joining --------------------------------------------------------------------------------------------------------


def _order(config: Path, campaign: str, name: str, args: dict[str, str]) -> None:
    async def send(site: OpenSite) -> None:
        if not CAMPAIGN_ID.fullmatch(campaign) or await site.store.campaign(campaign) is None:
            raise BadInput(f"there is no campaign {campaign!r}; see: dialer campaign list")
        now = site.clock.now()
        sender = f"cli:{os.environ.get('USER', 'unknown')}"
        command = Command(new_id(now), campaign, name, sender, now, now + REPLY_S, args)
        reply = await site.store.send(command, REPLY_S)
        if reply is None:
            raise DialerError(
                f"No engine answered within {REPLY_S:.0f} s, and none will act on it later: is one running?"
            )
        if not reply.ok:
            raise BadInput(reply.text)
        out.print(reply.text, highlight=False, markup=False)

    _run(config, send)


def _run(config: Path, work: Callable[[OpenSite], Awaitable[None]]) -> None:
    async def inside() -> None:
        async with open_site(config) as site:
            await work(site)

    asyncio.run(_quiet(inside()))


async def _quiet(work: Coroutine[Any, Any, None]) -> None:
    try:
        await work
    except asyncio.CancelledError:
        return


def main() -> None:
    """The command; an error of ours is one sentence, not a traceback."""
    try:
        app()
    except DialerError as error:
        typer.echo(str(error), err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
