"""The pages' files: vendored code is what it says, colours can be read, both languages say all, the CSP holds."""

import ast
import hashlib
import json
import re
from dataclasses import replace
from enum import StrEnum
from itertools import product
from pathlib import Path

import pytest

from dialer import campaigns
from dialer.forms.forms import CODES
from dialer.law.abandon import Window
from dialer.lists.preview import SENTENCES
from dialer.model import AgentState, CallState, Mode, Outcome, Status
from dialer.outcomes import EFFECTS
from dialer.pace.snapshot import Decision, PacingEvent, Snapshot
from dialer.pacing import Limits, Pacer
from dialer.simulation.scenario import SCENARIOS
from dialer.simulation.world import World
from dialer.web.pages import PAGES

STATIC = Path(__file__).parents[2] / "dialer" / "web" / "static"
VENDOR = STATIC / "vendor"
JS = STATIC / "js"
OURS = sorted(path for path in JS.rglob("*.js"))
TABLES = sorted(path.name.removesuffix(".id.js") for path in (JS / "i18n").glob("*.id.js"))
TOKENS = (STATIC / "css" / "tokens.css").read_text(encoding="utf-8")


# ---- what others wrote


def test_vendored_files_are_what_they_say() -> None:
    entries = json.loads((VENDOR / "vendor.json").read_text())
    for entry in entries:
        content = (VENDOR / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"], f"{entry['file']} is not what was fetched"
    named = {entry["file"] for entry in entries}
    for path in VENDOR.glob("*.sha256"):  # what scripts of its own bundle
        for digest, file in map(str.split, path.read_text().splitlines()):
            assert hashlib.sha256((VENDOR / file).read_bytes()).hexdigest() == digest, f"{file} is not what was bundled"
            assert list(VENDOR.glob(f"{path.stem}*LICENSE*")), f"{path.stem} has no licence's text"
            named.add(file)
    there = {path.name for path in VENDOR.iterdir()} - {"vendor.json"}
    assert {name for name in there if name.endswith((".js", ".css"))} <= named
    licensed = {entry["package"] for entry in entries if "LICEN" in entry["file"].upper()}
    assert {entry["package"] for entry in entries} == licensed, "a licence's text is missing"


# ---- colours


def tokens() -> dict[str, tuple[str, str]]:
    """name -> (light, dark) of every colour."""
    found = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\);", TOKENS)
    return {name: (light, dark) for name, light, dark in found}


def luminance(colour: str) -> float:
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


SURFACES = ("ground", "surface", "raised", "sunken")
TONES = ("good", "busy", "warn", "bad", "rest", "quiet")
TEXT = [
    *product(("ink", "ink-soft"), SURFACES),
    *((f"{tone}-ink", f"{tone}-soft") for tone in TONES),
    *product((f"{tone}-ink" for tone in TONES), ("surface", "raised", "ground")),
    *(("ink", f"{tone}-soft") for tone in TONES),
    *product(("accent", "accent-strong"), ("surface", "raised", "ground", "accent-soft")),
    ("on-accent", "accent"), ("on-accent", "accent-strong"), ("on-bad", "bad-fill"), ("ink", "accent-soft"),
]  # fmt: skip
SIGNS = [
    *product(("focus", "line-strong"), SURFACES),
    *product(("chart-1", "chart-2", "chart-3", "chart-4", "chart-limit"), ("surface", "sunken")),
]


@pytest.mark.parametrize(("pairs", "least"), [(TEXT, 4.5), (SIGNS, 3.0)], ids=["text", "signs"])
def test_what_is_written_can_be_read(pairs: list[tuple[str, str]], least: float) -> None:
    known = tokens()
    faint = [
        f"{front} on {back}, {theme}: {found:.2f}"
        for front, back in pairs
        for theme, found in zip(("light", "dark"), map(contrast, known[front], known[back]), strict=True)
        if found < least
    ]
    assert not faint


def test_the_contrast_is_reckoned_as_the_standard_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


def test_colours_are_named_in_one_file() -> None:
    for path in sorted((STATIC / "css").glob("*.css")):
        text = path.read_text(encoding="utf-8")
        base = (STATIC / "css" / "base.css").read_text(encoding="utf-8")
        defined = set(re.findall(r"(--[\w-]+):", TOKENS + base + text))
        assert set(re.findall(r"var\((--[\w-]+)", text)) <= defined, path.name
        if path.name != "tokens.css":
            assert not re.findall(r"#[0-9a-fA-F]{3,8}\b|\brgba?\(|\bhsla?\(", text), (
                f"a colour of its own in {path.name}"
            )


# ---- words


def table(page: str, language: str) -> dict[str, str]:
    text = (JS / "i18n" / f"{page}.{language}.js").read_text(encoding="utf-8")
    body = text.removeprefix("export default ").rstrip().removesuffix(";")
    pairs: list[tuple[str, str]] = json.loads(body, object_pairs_hook=list)
    assert len(dict(pairs)) == len(pairs), f"{page}.{language}: a key twice"
    return dict(pairs)


@pytest.mark.parametrize("page", TABLES)
def test_both_languages_say_the_same_things(page: str) -> None:
    ours, theirs = table(page, "id"), table(page, "en")
    assert ours.keys() == theirs.keys()
    for key in ours:
        assert ours[key].strip(), key
        assert theirs[key].strip(), key
        assert names(ours[key]) <= names(theirs[key]) | {"n"}, key
        assert names(theirs[key]) <= names(ours[key]) | {"n"}, key
        assert theirs[key].count("|") <= 1, key


def names(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def used(text: str) -> tuple[set[str], set[str]]:
    """(keys, beginnings of keys) that a source asks its tables for, whichever branch is taken."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for call in re.finditer(r"\bt(?:\.has)?\(", text):
        asked = first_argument(text[call.end() :])
        for literal, joined in re.findall(r'"([^"\s]+)"(\s*\+)?', asked):
            (beginnings if joined else keys).add(literal)
        for beginning in re.findall(r"`([^`$]*)\$\{", asked):
            beginnings.add(beginning)
    return {key for key in keys if not key.endswith(".")}, beginnings | {key for key in keys if key.endswith(".")}


def first_argument(text: str) -> str:
    """Up to the comma or bracket that ends it; comparisons' right sides are no keys and are left out."""
    depth, quote, end = 0, "", len(text)
    for at, letter in enumerate(text):
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'`":
            quote = letter
        elif letter in "([{":
            depth += 1
        elif letter in ")]}" and depth:
            depth -= 1
        elif letter in ",)" and not depth:
            end = at
            break
    return re.sub(r'[!=]==?\s*"[^"]*"', "", text[:end])


def test_keys_are_found_in_sources() -> None:
    text = 't("a.b", { n: "c" }) + t(`d.${e}`) + t(f ? "g.h" : "i.j") + t("k." + l) + got("x")'
    text += ' + t(m === "n.o" ? "p.q" : "r.s")'
    assert used(text) == ({"a.b", "g.h", "i.j", "p.q", "r.s"}, {"d.", "k."})


def uncommented(path: Path) -> str:
    return re.sub(r"^\s*(//|\*|/\*).*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)


def tables_of(text: str) -> set[str]:
    return set(re.findall(r"^import id.*i18n/([\w-]+)\.id\.js", text, re.MULTILINE))


@pytest.mark.parametrize("path", [path for path in OURS if "i18n" not in path.parts], ids=lambda path: path.name)
def test_every_word_that_is_asked_for_is_there(path: Path) -> None:
    text = uncommented(path)
    pages = {"common"} | tables_of(text)
    for module in re.findall(r'^import \{[^}]*\bt\b[^}]*\} from "(\./[^"]+)"', text, re.MULTILINE):
        pages |= tables_of(uncommented(path.parent / module))
    known = {key for page in pages for key in table(page, "id")}
    keys, beginnings = used(text)
    assert keys <= known
    assert {one for one in beginnings if not any(key.startswith(one) for key in known)} == set()


def test_every_word_of_the_model_is_spoken() -> None:
    common, looks = table("common", "id"), (JS / "board-words.js").read_text(encoding="utf-8")
    kinds: dict[str, type[StrEnum]] = {
        "agent_state": AgentState, "status": Status, "mode": Mode, "outcome": Outcome
    }  # fmt: skip
    lacking = {f"{group}.{word}" for group, kind in kinds.items() for word in kind} - common.keys()
    lacking |= {f"said.{word}" for word in EFFECTS} - common.keys()
    lacking |= {f"rule.{rule}" for rule in SENTENCES} - common.keys()
    lacking |= {f"window.{window}" for window in Window} - table("board", "id").keys()
    assert lacking == set()
    assert all(f"  {state}: [" in looks for state in AgentState), "a state without a sign"
    flights = looks[looks.index("FLIGHTS") : looks.index("STATUS_TONES")]
    assert all(f'"{state}"' in flights for state in set(CallState) - {CallState.GONE, CallState.ENDED})


def test_every_refusal_is_spoken() -> None:
    """Problems by their kind and rejected values by their code: the server's English is for programs."""
    kinds = set(constants("dialer/web", "Problem", 1)) - {"wrong", "wrong_code", "too_many", "one_time_over"}
    lacking = kinds - table("problems", "id").keys() - {key.removeprefix("problem.") for key in table("common", "id")}
    assert lacking - {"engine_refused"} == set()
    codes = {code for name, place in (("Unreadable", 2), ("NumberFault", 2), ("_Fault", 4)) for code in
             constants("dialer", name, place)}  # fmt: skip
    assert len(codes) > 30
    written = {
        file: set(constants(file, "told", 0))
        for file in (
            "dialer/config.py", "dialer/law/schedule.py", "dialer/campaigns.py", "dialer/lists/recycle_form.py",
            "dialer/debts/plans.py", "dialer/adapters/limit_files.py", "dialer/forms/forms.py", "ivr",
            "dialer/web/api/campaigns.py",
        )
    }  # fmt: skip
    assert len(written["dialer/config.py"]) > 10
    assert len(written["ivr"]) > 30
    told = set().union(*written.values(), CODES, (code for code, _ in campaigns._EXPECTED.values()))
    assert told - table("faults", "id").keys() == set()
    said = table("faults", "id").keys()
    assert {one for code in codes for one in (code, f"cure.{code}")} - said == set()


def test_what_a_refusal_names_is_what_its_words_ask_for() -> None:
    """Every fact that a page's sentence needs goes along with the code; `n` is a fact like others."""
    spoken = {code: names(table("faults", lang)[code]) for lang in ("id", "en") for code in table("faults", lang)}
    seen = 0
    for package in ("dialer", "ivr"):
        for path in (STATIC.parents[2] / package).glob("**/*.py"):
            text = path.read_text(encoding="utf-8")
            for call in ast.walk(ast.parse(text)) if " told(" in text or "(told(" in text else ():
                if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "told"):
                    continue
                code, facts = call.args[0], {given.arg for given in call.keywords}
                if len(call.args) == 2 and isinstance(code, ast.Constant) and None not in facts:
                    assert spoken[str(code.value)] <= facts, f"{path.name}:{call.lineno}"
                    seen += 1
    assert seen > 60


def constants(folder: str, name: str, place: int) -> list[str]:
    """The texts that stand at a place in calls of something; a call of it without one there is a fault."""
    found = []
    whole = STATIC.parents[2] / folder
    for path in [whole] if whole.is_file() else whole.glob("**/*.py"):
        text = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(text)) if f"{name}(" in text else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name:
                given = node.args[place] if len(node.args) > place else None
                if isinstance(given, ast.Constant):
                    found.append(str(given.value))
                else:
                    assert given is not None or path.name == "given.py", f"{path.name}:{node.lineno}"
    return found


# ---- content security


@pytest.mark.parametrize("path", PAGES)
def test_no_inline_code_or_style(path: str) -> None:
    text = PAGES[path].html
    assert not re.search(r"<script(?![^>]*\bsrc=)", text), "a script in the page"
    assert not re.search(r"<style|\bstyle=|\bon\w+=|javascript:", text)
    assert not re.findall(r'(?:src|href)="(?!/|#)', text), "loaded from elsewhere"
    assert re.search(r'<html lang="id"', text)
    for file in re.findall(r'(?:src|href)="/static/([^"]+)"', text):
        assert (STATIC / file).is_file(), file


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_sources_keep_to_the_policy(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in (
        r"\beval\(",
        r"new Function",
        r"innerHTML",
        r"document\.write",
        r"dangerouslySet",
        r"\bstyle=\"",
        r"https?://",
    ):
        assert not re.search(word, text), word
    for target in re.findall(r'^(?:import|export) .*?from "([^"]+)";$', text, re.MULTILINE):
        assert target.startswith("."), target
        assert (path.parent / target).resolve().is_file(), target


# ---- the engine's sentences


def clauses() -> list[re.Pattern[str]]:
    """The patterns of lib/reasons.js, read as it reads them."""
    text = (JS / "i18n" / "reasons.js").read_text(encoding="utf-8")
    known = json.loads(text.removeprefix("export default ").rstrip().removesuffix(";"))
    for pattern, said in known.items():
        assert names(said) <= names(pattern), pattern
    return [re.compile(re.sub(r"\\\{(\w+)\\\}", one, re.escape(pattern))) for pattern in known]


def one(found: re.Match[str]) -> str:
    return "(.+)" if found[1] == "why" else "([^,;]+?)"


def is_known(text: str, known: list[re.Pattern[str]]) -> bool:
    """Whether commas can be found that cut it into clauses which all have a pattern."""
    pieces = text.split(", ")
    if any(pattern.fullmatch(text) for pattern in known):
        return True
    return any(
        any(pattern.fullmatch(", ".join(pieces[:cut])) for pattern in known)
        and is_known(", ".join(pieces[cut:]), known)
        for cut in range(1, len(pieces))
    )


class Spy:
    """A pacer whose reasons are gathered."""

    def __init__(self, limits: Limits) -> None:
        self.pacer, self.reasons = Pacer(limits, 1), set[str]()

    def observe(self, event: PacingEvent) -> None:
        self.pacer.observe(event)

    def decide(self, snapshot: Snapshot) -> Decision:
        decision = self.pacer.decide(snapshot)
        self.reasons.add(decision.reason)
        return decision


def said_by_the_pacer() -> set[str]:
    """Reasons of a few simulated shifts."""
    found: set[str] = set()
    for mode, hours, lines in ((Mode.PREDICTIVE, 0.5, 40), (Mode.PREDICTIVE, 0.1, 6), (Mode.RATIO, 0.2, 40)):
        scenario = replace(SCENARIOS["steady"], agents=6, hours=hours)
        spy = Spy(Limits(mode, lines_max=lines, lines_per_agent_max=10.0, calls_per_second=2.0, ratio=3.0))
        World(scenario, spy, 1, gap_s=1.0, keep=False).run()
        found |= spy.reasons
    return found


def written_in(module: str, function: str) -> set[str]:
    """Every sentence in a function of the core, a figure for each value in it."""
    tree = ast.parse((STATIC.parents[1] / module).read_text(encoding="utf-8"))
    functions = (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
    body = next(node for node in functions if node.name == function)
    found, within = set(), set()
    for node in ast.walk(body):
        if isinstance(node, ast.JoinedStr):
            within |= {id(part) for part in ast.walk(node)}
            found.add("".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            found.add(node.value)
    return {text for text in found if " " in text and text != ast.get_docstring(body, clean=False)}


ANSWERS = {  # what the engine says to orders of desks and boards
    "desk/orders.py": "obey _move _message _wrapped _disposition _hang_up _paid",
    "desk/handover.py": "talk_of hold unhold to_ivr to_agent hand_over consult_end _keep help_",
    "desk/supervise.py": "_unfit",
    "desk/answers.py": "over",
    "desk/dispositions.py": "fault _promise",
    "debts/promises.py": "fault",
    "debts/plans.py": "fault",
    "floor/breaks.py": "fault",
    "floor/team.py": "sign_in ask move",
    "running/by_hand.py": "obey",
    "running/hands.py": "_record _set_status",
    "running/manual.py": "not_now number_of skip_fault",
    "running/mending.py": "_fault",
}


def test_the_engines_sentences_are_known() -> None:
    known = clauses()
    written = written_in("running/run.py", "holds") | written_in("pacing.py", "_stop")
    for module, functions in ANSWERS.items():
        for function in functions.split():
            written |= written_in(module, function)
    spoken = {
        clause
        for sentence in said_by_the_pacer() | written
        for clause in re.sub(r"^(No|\d+) (call|account)s?( to offer)?: ", "", sentence).split("; ")
    }
    spoken = spoken - {"", "the campaign is 7"} | {f"the campaign is {status}" for status in Status}
    assert len(spoken) > 20
    assert {clause for clause in spoken if not is_known(clause, known)} == set()
