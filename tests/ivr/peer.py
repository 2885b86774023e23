"""A scripted Asterisk at the other end of FastAGI: answers variables, plays files in no time, presses keys as told."""

import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ENV = "agi_network: yes\nagi_network_script: {script}\nagi_request: agi://ivr/{script}\nagi_uniqueid: {attempt}\n\n"


@dataclass
class Peer:
    """One call. `press(name, keys)` is asked for each file played: the key pressed, '' for none, None to hang up."""

    address: tuple[str, int]
    variables: Mapping[str, str]
    press: Callable[[Path, str], str | None]
    script: str = "payment_reminder"
    env: Mapping[str, str] = field(default_factory=dict)
    played: list[Path] = field(default_factory=list)
    set: dict[str, str] = field(default_factory=dict)

    def run(self) -> "Peer":
        """The whole call; returns when the server closes."""
        with socket.create_connection(self.address, timeout=30) as sock:
            attempt = self.variables.get("SANTUN_ATTEMPT", "")
            told = {"agi_uniqueid": attempt, **self.env}
            env = ENV.format(script=self.script, attempt=told.pop("agi_uniqueid"))
            sock.sendall(
                (env.removesuffix("\n") + "".join(f"{name}: {value}\n" for name, value in told.items()) + "\n").encode()
            )
            try:
                for line in sock.makefile("r", encoding="utf-8"):
                    answer = self._answer(line)
                    sock.sendall(answer.encode())
                    if answer == "HANGUP\n":
                        break
            except (ConnectionError, BrokenPipeError):
                pass
        return self

    def _answer(self, line: str) -> str:
        verb, _, rest = line.strip().partition(" ")
        words = [part for part in rest.split('"') if part.strip()]
        if verb == "GET":
            value = self.variables.get(words[1])
            return f"200 result=1 ({value})\n" if value is not None else "200 result=0\n"
        if verb == "SET":
            self.set[words[1]] = words[2]
            return "200 result=1\n"
        if verb == "STREAM":
            return self._stream(rest)
        return "510 Invalid or unknown command\n"

    def _stream(self, rest: str) -> str:
        _, path, _, keys, offset = rest.split('"')
        self.played.append(Path(path))
        key = self.press(Path(path), keys)
        if key is None:
            return "HANGUP\n"
        value = ord(key) if key and key in keys else 0
        return f"200 result={value} endpos={int(offset) + 8000}\n"
