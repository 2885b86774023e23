"""The command `dialer`: run the engine, look after campaigns, lists and agents, watch what happens."""

import asyncio
import logging
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialer.errors import BadInput, DialerError, StoreDown
from dialer.model import Kind, Mode
from dialer.users import Phone, Role

# What a command needs is loaded where it is called: `dialer --help` and short commands start in half the time.
if TYPE_CHECKING:
    from dialer.adapters.site import OpenSite

CONFIG = "SANTUN_CONFIG"
CONFIG_FILE = "santun.toml"

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # [words in brackets] are ours
    help=__doc__,
)
campaign_app = typer.Typer(no_args_is_help=True, help="Create, start, pause, stop and list campaigns.")
agent_app = typer.Typer(no_args_is_help=True, help="What an agent's desk or phone would say for him.")
dnc_app = typer.Typer(no_args_is_help=True, help="Who must not be called: stop, lift, look.")
app.add_typer(campaign_app, name="campaign")
app.add_typer(dnc_app, name="dnc")
app.add_typer(agent_app, name="agent")
user_app = typer.Typer(no_args_is_help=True, help="Who may sign in to the web, and programs' tokens.")
app.add_typer(user_app, name="user")

Config = Annotated[Path, typer.Option("--config", "-c", envvar=CONFIG, help="The site's settings.")]
UserName = Annotated[str, typer.Argument(help="2 to 40 of a-z, 0-9, dot, - and _.")]
Listen = Annotated[str, typer.Option(help="host:port, instead of [web] listen of the settings.")]
HERE = Path(CONFIG_FILE)
ASTERISK_DATA = Path("/usr/share/asterisk")
Id = Annotated[str, typer.Argument(help="Campaign id: a-z, 0-9 and -.")]
AgentId = Annotated[str, typer.Argument(help="The agent's extension.")]
Of = Annotated[str, typer.Option("--campaign", help="Campaign id.")]
Numbers = Annotated[list[str] | None, typer.Argument(help="As people write them, with or without +62.")]
Number = Annotated[str, typer.Argument(help="As people write it, with or without +62.")]
Person = Annotated[str, typer.Option("--person", help="The person's id as in your list.")]
Spools = Annotated[
    list[Path] | None,
    typer.Option("--spool", help="Another folder of changes that wait for Redis."),
]
Lender = Annotated[str, typer.Option(help="For this lender only, as in your list.")]
ForCampaign = Annotated[str, typer.Option("--campaign", help="For this campaign only.")]

# ---- processes ------------------------------------------------------------------------------------------------------


@app.command()
def engine(
    config: Config = HERE,
    metrics: Annotated[str, typer.Option(help="host:port, instead of [metrics] listen: a second engine here.")] = "",
) -> None:
    """Place and route the calls of every campaign that no other engine leads; stand by for those that one does."""
    from dialer.service import serve  # the engine's libraries take a second to load: only where it runs

    asyncio.run(serve(config, None, metrics))


@app.command()
def serve(config: Config = HERE, listen: Listen = "") -> None:
    """Engine and web in one process, for a small site."""
    from dialer.service import serve as run

    asyncio.run(run(config, listen))


@app.command()
def web(config: Config = HERE, listen: Listen = "") -> None:
    """Pages, API and live updates alone; any number of them may run."""
    from dialer.service import serve_web

    asyncio.run(serve_web(config, listen))


@app.command()
def keep(
    config: Config = HERE,
    with_parent: Annotated[bool, typer.Option("--with-parent", hidden=True)] = False,
) -> None:
    """Encrypt recordings as calls end, and remove what was kept for long enough; `serve` and `web` start it."""
    from dialer.commands import keeper

    keeper.run(config, with_parent)


@app.command()
def key() -> None:
    """A new key of the site, a line for [privacy] keys; the last one of the file encrypts."""
    from dialer.adapters.sealed import new_key

    typer.echo(new_key())


@app.command()
def drain(
    engine: Annotated[str, typer.Argument(help="As host:pid. [the one that leads]")] = "",
    config: Config = HERE,
    campaign: Annotated[str, typer.Option(help="This campaign only; its engine goes on with the others.")] = "",
    limit: Annotated[float, typer.Option(help="Seconds; calls that are up then go on under the next leader.")] = 600.0,
) -> None:
    """An engine starts no new calls, hands over to another one when its last call has ended, and ends.

    Fails where calls were still up at the limit, or nobody took over.
    """
    from dialer.commands import draining

    _run(config, lambda site: draining.drain(site, engine, campaign, limit))


@app.command()
def check(
    config: Config = HERE,
    asterisk: Annotated[
        bool, typer.Option("--asterisk", help="An Asterisk that is there, and what to change.")
    ] = False,
    node: Annotated[Path, typer.Option(help="With --asterisk: its settings, as for `dialer conf`.")] = Path(
        "pbx1.toml"
    ),
    pbx: Annotated[Path, typer.Option(help="With --asterisk: where its configuration is.")] = Path("/etc/asterisk"),
) -> None:
    """Settings and reachability: every fault at once, each with its cure; fails if there is one."""
    from dialer.adapters.reach import faults_of
    from dialer.adapters.site import load_config
    from dialer.commands.desk import log_to_stderr

    log_to_stderr(logging.CRITICAL)  # every fault is told below

    changes = ""
    if asterisk:
        from dialer.adapters.asterisk_audit import audit, console_of, diff
        from dialer.adapters.asterisk_settings import read_settings

        settings = read_settings(node, os.environ)
        console = console_of(pbx)
        if console is None:
            typer.echo(
                f"The files of {pbx} alone were read: their Asterisk does not run, or not for this user.", err=True
            )
        wrong = audit(pbx, settings, console)
        changes = diff(pbx, settings)
    else:
        wrong = asyncio.run(faults_of(load_config(config), config))
    for fault in wrong:
        typer.echo(f"- {fault}")
    if changes:
        typer.echo(f"\nWhat `dialer conf` would write instead, secrets left out:\n\n{changes}", nl=False)
    if wrong:
        raise typer.Exit(1)
    typer.echo("Everything that was checked is in order.")


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
    if node.phones or any(trunk.password for trunk in node.trunks):
        from dialer.adapters.tls import key_faults

        for fault in key_faults(settings):
            typer.echo(f"It holds passwords: {fault}.", err=True)
    render(node, CONF, node.run / "etc")
    prepare(node.run, data, node.sounds)
    node.recordings.mkdir(mode=0o700, parents=True, exist_ok=True)
    typer.echo(f"Ready: asterisk -f -C {node.run / 'etc' / 'asterisk.conf'}")


# ---- list -----------------------------------------------------------------------------------------------------------


@app.command()
def load(
    file: Annotated[Path, typer.Argument(help="A CSV or XLSX file, one debtor a line; see docs/lists.md.")],
    campaign: Of,
    config: Config = HERE,
    rejects: Annotated[
        Path | None, typer.Option(help="Where to write the rows not used, as they are, and why (mode 0600).")
    ] = None,
    mapping: Annotated[Path | None, typer.Option(help="TOML: which column means what.")] = None,
    save_mapping: Annotated[Path | None, typer.Option(help="Where to write how this list was understood.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show how it would be understood; load nothing.")] = False,
    preview_rows: Annotated[int, typer.Option(help="How many rows --preview shows.", min=1, max=100)] = 10,
    across: Annotated[str, typer.Option(help="Debts on another campaign's list: say, allow or refuse.")] = "say",
    as_of: Annotated[str, typer.Option(help="The day its days past due were counted. [today, WIB]")] = "",
    weight: Annotated[int, typer.Option(help="Mix of lists: its share of first calls. 0: no mix.", min=0, max=100)] = 0,
    sheet: Annotated[str, typer.Option(help="The sheet of an XLSX file that holds the list.")] = "",
    update: Annotated[bool, typer.Option("--update", help="Give debtors who are there the file's newer data.")] = False,
) -> None:
    """Read a list of debtors into a campaign; the same file twice changes nothing."""
    from dialer.commands import lists

    shown = preview_rows if preview else 0
    options = lists.Options(rejects, mapping, save_mapping, shown, across, as_of, weight, sheet, update)
    _run(config, lambda site: lists.load(site, file, campaign, options))


# ---- rules ----------------------------------------------------------------------------------------------------------


@app.command()
def preview(
    campaign: Id,
    config: Config = HERE,
    day: Annotated[str, typer.Option(help="As 2026-11-23. [today]")] = "",
    sample: Annotated[int, typer.Option(help="How many contacts to look at, at random.", min=100)] = 20_000,
    everybody: Annotated[bool, typer.Option("--all", help="Look at every contact.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
) -> None:
    """Before the start: how many contacts the rules will let through that day, how many not and why, hour by hour."""
    from dialer.commands import rules

    _run(config, lambda site: rules.preview(site, campaign, day, sample, everybody, as_json))


@app.command()
def why(
    number: Annotated[list[str] | None, typer.Argument(help="As people write it, with or without +62.")] = None,
    config: Config = HERE,
    campaign: Annotated[str, typer.Option(help="Of this campaign only.")] = "",
    verify: Annotated[bool, typer.Option("--verify", help="Is the log of decisions whole?")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """Every decision about a number, oldest first, and what the gate would say of it now.

    `dialer why --verify [CAMPAIGN]`: whether the chain of decisions holds, of one campaign or of all.
    """
    from dialer.commands import rules

    words = " ".join(number or [])
    if verify:
        _run(config, lambda site: rules.verify(site, words or campaign, as_json))
    elif not words:
        raise BadInput("name a number, such as 081234567890, or use --verify.")
    else:
        _run(config, lambda site: rules.why(site, words, campaign, as_json), keyed=True)


# ---- people ---------------------------------------------------------------------------------------------------------


@dnc_app.command("add")
def dnc_add(
    numbers: Numbers = None,
    config: Config = HERE,
    file: Annotated[Path | None, typer.Option(help="A text file, one number a line.")] = None,
    person: Person = "",
    lender: Lender = "",
    campaign: ForCampaign = "",
    reason: Annotated[str, typer.Option(help="Kept in the log of stops.")] = "",
) -> None:
    """Do not call these numbers, or this person: from the next claim on, in every campaign unless said otherwise."""
    from dialer.commands import people

    whom = people.Whom(numbers or [], file, person, lender, campaign)
    _run(config, lambda site: people.add(site, whom, reason))


@dnc_app.command("remove")
def dnc_remove(
    numbers: Numbers = None,
    config: Config = HERE,
    person: Person = "",
    lender: Lender = "",
    campaign: ForCampaign = "",
    reason: Annotated[str, typer.Option(help="Why they may be called again; it is kept.")] = "",
) -> None:
    """Lift a stop, with a reason that is kept; stops for other lenders or campaigns stay."""
    from dialer.commands import people

    whom = people.Whom(numbers or [], None, person, lender, campaign)
    _run(config, lambda site: people.remove(site, whom, reason), keyed=True)


@dnc_app.command("list")
def dnc_list(
    numbers: Numbers = None,
    config: Config = HERE,
    person: Person = "",
    count: Annotated[int, typer.Option(help="How many of the past.", min=1)] = 20,
) -> None:
    """What stops these numbers; without any, who stopped or lifted what, and why."""
    from dialer.commands import people

    _run(config, lambda site: people.listed(site, numbers or [], person, count), keyed=True)


@app.command()
def withdraw(number: Number = "", config: Config = HERE, person: Person = "", campaign: ForCampaign = "") -> None:
    """Take a person's accounts off the list, for good; a call under way goes on."""
    from dialer.commands import people

    _run(config, lambda site: people.withdraw(site, number, person, campaign), keyed=True)


@app.command("export")
def export_person(
    number: Number = "",
    config: Config = HERE,
    person: Person = "",
    out: Annotated[
        Path | None, typer.Option(help="Where to write it, for nobody else to read; else it is printed.")
    ] = None,
    spool: Spools = None,
) -> None:
    """All that is held of one person, as JSON: what he is entitled to see."""
    from dialer.commands import people

    _run(config, lambda site: people.export(site, number, person, out, spool or []), keyed=True)


@app.command()
def erase(
    number: Number = "",
    config: Config = HERE,
    person: Person = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    spool: Spools = None,
) -> None:
    """Forget a person: accounts, numbers, past. A word not to call him stays, as a keyed hash."""
    from dialer.commands import people

    _run(config, lambda site: people.erase(site, number, person, yes, spool or []), keyed=True)


# ---- campaigns ------------------------------------------------------------------------------------------------------


@campaign_app.command("create")
def create(
    campaign: Id,
    config: Config = HERE,
    name: Annotated[str | None, typer.Option(help="For people.")] = None,
    kind: Annotated[Kind | None, typer.Option(help="Who takes answered calls. [new: agents]")] = None,
    mode: Annotated[Mode | None, typer.Option(help="How calls are paced. [new: progressive, or ivr]")] = None,
    pack: Annotated[str | None, typer.Option(help="Rule pack. [new: indonesia]")] = None,
    trunk: Annotated[str | None, typer.Option(help="Trunk. [new: the first of the settings]")] = None,
    caller_id: Annotated[str | None, typer.Option(help="Number shown. [new: the trunk's first]")] = None,
    caller_name: Annotated[str | None, typer.Option(help="Who calls, as the IVR says it.")] = None,
    set_: Annotated[list[str] | None, typer.Option("--set", help="Any other setting, as name=value.")] = None,
    file: Annotated[Path | None, typer.Option(help="TOML with settings in [campaign]; options come before it.")] = None,
) -> None:
    """Create a campaign; it does not start by itself. One that is there: changes what is given and nothing else.

    A running campaign is not changed: pause it first.
    """
    from dialer.campaigns import words
    from dialer.commands import campaigns
    from dialer.commands.desk import campaign_file

    options = {"name": name, "kind": kind, "mode": mode, "pack": pack, "trunk": trunk, "caller_id": caller_id}
    options["caller_name"] = caller_name
    given = {word: str(value) for word, value in options.items() if value is not None}
    given = campaign_file(file) | given | words(set_ or [])
    _run(config, lambda site: campaigns.create(site, campaign, given))


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
    from dialer.commands import campaigns

    _run(config, campaigns.list_all)


@campaign_app.command("show")
def show_campaign(campaign: Id, config: Config = HERE) -> None:
    """Every setting of a campaign, by the name that `create --set` takes."""
    from dialer.commands import campaigns

    _run(config, lambda site: campaigns.show_one(site, campaign))


# ---- agents ---------------------------------------------------------------------------------------------------------


def _agent_command(name: str, says: str) -> None:
    def command(agent: AgentId, campaign: Of, config: Config = HERE) -> None:
        _order(config, campaign, name, {"agent": agent})

    command.__doc__ = says
    agent_app.command(name.replace("_", "-"))(command)


for _name, _says in {
    "sign_in": "Ready to work: his phone is called and parks in his room.",
    "sign_out": "Done, at the latest after the call he is in.",
    "break": "A pause, after the call he is in.",
    "back": "Back from the pause.",
    "hang_up": "End the call he is in.",
}.items():
    _agent_command(_name, _says)


@agent_app.command("wrapped")
def wrapped(
    agent: AgentId,
    campaign: Of,
    config: Config = HERE,
    disposition: Annotated[str, typer.Option(help="What came of the talk, one word of yours.")] = "",
) -> None:
    """The last call is wrapped up, with its disposition."""
    _order(config, campaign, "wrapped", {"agent": agent} | ({"disposition": disposition} if disposition else {}))


@agent_app.command("disposition")
def disposition(
    agent: AgentId,
    word: Annotated[
        str, typer.Argument(help="promise, callback, wrong_person, stop, hardship, paid or a word of yours.")
    ],
    campaign: Of,
    value: Annotated[
        str,
        typer.Argument(
            help="callback: 2026-11-23T10:15 on the debtor's clock; promise: 2026-12-01 or 2026-12-01;500000."
        ),
    ] = "",
    config: Config = HERE,
) -> None:
    """What came of the talk he is in or has just had, before he is done with it."""
    _order(config, campaign, "disposition", {"agent": agent, "disposition": f"{word}:{value}" if value else word})


# ---- users ----------------------------------------------------------------------------------------------------------


@user_app.command("add")
def user_add(
    name: UserName,
    role: Annotated[Role, typer.Option(help="agent, supervisor or admin.")],
    config: Config = HERE,
    agent: Annotated[str, typer.Option(help="His extension, for who takes calls.")] = "",
    phone: Annotated[Phone, typer.Option(help="What he speaks into.")] = Phone.BROWSER,
    campaigns: Annotated[str, typer.Option(help="Those that he serves, as april,may: the first with work.")] = "",
) -> None:
    """One more user; his one-time password is printed this once."""
    from dialer.commands import users

    _run(config, lambda site: users.add(site, name, role, agent, phone, users.ids(campaigns)))


@user_app.command("campaigns")
def user_campaigns(
    name: UserName,
    campaigns: Annotated[str, typer.Argument(help="april,may: the first with work; empty: any, as he chooses.")],
    config: Config = HERE,
) -> None:
    """The campaigns that an agent serves, in his order."""
    from dialer.commands import users

    _run(config, lambda site: users.serve(site, name, users.ids(campaigns)))


@user_app.command("list")
def user_list(config: Config = HERE) -> None:
    """Users and tokens."""
    from dialer.commands import users

    _run(config, users.listed)


@user_app.command("reset")
def user_reset(
    name: UserName,
    config: Config = HERE,
    enrol_again: Annotated[bool, typer.Option("--enrol-again", help="His authenticator is lost, too.")] = False,
) -> None:
    """A new one-time password; he is signed out everywhere."""
    from dialer.commands import users

    _run(config, lambda site: users.reset(site, name, enrol_again))


@user_app.command("remove")
def user_remove(name: UserName, config: Config = HERE) -> None:
    """He signs in no more."""
    from dialer.commands import users

    _run(config, lambda site: users.remove(site, name))


@user_app.command("token")
def user_token(
    name: Annotated[str, typer.Argument(help="Which program it is for.")],
    right: Annotated[list[str], typer.Option(help="Such as outcomes:see; once for each.")],
    config: Config = HERE,
    days: Annotated[int, typer.Option(help="How long it is good.", min=1, max=366)] = 90,
) -> None:
    """A program's token for the API, printed this once."""
    from dialer.commands import users

    _run(config, lambda site: users.token(site, name, right, days))


@user_app.command("revoke")
def user_revoke(
    token: Annotated[str, typer.Argument(help="The token's id, as in dialer user list.")], config: Config = HERE
) -> None:
    """A program's token serves no more."""
    from dialer.commands import users

    _run(config, lambda site: users.revoke(site, token))


# ---- watching -------------------------------------------------------------------------------------------------------


@app.command()
def status(
    config: Config = HERE,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Go on until Ctrl-C.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object a line.")] = False,
) -> None:
    """What every campaign does now, and why."""
    from dialer.commands import watching

    _run(config, lambda site: watching.status(site, watch, as_json), endless=watch)


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
    from dialer.commands import watching

    stream = "refusals" if refusals else "outcomes"
    _run(config, lambda site: watching.outcomes(site, campaign, stream, count, follow, as_json), endless=follow)


@app.command()
def pacing(
    campaign: Id,
    config: Config = HERE,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    last: Annotated[int, typer.Option(help="How many of the past, about one a second.", min=0)] = 60,
    as_json: Annotated[bool, typer.Option("--json", help="Whole entries, one a line.")] = False,
) -> None:
    """How many calls were started each second, and why: the pacer's numbers (docs/pacing-series.md)."""
    from dialer.commands import pacing as series

    _run(config, lambda site: series.pacing(site, campaign, last, follow, as_json), endless=follow)


@app.command()
def backup(
    folder: Annotated[Path, typer.Argument(help="Where to; made if it is not there.")], config: Config = HERE
) -> None:
    """Everything that Redis holds for Santun, into a file; recordings are listed."""
    from dialer.commands import keeping

    _run(config, lambda site: keeping.backup(site, folder))


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Where `dialer backup` wrote to.")], config: Config = HERE
) -> None:
    """A backup back into a Redis that is empty."""
    from dialer.commands import keeping

    _run(config, lambda site: keeping.restore(site, folder))


@app.command()
def trace(
    attempt: Annotated[str, typer.Argument(help="An attempt's id, as `dialer outcomes` and every log line show it.")],
    config: Config = HERE,
    log: Annotated[Path | None, typer.Option(help="A log whose lines about this call are to be in it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs: one object.")] = False,
) -> None:
    """The life of one call: claim, engine, Asterisk, IVR, agent and outcome, with milliseconds."""
    from dialer.commands import trace as tracing

    _run(config, lambda site: tracing.trace(site, attempt, log, as_json))


@app.command(context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []})
def simulate(words: typer.Context) -> None:
    """How busy a team would be, and how many would be abandoned: the pacer beside others, on invented shifts."""
    from dialer.simulation.command import main as run  # numpy: only where it runs

    run(words.args)


# ---- joining --------------------------------------------------------------------------------------------------------


def _order(config: Path, campaign: str, name: str, args: dict[str, str]) -> None:
    from dialer.commands import campaigns

    _run(config, lambda site: campaigns.order(site, campaign, name, args))


def _run(
    config: Path, work: Callable[["OpenSite"], Awaitable[None]], endless: bool = False, keyed: bool = False
) -> None:
    """`endless`: Ctrl-C is how it ends; `keyed`: it looks people up by the site's secret."""
    from dialer.adapters.site import check_key, open_site
    from dialer.commands.desk import log_to_stderr

    log_to_stderr()

    async def inside() -> None:
        async with open_site(config) as site:
            if keyed:
                await check_key(site)
            await work(site)

    try:
        asyncio.run(inside())
    except KeyboardInterrupt:
        if not endless:
            raise


def main() -> None:
    """The command; an error of ours is one sentence, not a traceback."""
    try:
        app()
    except DialerError as error:
        cure = " Is it running, and is [redis] url (or SANTUN_REDIS_URL) right?" if isinstance(error, StoreDown) else ""
        typer.echo(f"{error}{cure}", err=True)
        raise SystemExit(2) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
