"""Reads the settings of one Asterisk node: what asterisk-conf/ is filled in with; secrets come from the environment."""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from dialer.adapters.asterisk_conf import AsteriskSettings
from dialer.adapters.tls import NOBODYS
from dialer.config import AMI_SECRET, ARI_PASSWORD
from dialer.errors import ConfigError

_SECRETS = {"ami_secret": AMI_SECRET, "ari_password": ARI_PASSWORD}


def read_settings(path: Path, env: Mapping[str, str]) -> AsteriskSettings:
    """One file and the environment -> settings. Raises ConfigError with the place and the cure; render() checks values.

    `phones` and `trunks` may hold passwords of their own: then nobody else may read the file.
    """
    try:
        data: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path} cannot be read: {error}.") from None
    for field, variable in _SECRETS.items():
        if field in data:
            raise ConfigError(f"{path.name}: take {field} out of the file, set {variable} instead.")
        data[field] = env.get(variable, "")
    if unknown := sorted(data.keys() - AsteriskSettings.__dataclass_fields__.keys()):
        raise ConfigError(f"{path.name}: unknown key {', '.join(unknown)}; see the README for those there are.")
    try:
        found = msgspec.convert(data, AsteriskSettings, dec_hook=_path)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path.name}: {error}.") from None
    passwords = [phone.password for phone in found.phones] + [trunk.password for trunk in found.trunks]
    if any(passwords) and path.stat().st_mode & NOBODYS:
        raise ConfigError(f"{path} holds passwords and is open to others: chmod 600 {path}, or 640 for a group.")
    return found


def _path(kind: type[Any], value: Any) -> Any:
    if kind is Path and isinstance(value, str):
        return Path(value)
    raise NotImplementedError(kind)
