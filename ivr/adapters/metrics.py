"""The pages of an IVR server, in threads of their own: metrics, /healthz, /readyz."""

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from dialer.adapters.metrics import Meters, Pages
from dialer.errors import ConfigError
from dialer.metrics import IVR, Sample

CLIENT_LIMIT_S = 5.0


class Calls(Protocol):
    """The FastAGI server, as far as it is shown."""

    @property
    def calls(self) -> int: ...
    @property
    def most(self) -> int: ...
    @property
    def stopping(self) -> bool: ...


class Beating(Protocol):
    """The heart: whether Redis took the last beat."""

    @property
    def beating(self) -> bool: ...
    @property
    def alive(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Parts:
    """What is shown. `endings`: how -> how many; `sounds`: files and bytes of the sounds of single calls;
    `waiting`: facts that are on the disk because Redis did not take them."""

    server: Calls
    heart: Beating
    endings: Callable[[], Mapping[str, int]]
    sounds: Callable[[], tuple[int, int]]
    waiting: Callable[[], int]


def pages_of(parts: Parts) -> Pages:
    """Its histogram of conversations is `meters.observer("santun_ivr_call_seconds")`."""

    def samples() -> Iterable[Sample]:
        files, size = parts.sounds()
        yield "santun_ivr_calls", (), float(parts.server.calls)
        yield "santun_ivr_calls_max", (), float(parts.server.most)
        for how, count in parts.endings().items():
            yield "santun_ivr_endings_total", (how,), float(count)
        yield "santun_ivr_sounds_files", (), float(files)
        yield "santun_ivr_sounds_bytes", (), float(size)
        yield "santun_ivr_redis_up", (), float(parts.heart.beating)
        yield "santun_ivr_spool_facts", (), float(parts.waiting())
        yield "santun_ivr_draining", (), float(parts.server.stopping)

    return Pages(Meters(IVR, samples), lambda: _stuck(parts), lambda: _lacking(parts))


def _stuck(parts: Parts) -> list[str]:
    return [] if parts.heart.alive else ["the heart has stopped"]


def _lacking(parts: Parts) -> list[str]:
    wrong = _stuck(parts)
    if not parts.heart.beating:
        wrong.append("Redis did not take the last heartbeat")
    if waiting := parts.waiting():
        wrong.append(f"spool: {waiting} facts wait on the disk for Redis")
    if parts.server.stopping:
        wrong.append("it is draining")
    elif parts.server.calls >= parts.server.most:
        wrong.append(f"it has {parts.server.calls} calls, as many as it may")
    return wrong


class PageServer:
    """Serves at `listen` (host:port) from start() to stop(). Raises ConfigError."""

    def __init__(self, pages: Pages, listen: str) -> None:
        host, _, port = listen.rpartition(":")
        try:
            self._http = ThreadingHTTPServer((host or "127.0.0.1", int(port)), _handler(pages))
        except (OSError, ValueError, OverflowError) as error:
            raise ConfigError(f"--metrics {listen}: {error}; use host:port, with a port that is free here.") from error
        self._http.daemon_threads = True
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True, name="metrics")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(CLIENT_LIMIT_S)


def _handler(pages: Pages) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = CLIENT_LIMIT_S
        server_version = "santun"
        sys_version = ""

        def do_GET(self) -> None:
            page = pages.page(self.path.partition("?")[0])
            self.send_response(page.status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Content-Length", str(len(page.body)))
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:
            """Probes are no news."""

    return Handler
