"""Turns the catalogue and a view into the bytes of a page. Nothing is kept here: pages knows when to render."""

import gzip
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, islice

from prometheus_client import GC_COLLECTOR, PLATFORM_COLLECTOR, PROCESS_COLLECTOR
from prometheus_client.core import (
    CounterMetricFamily,
    Exemplar,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from exporter.catalogue import FAMILIES, Family
from exporter.catalogue.family import Bucket, Distribution, Example, Kind, Sample, Total
from exporter.options import ExporterOptions
from exporter.view import View

GZIP_LEVEL = 1
"""Pages are compressed often and sent near by: the default level takes several times as long for few bytes less."""


class Format(StrEnum):
    """A format of the page, by its content type."""

    TEXT = CONTENT_TYPE_PLAIN_0_0_4
    OPENMETRICS = openmetrics.CONTENT_TYPE_LATEST


END = {Format.TEXT: b"", Format.OPENMETRICS: b"# EOF\n"}
"""What follows the last family."""


@dataclass(frozen=True, slots=True)
class Block:
    """The finished lines of one family: what announces it, and what shows each of its items, in order."""

    head: bytes
    lines: Mapping[object, bytes]

    @property
    def shown(self) -> bool:
        """False when no item has a sample."""
        return any(self.lines.values())


NOTHING = Block(b"", {})


class Renderer:
    """Makes pages. Remembers the lines of each item, because from one poll to the next few jobs change."""

    def __init__(self, *, process: bool = True) -> None:
        self._blocks: dict[tuple[Format, str], Block] = {}
        self._process = (PROCESS_COLLECTOR, PLATFORM_COLLECTOR, GC_COLLECTOR) if process else ()

    def page(self, view: View, form: Format) -> bytes:
        """The finished page: the catalogue in its order, then what the client library knows of this process."""
        families = (family for family in FAMILIES if family.enabled(view.options))
        blocks = (self._block(family, view, form) for family in families)
        lines = [part for block in blocks if block.shown for part in (block.head, *block.lines.values())]
        process = (_lines(metric, form) for collector in self._process for metric in collector.collect())
        return b"".join([*lines, *process, END[form]])

    def forget(self, form: Format) -> None:
        """Lets go of what was remembered of a format that nobody reads."""
        self._blocks = {key: block for key, block in self._blocks.items() if key[0] is not form}

    def _block(self, family: Family, view: View, form: Format) -> Block:
        held = self._blocks.get((form, family.name), NOTHING)
        items = tuple(family.samples.items(view))
        new = {item: tuple(family.samples.of(item)) for item in items if item not in held.lines}
        head, fresh = _rendered(family, view.options, new, form)
        lines = {item: fresh[item] if item in fresh else held.lines[item] for item in items}
        block = self._blocks[form, family.name] = Block(head or held.head, lines)
        return block


def _rendered(
    family: Family, options: ExporterOptions, samples: Mapping[object, tuple[Sample, ...]], form: Format
) -> tuple[bytes, dict[object, bytes]]:
    """The two lines that announce the family, empty when there is no sample, and the lines of each item."""
    every = tuple(chain.from_iterable(samples.values()))
    if not every:
        return b"", dict.fromkeys(samples, b"")
    help_line, type_line, *lines = _lines(_metric(family, options, every), form).split(b"\n")
    rest = iter(lines)

    def of(item_samples: tuple[Sample, ...]) -> bytes:
        height = sum(map(_height, item_samples))
        return b"".join(line + b"\n" for line in islice(rest, height))

    return b"%s\n%s\n" % (help_line, type_line), {item: of(own) for item, own in samples.items()}


def _height(sample: Sample) -> int:
    """How many lines show the sample."""
    match sample.value:
        case Total():
            return 2
        case Distribution(buckets, total):
            return len(buckets) + (0 if total is None else 2)
        case _:
            return 1


class Single(Collector):
    """One metric, as the client library's writers want it: their registry would collect everything at once."""

    def __init__(self, metric: Metric) -> None:
        self._metric = metric

    def collect(self) -> Iterable[Metric]:
        """The metric."""
        return (self._metric,)


def compressed(body: bytes) -> bytes:
    """The body for those who accept gzip; equal bodies give equal bytes."""
    return gzip.compress(body, GZIP_LEVEL, mtime=0)


def _lines(metric: Metric, form: Format) -> bytes:
    match form:
        case Format.TEXT:
            return generate_latest(Single(metric))
        case Format.OPENMETRICS:
            text: bytes = openmetrics.generate_latest(Single(metric))  # type: ignore[no-untyped-call]  # not annotated
            return text.removesuffix(END[form])


def _metric(family: Family, options: ExporterOptions, samples: tuple[Sample, ...]) -> Metric:
    labels_of_all = family.labels + family.more_labels(options)
    metric = SHAPES[family.kind](family.name.removesuffix("_info"), family.help, labels=labels_of_all)
    for labels, value, example in samples:
        match metric, value:
            case SummaryMetricFamily(), Total(number, total):
                metric.add_metric(labels, number, total)
            case HistogramMetricFamily(), Distribution(buckets, total_or_none):
                metric.add_metric(labels, [_bucket(bucket) for bucket in buckets], total_or_none)
            case CounterMetricFamily(), float() | int():
                metric.add_metric(labels, value, exemplar=_exemplar(example))
            case GaugeMetricFamily(), float() | int():
                metric.add_metric(labels, value)
            case InfoMetricFamily(), _:
                metric.add_metric(labels, {})
            case _:
                raise TypeError(f"{family.name} is a {family.kind} and cannot show {value!r}")
    return metric


Shape = (
    CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily | InfoMetricFamily | SummaryMetricFamily
)
SHAPES: dict[Kind, type[Shape]] = {
    Kind.COUNTER: CounterMetricFamily,
    Kind.GAUGE: GaugeMetricFamily,
    Kind.HISTOGRAM: HistogramMetricFamily,
    Kind.INFO: InfoMetricFamily,
    Kind.SUMMARY: SummaryMetricFamily,
}


def _bucket(bucket: Bucket) -> tuple[str, float] | tuple[str, float, Exemplar]:
    exemplar = _exemplar(bucket.example)
    return (bucket.bound, bucket.number, exemplar) if exemplar else (bucket.bound, bucket.number)


def _exemplar(example: Example | None) -> Exemplar | None:
    if example is None:
        return None
    at = example.at.timestamp() if example.at else None
    return Exemplar({"run_id": example.run_id}, example.seconds, at)
