"""The operator's saved mapping of a list (TOML): header -> field, values for what is missing, how it is written."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dialer.contacts import ListRules
from dialer.errors import BadInput
from dialer.lists.columns import FIELDS, HEADERS, Columns, plain, word_fault, word_of
from dialer.lists.values import MINOR_DIGITS

DELIMITERS = (",", ";", "\t", "|")
ENCODINGS = ("utf-8", "utf-16", "cp1252")
SHEET_MAX = 31  # Excel's own limit of a sheet's name
_CONSTANT_MAX = 100


@dataclass(frozen=True, slots=True)
class ListMapping:
    """How one lender's lists are to be read. None or empty: by header, by the site's settings, by looking."""

    columns: Mapping[str, str] = field(default_factory=dict)  # header -> field, phone, custom:NAME, ignore
    values: Mapping[str, str] = field(default_factory=dict)  # field -> what an empty cell means
    day_first: bool | None = None
    region: str = ""
    country_codes: tuple[int, ...] = ()
    currency: str = ""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""

    def rules(self, site: ListRules) -> ListRules:
        """The site's rules, with what the mapping says otherwise."""
        return replace(
            site,
            region=self.region or site.region,
            country_codes=frozenset(self.country_codes) or site.country_codes,
            day_first=site.day_first if self.day_first is None else self.day_first,
            currency=self.currency or site.currency,
        )


def read_mapping(text: str, name: str) -> ListMapping:
    """A mapping file. Raises BadInput with every fault at once."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{name} is no TOML: {error}.") from None
    return mapping_of(data, name)


def mapping_of(data: Mapping[str, Any], name: str) -> ListMapping:
    """The same from its tables. Raises BadInput with every fault at once."""
    wrong: list[str] = []
    for key in data.keys() - {"columns", "values", "reading"}:
        wrong.append(f"unknown table [{key}]: use [columns], [values], [reading]")
    columns, values = _texts(data, "columns", wrong), _texts(data, "values", wrong)
    reading = data.get("reading", {})
    if not isinstance(reading, dict):
        wrong.append("reading: make it a table, [reading]")
        reading = {}
    for header, word in columns.items():
        if fault := word_fault(word):
            wrong.append(f"columns.{header[:40]!r} = {word[:40]!r}: {fault}")
    constants = {FIELDS.get(plain(key), key): value for key, value in values.items()}
    for key, value in constants.items():
        if key not in HEADERS:
            wrong.append(f"values.{key[:40]}: unknown field; use one of {', '.join(HEADERS)}")
        elif not value.isprintable() or len(value) > _CONSTANT_MAX:
            wrong.append(f"values.{key}: use one line of at most {_CONSTANT_MAX} characters")
    found = _reading(reading, wrong)
    if wrong:
        raise BadInput(f"{name}: {'; '.join(wrong)}.")
    return replace(found, columns=columns, values=constants)


def _texts(data: Mapping[str, Any], table: str, wrong: list[str]) -> dict[str, str]:
    found = data.get(table, {})
    if not isinstance(found, dict):
        wrong.append(f"{table}: make it a table, [{table}]")
        return {}
    wrong += [f"{table}.{key[:40]}: use a text in quotes" for key, value in found.items() if not isinstance(value, str)]
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _reading(data: Mapping[str, Any], wrong: list[str]) -> ListMapping:
    import phonenumbers  # a third of a second: only where a mapping is read

    def usable(key: str, value: Any) -> bool:
        return {
            "day_first": lambda: isinstance(value, bool),
            "region": lambda: isinstance(value, str) and value in phonenumbers.SUPPORTED_REGIONS,
            "country_codes": lambda: isinstance(value, list) and all(type(one) is int and one > 0 for one in value),
            "currency": lambda: isinstance(value, str) and value in MINOR_DIGITS,
            "delimiter": lambda: value in DELIMITERS,
            "encoding": lambda: value in ENCODINGS,
            "sheet": lambda: isinstance(value, str) and len(value) <= SHEET_MAX and value.isprintable(),
        }[key]()

    cures = {
        "day_first": "use true or false",
        "region": "use a country such as ID",
        "country_codes": "use [62]",
        "currency": f"use one of {', '.join(MINOR_DIGITS)}",
        "delimiter": "use one of , ; | or a tab",
        "encoding": f"use one of {', '.join(ENCODINGS)}",
        "sheet": "use the name of a sheet",
    }
    found: dict[str, Any] = {}
    for key, value in data.items():
        if key not in cures:
            wrong.append(f"reading.{key[:40]}: unknown; use {', '.join(cures)}")
        elif not isinstance(value, str | bool | list) or not usable(key, value):
            wrong.append(f"reading.{key}: {cures[key]}")
        else:
            found[key] = tuple(value) if isinstance(value, list) else value
    return ListMapping(**found)


def saved(columns: Columns, rules: ListRules, mapping: ListMapping) -> str:
    """A mapping file that reads a list like this one in the same way."""
    reading: dict[str, Any] = {
        "day_first": rules.day_first, "region": rules.region, "country_codes": sorted(rules.country_codes),
        "currency": rules.currency,
    }  # fmt: skip
    told = {"delimiter": mapping.delimiter, "encoding": mapping.encoding, "sheet": mapping.sheet}
    reading |= {key: value for key, value in told.items() if value}
    lines = ["# how `dialer load --mapping` reads such a list: docs/lists.md", "", "[columns]"]
    lines += [f"{_toml(header)} = {_toml(word)}" for header, word in word_of(columns).items()]
    lines += ["", "[values]", *(f"{key} = {_toml(value)}" for key, value in columns.constants.items())]
    lines += ["", "[reading]", *(f"{key} = {_toml(value)}" for key, value in reading.items())]
    return "\n".join(lines) + "\n"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(map(str, value))}]"
    escaped = "".join(
        f"\\{char}" if char in '"\\' else char if char.isprintable() else f"\\U{ord(char):08x}" for char in str(value)
    )
    return f'"{escaped}"'
