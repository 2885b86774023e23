"""docs/rules.md, drawn from the rule packs that come along: `python -m tests.draw_rules`."""

from collections.abc import Iterator
from pathlib import Path

from dialer.law.number_plan import NumberType
from dialer.law.rulebook import WEEKDAYS, Cap, Hours, Of, Pack, Silence, Span
from dialer.law.rulebook_reading import parse_pack
from tests.packs import toml

PAGE = Path(__file__).parents[1] / "docs" / "rules.md"
PACKS = ("indonesia", "us", "uk")
HEAD = """# The rules of the packs that come along

Drawn from `dialer/rules/*.toml` by `python -m tests.draw_rules`; a test holds this page against them. "Operator's
choice" means that no law with a number is known, or none binds a collection call, and a cautious value stands in.
Nothing here is legal advice: have counsel look at it before the first call.

Whatever the pack: nobody is called who has stopped it, altogether or for a lender or a campaign; no emergency contact;
no number proven dead, of somebody else, or of no subscriber; nobody after his list expired; nobody whose past cannot
be read. A call starts only if all of its ringing, and the margin for an Asterisk that froze, ends before the hours do.
A refusal names its rule and the earliest moment at which the call may be legal.

**Stricter rules** of a site or of some campaigns go into a file of their own, `[rules] stricter = ["file.toml"]` in
`santun.toml`: narrower hours, quiet minutes, closed days, joint leave, fewer kinds and types of numbers, lower caps,
longer silences and margins, lower limits. What would loosen the pack is refused with its field.

```toml
id = "site"
version = "1"
campaigns = ["november"]     # left out: all; so is `packs`

[hours]
source = "Works agreement of 2026"
sat = "closed"

[[quiet]]
source = "Friday prayer"
days = ["fri"]
spans = "11:30-13:00"

[[closed]]
date = 2026-12-31
name = "Stocktaking"

[[caps]]
source = "Works agreement of 2026"
of = "person"
count = 2
days = 1
```

**Looser rules** need an edited copy of the pack in the folder `[rules] folder`, with a signature, which is logged at
every load and marks each attempt: `indonesia@2026-11-21+operator`.

```toml
[signed_off]
by = "Dewi, compliance"
on = 2026-11-01
reason = "Agreed with the regulator, letter 12/2026"
```

**Holidays** come from the `holidays` library; `[rules] holidays = "holidays.toml"` corrects them. A feast whose date is
only estimated closes the days beside it too, until a correction opens them.

```toml
[[closed]]
date = 2027-02-14
name = "Election day"
country = "ID"                # left out: of every pack

[[open]]
date = 2027-03-09
country = "ID"
reason = "Eid is on 10 March by decree 1/2027"
signed_by = "Dewi, compliance"
```
"""


def page() -> str:
    """The whole page."""
    return "\n".join([HEAD, *("\n".join(_section(parse_pack(toml(name)))) for name in PACKS)])


def _section(pack: Pack) -> Iterator[str]:
    yield f"## {pack.title}\n"
    yield f"`{pack.label}`, zones: {', '.join(pack.zones)}.\n"
    yield "| rule | value | source |"
    yield "|---|---|---|"
    for name, value in _rules(pack):
        yield f"| `{name}` | {value} | {pack.sources[name]} |"
    yield ""


def _rules(pack: Pack) -> Iterator[tuple[str, str]]:
    both = "; the area code's own zone counts too" if pack.number_zone else ""
    yield "hours", f"{_week(pack.hours)}, in the debtor's own zone; unknown: in all of the pack's{both}"
    if rule := pack.holiday_rule:
        parts = f" ({', '.join(rule.subdivisions)})" if rule.subdivisions else ""
        yield "holidays", f"closed on the holidays of {rule.country}{parts}: {', '.join(rule.categories)}"
    types = ", ".join(one.value for one in NumberType if one in pack.types)
    kinds = ", ".join(sorted(pack.kinds))
    yield "numbers", f"of {', '.join(pack.countries)}; {kinds}; {types}"
    if pack.consent_types:
        yield "consent", f"to automated calls, for {', '.join(sorted(pack.consent_types))}"
    yield "stop", "never again; after a promise not before it is due"
    for cap in pack.caps:
        yield cap.name, _cap(cap)
    if chosen := pack.callback:
        passed = ", ".join(f"`{name}`" for name in sorted(chosen.overrides))
        yield (
            "callback",
            f"one attempt from the chosen minute to {chosen.tolerance_s // 60} minutes after it, at most"
            f" {chosen.max_s // 86400} days after the talk, passes {passed}",
        )
    yield "conversation", _silence(pack.conversation, "a talk")
    if pack.after_abandoned.seconds:
        yield "after_abandoned", _silence(pack.after_abandoned, "an answer that found no agent")
    if pack.after_machine.seconds:
        yield "after_machine", _silence(pack.after_machine, "an answer taken for a machine")
    yield "ring", f"at least {pack.ring_min_s} s; margin for a frozen Asterisk {pack.margin_s} s"
    counts = "counts" if pack.overflow_counts else "does not count"
    yield (
        "abandon",
        f"at most {pack.abandon_rate_max:.0%} of live answers per {pack.abandon_window.replace('_', ' ')}, connected"
        f" within {pack.connect_limit_ms} ms; who goes on to the IVR {counts}",
    )
    yield "caller_id", "always shown"
    for region in pack.regions:
        if region.hours:
            yield region.hours.name, f"{region.name}: {_week(region.hours)}"
        for cap in region.caps:
            yield cap.name, f"{region.name}: {_cap(cap)}"


def _cap(cap: Cap) -> str:
    whom = "a person, over all numbers, campaigns and channels" if cap.of is Of.PERSON else "a number"
    hours = cap.window_s // 3600
    window = f"{hours // 24} days" if hours % 24 == 0 and hours > 24 else f"{hours} hours" if hours > 1 else "an hour"
    hard = "; in hardship" if cap.hardship else ""
    return f"at most {cap.count} {'attempt' if cap.count == 1 else 'attempts'} in {window} on {whom}{hard}"


def _silence(silence: Silence, after: str) -> str:
    lifted = ", unless an agent is guaranteed" if silence.agent_lifts else ""
    return f"{silence.seconds // 3600} hours after {after}{lifted}"


def _week(hours: Hours) -> str:
    """`mon-sat 08:00-20:00, sun closed`."""
    runs: list[tuple[int, int]] = []
    for day in range(7):
        if runs and hours.days[runs[-1][0]] == hours.days[day]:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return ", ".join(
        f"{WEEKDAYS[first]}{'-' + WEEKDAYS[last] if last > first else ''} {_day(hours.days[first])}"
        for first, last in runs
    )


def _day(spans: tuple[Span, ...]) -> str:
    parts = [f"{opens // 60:02}:{opens % 60:02}-{closes // 60:02}:{closes % 60:02}" for opens, closes in spans]
    return " and ".join(parts) or "closed"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
