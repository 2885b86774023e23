"""The lender's limits on disk: a TOML file with any of the fields of offers.Limits."""

import tomllib
from dataclasses import fields
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dialer import faults
from dialer.errors import ConfigError
from ivr.offers import Limits, loose


def load_limits(path: Path | None) -> Limits:
    """Without a file: the defaults, which offer nothing. Raises ConfigError with all faults at once."""
    if path is None:
        return Limits()
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        known = {field.name for field in fields(Limits)}
        if unknown := sorted(data.keys() - known):
            raise ConfigError(f"{path}: unknown key {', '.join(unknown)}: use some of {', '.join(sorted(known))}")
        limits = TypeAdapter(Limits).validate_python(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: " + "; ".join(faults.sentences(error))) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None
    if wrong := list(loose(limits)):
        raise ConfigError(f"{path}: " + "; ".join(wrong))
    return limits
