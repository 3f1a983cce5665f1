"""The shape of a declaration: one frozen value per metric family, and the small functions that declarations share."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Generic, NamedTuple, TypeVar

from collector.core.snapshot import CounterValue
from exporter.options import ExporterOptions, Option
from exporter.view import JobView, View, WorkspaceView

WORKSPACE = ("workspace",)
JOB = ("workspace", "job_id", "job_name")
SECOND = timedelta(seconds=1)
Item = TypeVar("Item", View, WorkspaceView, JobView)


class Kind(StrEnum):
    """The type that the page announces."""

    GAUGE = "gauge"
    COUNTER = "counter"
    SUMMARY = "summary"
    HISTOGRAM = "histogram"
    INFO = "info"


class Source(StrEnum):
    """Where the numbers come from."""

    LIVE = "live"
    DEFINITIONS = "definitions"
    STORE = "store"
    SYSTEM_TABLES = "system_tables"
    BILLING = "billing"
    SELF = "self"


FRESHNESS = {
    Source.LIVE: "From the Jobs API at every live poll.",
    Source.DEFINITIONS: "From the job definitions, read every definitions_interval.",
    Source.STORE: "From the runs in the store, after every live poll.",
    Source.SYSTEM_TABLES: (
        "From the system tables, read every system_tables_interval, which are minutes to hours behind."
    ),
    Source.BILLING: (
        "From the billing tables, read every billing_interval; a day of UTC is taken to be complete 12 hours after its "
        "end. Amounts are gauges, because corrections of past days make them fall."
    ),
    Source.SELF: "From the exporter itself.",
}


class Stability(StrEnum):
    """What a user may rely on: a stable family changes only with notice of two minor releases."""

    STABLE = "stable"
    EXPERIMENTAL = "experimental"


class Example(NamedTuple):
    """A run that stands for a counter: shown as exemplar, where the format has them."""

    run_id: str
    seconds: float
    at: datetime | None


class Total(NamedTuple):
    """The value of a summary: how many, and their sum."""

    number: int
    sum: float


class Bucket(NamedTuple):
    """A cumulative bucket with its upper bound as text, `+Inf` for the last."""

    bound: str
    number: int
    example: Example | None = None


class Distribution(NamedTuple):
    """The value of a histogram; without a sum where none is kept."""

    buckets: tuple[Bucket, ...]
    sum: float | None


class Sample(NamedTuple):
    """One line of a family, or for summaries and histograms one group of lines. Labels in the declared order."""

    labels: tuple[str, ...]
    value: float | Total | Distribution = 1
    example: Example | None = None


def no_labels(_: ExporterOptions) -> tuple[str, ...]:
    """For the families whose labels do not depend on the settings: all but one."""
    return ()


@dataclass(frozen=True, slots=True)
class Samples(Generic[Item]):
    """The samples of a family, item by item, so that nobody asks again for those of an item that is still the same."""

    items: Callable[[View], Iterable[Item]]
    """What the samples follow from, in the order of the page; compared by identity."""
    of: Callable[[Item], Iterable[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A metric family: the single place where its name, meaning and labels are written down."""

    name: str
    """As users write it in a query; a counter with `_total`, an info with `_info`."""
    kind: Kind
    meaning: str
    """What a value says, with its unit where the name does not carry it. One or two sentences."""
    labels: tuple[str, ...] = ()
    source: Source
    samples: Samples[Any]
    option: Option | None = None
    """The setting that switches the family on; None for the families that are always there."""
    stability: Stability = Stability.STABLE
    more_labels: Callable[[ExporterOptions], tuple[str, ...]] = no_labels
    """Labels after the declared ones that the settings name."""

    @property
    def help(self) -> str:
        """The HELP text: meaning, source and freshness."""
        return f"{self.meaning} {FRESHNESS[self.source]}"

    def enabled(self, options: ExporterOptions) -> bool:
        """True when the settings ask for the family."""
        return self.option is None or options.has(self.option)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """Families that belong together: a chapter of the reference."""

    title: str
    about: str
    families: tuple[Family, ...]


def whole(samples: Callable[[View], Iterable[Sample]]) -> Samples[View]:
    """The samples of a view, from a function that knows all of it."""
    return Samples(lambda view: (view,), samples)


def each_workspace(samples: Callable[[WorkspaceView], Iterable[Sample]]) -> Samples[WorkspaceView]:
    """The samples of every workspace, from a function that knows one."""
    return Samples(lambda view: view.workspaces, samples)


def each_job(samples: Callable[[JobView], Iterable[Sample]]) -> Samples[JobView]:
    """The samples of every job that is shown, from a function that knows one."""
    return Samples(lambda view: (job for workspace in view.workspaces for job in workspace.jobs), samples)


def each_counted_job(samples: Callable[[JobView], Iterable[Sample]]) -> Samples[JobView]:
    """Like `each_job`, with the one-time runs of a workspace in front, under an empty job id."""
    return Samples(
        lambda view: (job for workspace in view.workspaces for job in (workspace.one_time, *workspace.jobs)),
        samples,
    )


def job_gauge(value: Callable[[JobView], float | datetime | timedelta | None]) -> Samples[JobView]:
    """One sample per job that exists; none where the value is None. Instants and spans become seconds."""

    def samples(job: JobView) -> Iterator[Sample]:
        if job.facts.deleted is None and (found := value(job)) is not None:
            yield Sample(job.labels, seconds(found))

    return each_job(samples)


def seconds(value: float | datetime | timedelta) -> float:
    """Instants as seconds since 1970, spans in seconds, numbers as they are."""
    match value:
        case datetime():
            return value.timestamp()
        case timedelta():
            return value / SECOND
        case _:
            return value


def totals(
    front: tuple[str, ...],
    zeros: Iterable[tuple[str, ...]],
    values: Iterable[CounterValue],
    bounded: Callable[[tuple[str, ...]], tuple[str, ...]] = tuple,
    *,
    scale: int = 1,
    exemplars: bool = False,
) -> Iterator[Sample]:
    """Counters with `front` before their own labels: zeros first, so that a first increase is seen.

    `bounded` maps stored words to label values; counters that it makes equal are added up, and the latest run stands
    for them. `scale` divides: 1000 turns milliseconds into seconds.
    """
    sums: dict[tuple[str, ...], int] = dict.fromkeys(zeros, 0)
    latest: dict[tuple[str, ...], CounterValue] = {}
    for value in values:
        labels = bounded(value.labels)
        sums[labels] = sums.get(labels, 0) + value.value
        if exemplars and value.run_id and (labels not in latest or _later(value, latest[labels])):
            latest[labels] = value
    for labels, total in sums.items():
        stands = latest.get(labels)
        yield Sample(
            front + labels, total / scale if scale != 1 else total, example(stands) if stands else None
        )


def example(value: CounterValue) -> Example:
    """The run that the store remembers with a counter."""
    return Example(value.run_id, value.value_ms / 1000, value.at)


def _later(one: CounterValue, other: CounterValue) -> bool:
    return one.at is not None and (other.at is None or one.at > other.at)
