"""Flows on disk: NAME.toml and its texts NAME.id.toml, NAME.en.toml beside it."""

from pathlib import Path

from dialer.errors import ConfigError
from ivr import spoken
from ivr.flow import Flow
from ivr.flow_reading import File, read
from ivr.shipped import SHIPPED


def load(name: str) -> Flow:
    """A shipped flow by its name, or one from a file. Raises ConfigError with every fault and its line."""
    if name in SHIPPED:
        return SHIPPED[name]()
    path = Path(name)
    files = {language: path.with_suffix(f".{language}.toml") for language in spoken.LANGUAGES}
    texts = {language: _file(file) for language, file in files.items() if file.exists()}
    if path.exists() and not texts:
        raise ConfigError(f"{path}: its texts are missing: write {path.with_suffix('.id.toml').name} beside it")
    return read(_file(path), texts)


def _file(path: Path) -> File:
    try:
        return File(str(path), path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error}); shipped are {', '.join(SHIPPED)}") from None
