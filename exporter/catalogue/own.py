"""What the exporter tells about itself: how old its data are, what it costs, and what it leaves out."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from collector.core.model import Collector, Measure
from collector.core.snapshot import CollectorState
from collector.core.vocabulary import Field
from exporter.catalogue.family import (
    WORKSPACE,
    Family,
    Kind,
    Sample,
    Samples,
    Source,
    Stability,
    Subject,
    each_workspace,
    seconds,
    totals,
    whole,
)
from exporter.view import View, WorkspaceView

COLLECTOR = (*WORKSPACE, "collector")
ERRORS = ("unreachable", "throttled", "refused", "unreadable", "internal")
"""The reasons for which a poll fails; they stand at 0 before the first."""


def _build_info(view: View) -> Iterator[Sample]:
    yield Sample((view.options.version, view.options.python_version))


def _workspace_info(workspace: WorkspaceView) -> Iterator[Sample]:
    shown = workspace.snapshot
    yield Sample((shown.name, shown.host, shown.workspace_id))


def _up(workspace: WorkspaceView) -> Iterator[Sample]:
    """The live collector is always there: one that never polled is down."""
    polled = {state.collector: float(state.up) for state in workspace.snapshot.collectors}
    for collector, up in {Collector.LIVE.value: 0.0, **polled}.items():
        yield Sample((workspace.snapshot.name, collector), up)


def _of_collector(
    value: Callable[[CollectorState], datetime | timedelta | None],
) -> Samples[WorkspaceView]:
    def samples(workspace: WorkspaceView) -> Iterator[Sample]:
        for state in workspace.snapshot.collectors:
            if (found := value(state)) is not None:
                yield Sample((workspace.snapshot.name, state.collector), seconds(found))

    return each_workspace(samples)


def _counted(
    measure: Measure, zeros: Callable[[tuple[str, ...]], Iterable[tuple[str, ...]]]
) -> Samples[WorkspaceView]:
    """The counters of a measure, with zeros that follow from the names of the collectors that polled."""

    def samples(workspace: WorkspaceView) -> Iterator[Sample]:
        collectors = tuple(state.collector for state in workspace.snapshot.collectors)
        return totals((workspace.snapshot.name,), zeros(collectors), workspace.counters(measure))

    return each_workspace(samples)


def _undetailed(workspace: WorkspaceView) -> Iterator[Sample]:
    yield Sample((workspace.snapshot.name,), workspace.snapshot.undetailed)


def _dropped(workspace: WorkspaceView) -> Iterator[Sample]:
    yield Sample((workspace.snapshot.name, "filter"), workspace.filtered)
    yield Sample((workspace.snapshot.name, "max_jobs"), workspace.over_budget)


def _rows(view: View) -> Iterator[Sample]:
    for table, rows in sorted(view.snapshot.rows.items()):
        yield Sample((table,), rows)


def _each(collectors: tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    return ((collector,) for collector in collectors)


OWN = Subject(
    title="The exporter itself",
    about=(
        "Whether the numbers above can be trusted, and what they cost.\n"
        "Beside these families the page carries `process_…` and `python_…` of the Prometheus client library."
    ),
    families=(
        Family(
            name="databricks_exporter_build_info",
            kind=Kind.INFO,
            meaning="Version of the exporter and of Python. Always 1.",
            labels=("version", "python_version"),
            source=Source.SELF,
            samples=whole(_build_info),
        ),
        Family(
            name="databricks_exporter_demo_mode",
            kind=Kind.GAUGE,
            meaning="1 when the numbers come from a simulated workspace, otherwise 0.",
            source=Source.SELF,
            samples=whole(lambda view: (Sample((), float(view.options.demo)),)),
        ),
        Family(
            name="databricks_exporter_workspace_info",
            kind=Kind.INFO,
            meaning="Host and id of the workspace. Always 1.",
            labels=(*WORKSPACE, "host", "workspace_id"),
            source=Source.SELF,
            samples=each_workspace(_workspace_info),
        ),
        Family(
            name="databricks_exporter_collector_up",
            kind=Kind.GAUGE,
            meaning="1 when the collector's latest poll succeeded, otherwise 0; 0 before the first live poll.",
            labels=COLLECTOR,
            source=Source.SELF,
            samples=each_workspace(_up),
        ),
        Family(
            name="databricks_exporter_collector_last_success_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning="When a poll of the collector last succeeded, in seconds since 1970; absent before the first.",
            labels=COLLECTOR,
            source=Source.SELF,
            samples=_of_collector(lambda state: state.last_success),
        ),
        Family(
            name="databricks_exporter_collector_interval_seconds",
            kind=Kind.GAUGE,
            meaning="How far apart the polls of the collector should be.",
            labels=COLLECTOR,
            source=Source.SELF,
            samples=_of_collector(lambda state: state.interval),
        ),
        Family(
            name="databricks_exporter_collector_duration_seconds",
            kind=Kind.GAUGE,
            meaning="How long the collector's latest poll took.",
            labels=COLLECTOR,
            source=Source.SELF,
            samples=_of_collector(lambda state: state.last_duration),
        ),
        Family(
            name="databricks_exporter_collector_errors_total",
            kind=Kind.COUNTER,
            meaning="Polls that failed, by reason.",
            labels=(*COLLECTOR, "reason"),
            source=Source.SELF,
            samples=_counted(
                Measure.COLLECTOR_ERRORS, lambda names: ((name, error) for name in names for error in ERRORS)
            ),
        ),
        Family(
            name="databricks_exporter_attempts_without_details",
            kind=Kind.GAUGE,
            meaning="Counted attempts whose duration, phases and tasks are still to be read; rises when requests are short.",
            labels=WORKSPACE,
            source=Source.SELF,
            samples=each_workspace(_undetailed),
        ),
        Family(
            name="databricks_exporter_polls_missed_total",
            kind=Kind.COUNTER,
            meaning="Polls that did not take place because the one before was still under way or the exporter was late.",
            labels=COLLECTOR,
            source=Source.SELF,
            samples=_counted(Measure.POLLS_MISSED, _each),
        ),
        Family(
            name="databricks_exporter_api_requests_total",
            kind=Kind.COUNTER,
            meaning="Requests to Databricks, by endpoint and status code.",
            labels=(*WORKSPACE, "endpoint", "code"),
            source=Source.SELF,
            samples=_counted(Measure.API_REQUESTS, lambda _: ()),
        ),
        Family(
            name="databricks_exporter_unknown_values_total",
            kind=Kind.COUNTER,
            meaning="Values of a field that the exporter does not know and shows as OTHER.",
            labels=(*WORKSPACE, "field"),
            source=Source.SELF,
            samples=_counted(Measure.UNKNOWN_VALUES, lambda _: ((field.value,) for field in Field)),
        ),
        Family(
            name="databricks_exporter_unreadable_items_total",
            kind=Kind.COUNTER,
            meaning="Runs or jobs in an answer that could not be understood and were set aside.",
            labels=COLLECTOR,
            source=Source.SELF,
            samples=_counted(Measure.UNREADABLE_ITEMS, _each),
        ),
        Family(
            name="databricks_exporter_series_dropped",
            kind=Kind.GAUGE,
            meaning=(
                "Jobs whose per-job series are left off the page: by jobs.include and jobs.exclude (filter), "
                "or beyond jobs.max_jobs (max_jobs)."
            ),
            labels=(*WORKSPACE, "reason"),
            source=Source.SELF,
            samples=each_workspace(_dropped),
            stability=Stability.EXPERIMENTAL,
        ),
        Family(
            name="databricks_exporter_store_readable",
            kind=Kind.GAUGE,
            meaning="1 when the store could be read at the last attempt; 0 means that all else may be old.",
            source=Source.SELF,
            samples=whole(lambda view: (Sample((), float(view.readable)),)),
        ),
        Family(
            name="databricks_exporter_store_bytes",
            kind=Kind.GAUGE,
            meaning="Size of the store on disk; may be some minutes old.",
            source=Source.SELF,
            samples=whole(lambda view: (Sample((), view.snapshot.size_bytes),)),
        ),
        Family(
            name="databricks_exporter_store_rows",
            kind=Kind.GAUGE,
            meaning="Rows per table of the store; may be some minutes old.",
            labels=("table",),
            source=Source.SELF,
            samples=whole(_rows),
            stability=Stability.EXPERIMENTAL,
        ),
    ),
)
