"""Tables of a TOML file as msgspec's structs and dataclasses: every fault at once, each with its place and its cure.

msgspec stops at the first fault; here each field is converted by itself, so that all are told.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sized
from dataclasses import MISSING, dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from dialer.forms.told import Told, parts, told

Place = tuple[str, ...]
T = TypeVar("T")

_SHOWN = 60  # letters of a value that is not right
_WHERE = re.compile(r" - at `[^`]*`$")
_CURES = (  # what msgspec says, what we say, and its code; `n`: what follows
    ("Expected `str` matching regex", "use a text that matches", "use_pattern"),
    ("Expected `str` of length <=", "letters: at most", "letters_most"),
    ("Expected `str` of length >=", "letters: at least", "letters_least"),
    ("Expected `int` >=", "use at least", "use_least"), ("Expected `int` <=", "use at most", "use_most"),
    ("Expected `str`", "use a text", "use_text"), ("Expected `int`", "use a whole number", "use_whole"),
    ("Expected `bool`", "use true or false", "use_bool"), ("Expected `array`", "use a list", "use_list"),
    ("Expected `object`", "use a table", "use_table"),
)  # fmt: skip
CODES = frozenset(code for _, _, code in _CURES)


class Fault(NamedTuple):
    """What is wrong, and the keys that lead there. The sentence is a Told; its fact `where` is its beginning."""

    place: Place
    sentence: str


@dataclass(frozen=True, slots=True)
class Check:
    """In an Annotated: what else must hold. `test` raises ValueError."""

    test: Callable[[str], object]


def faults(data: object, kind: object, place: Place = ()) -> Iterator[Fault]:
    """Every fault of `data` as a `kind`: a struct, a dataclass, dict[...], tuple[X, ...], or what msgspec converts."""
    kind, checks = _bare(kind)
    origin, of = get_origin(kind), get_args(kind)
    if _is_table(kind):
        yield from _of_table(data, kind, place)
    elif origin is dict and isinstance(data, dict):
        for key, value in data.items():
            yield from faults(key, of[0], (*place, key))
            yield from faults(value, of[1], (*place, key))
        yield from _of_length(data, checks, place)
    elif origin is tuple and isinstance(data, list):
        for number, value in enumerate(data):
            yield from faults(value, of[0], (*place, str(number)))
        yield from _of_length(data, checks, place)
    else:
        yield from _of_value(data, kind, checks, place)


def converted(data: object, kind: type[T]) -> T:
    """What has no faults, as a `kind`."""
    return msgspec.convert(data, kind)


def _bare(kind: Any) -> tuple[Any, tuple[Any, ...]]:
    """Without Annotated and `| None`, which TOML cannot say; and what was annotated."""
    if get_origin(kind) in (Union, UnionType):
        kind = next(one for one in get_args(kind) if one is not type(None))
    if get_origin(kind) is Annotated:
        return get_args(kind)[0], get_args(kind)[1:]
    return kind, ()


def _is_table(kind: object) -> bool:
    return isinstance(kind, type) and (issubclass(kind, msgspec.Struct) or is_dataclass(kind))


def _of_table(data: object, kind: Any, place: Place) -> Iterator[Fault]:
    if not isinstance(data, dict):
        yield _fault(place, data, told("use_table", "use a table"))
        return
    known, needed = _fields(kind)
    found = [_missing((*place, name)) for name in needed if name not in data]
    for name, value in data.items():
        if name in known:
            found += faults(value, known[name], (*place, name))
        else:
            found.append(_unknown((*place, name)))
    yield from found or _of_value(data, kind, (), place)  # as a whole, once its parts are right


@lru_cache(maxsize=64)
def _fields(kind: Any) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Key -> type; and the keys that must be there."""
    hints = get_type_hints(kind, include_extras=True)
    if is_dataclass(kind):
        own = fields(kind)
        needed = tuple(one.name for one in own if one.default is MISSING and one.default_factory is MISSING)
        return {one.name: hints[one.name] for one in own}, needed
    parts = msgspec.structs.fields(kind)
    return {one.encode_name: hints[one.name] for one in parts}, tuple(one.encode_name for one in parts if one.required)


def _of_length(data: Sized, checks: tuple[Any, ...], place: Place) -> Iterator[Fault]:
    least = max((one.min_length or 0 for one in checks if isinstance(one, msgspec.Meta)), default=0)
    if len(data) < least:
        yield _fault(place, data, told("give_least", f"give at least {least}", n=least))


def _of_value(data: object, kind: Any, checks: tuple[Any, ...], place: Place) -> Iterator[Fault]:
    metas = [one for one in checks if isinstance(one, msgspec.Meta)]
    try:
        found = msgspec.convert(data, Annotated[kind, metas[0]] if metas else kind)
        for check in checks:
            if isinstance(check, Check):
                check.test(found)
    except (msgspec.ValidationError, ValueError) as error:
        if isinstance(kind, type) and issubclass(kind, Enum):
            known = ", ".join(str(one.value) for one in kind)
            yield _fault(place, data, told("use_one_of", f"use one of {known}", known=known))
        else:
            yield _fault(place, data, _cure(error))


def _cure(error: Exception) -> str:
    """Our own words as they were raised, also from within msgspec; msgspec's in ours."""
    ours = (error.__cause__ or error).args
    if ours and isinstance(ours[0], Told):
        return ours[0]
    message = _WHERE.sub("", str(error)).split(", got ")[0]
    for words, said, code in _CURES:
        if message.startswith(words):
            rest = message.removeprefix(words)
            return told(code, said + rest, n=rest.strip())
    return message


def _missing(place: Place) -> Fault:
    return Fault(place, told("set_key", f"set {_name(place)}", name=_name(place)))


def _unknown(place: Place) -> Fault:
    unknown = f"unknown key {_name(place)}: remove it or correct its spelling"
    return Fault(place, told("unknown_key", unknown, name=_name(place)))


def _fault(place: Place, value: object, cure: str) -> Fault:
    where = _name(place)
    if not isinstance(value, dict | list):
        shown = repr(value)
        where += f" = {shown if len(shown) <= _SHOWN else shown[: _SHOWN - 3] + '...'}"
    code, facts = parts(cure)
    return Fault(place, told(code, f"{where}: {cure}", **facts, where=where))


def _name(place: Place) -> str:
    return ".".join(place) or "the file"
