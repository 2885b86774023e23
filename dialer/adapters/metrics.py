"""Metrics as Prometheus reads them: values are read when it asks, histograms are fed as things happen."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.core import Metric as Family
from prometheus_client.registry import Collector

from dialer.metrics import Kind, Metric, Sample

TEXT = "text/plain; version=0.0.4; charset=utf-8"
PLAIN = "text/plain; charset=utf-8"


class Meters(Collector):
    """The metrics of `table`; `read` gives the present values of those that are no histograms."""

    def __init__(self, table: Sequence[Metric], read: Callable[[], Iterable[Sample]]) -> None:
        self._table = {one.name: one for one in table}
        self._read = read
        self._registry = CollectorRegistry(auto_describe=False)
        self._histograms = {
            one.name: Histogram(
                one.name, one.meaning, one.labels, buckets=one.buckets, registry=self._registry
            )
            for one in table
            if one.kind is Kind.HISTOGRAM
        }  # fmt: skip
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def observer(self, name: str, *labels: str) -> Callable[[float], None]:
        """What takes seconds into a histogram; safe from any thread."""
        histogram = self._histograms[name]
        found: Histogram = histogram.labels(*labels) if labels else histogram
        return found.observe

    def collect(self) -> Iterator[Family]:
        """prometheus_client asks; a value of no metric in the table is an error."""
        families: dict[str, Family] = {}
        for name, labels, value in self._read():
            family = families.get(name)
            if family is None:
                family = families[name] = self._family(self._table[name])
            family.add_metric(labels, value)  # type: ignore[attr-defined] # both kinds have it
        yield from families.values()

    def text(self) -> bytes:
        """What Prometheus gets."""
        return generate_latest(self._registry)

    @staticmethod
    def _family(one: Metric) -> Family:
        kind = CounterMetricFamily if one.kind is Kind.COUNTER else GaugeMetricFamily
        return kind(one.name, one.meaning, labels=one.labels)


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Pages:
    """/metrics, /healthz and /readyz; `stuck` and `lacking` give sentences, none: all is well."""

    meters: Meters
    stuck: Callable[[], Sequence[str]]
    lacking: Callable[[], Sequence[str]]

    def page(self, path: str) -> Page:
        """404 for every other path."""
        match path:
            case "/metrics":
                return Page(200, TEXT, self.meters.text())
            case "/healthz":
                return _probe(self.stuck(), "alive")
            case "/readyz":
                return _probe(self.lacking(), "ready")
            case _:
                return Page(404, PLAIN, b"/metrics, /healthz, /readyz\n")


def _probe(wrong: Sequence[str], word: str) -> Page:
    return Page(503 if wrong else 200, PLAIN, ("\n".join(wrong or [word]) + "\n").encode())
