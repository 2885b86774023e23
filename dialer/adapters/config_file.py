"""Reads the configuration file."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dialer.config import Config, read_config
from dialer.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Loaded:
    """The configuration, and the folder that its relative paths start from."""

    config: Config
    folder: Path

    def path(self, text: str) -> Path | None:
        """A path of the configuration; None where it names none."""
        return self.folder / text if text else None


def load_config(path: Path, env: Mapping[str, str] | None = None) -> Loaded:
    """The configuration in `path` and `env` (left out: the process's own). Raises ConfigError with every fault."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(f"{path} does not exist: create it, or name another file.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from error
    return Loaded(read_config(text, os.environ if env is None else env, path.name), path.parent)
