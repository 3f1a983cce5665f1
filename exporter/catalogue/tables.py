"""What reading the system tables brings and costs: how far each source reaches, and what the warehouse did for it."""

from collections.abc import Callable, Iterable, Iterator

from collector.core.model import Measure
from collector.core.snapshot import SourceState
from exporter.catalogue.family import (
    WORKSPACE,
    Family,
    Kind,
    Sample,
    Samples,
    Source,
    Subject,
    each_workspace,
    seconds,
    totals,
)
from exporter.catalogue.own import ERRORS
from exporter.view import WorkspaceView

SOURCE = (*WORKSPACE, "source")
QUERY = (*WORKSPACE, "query")
OUTCOMES = ("ok", *ERRORS)


def _newest(workspace: WorkspaceView) -> Iterator[Sample]:
    for state in workspace.snapshot.sources:
        if state.newest:
            yield Sample((workspace.snapshot.name, state.source), seconds(state.newest))


def _up(workspace: WorkspaceView) -> Iterator[Sample]:
    for state in workspace.snapshot.sources:
        yield Sample((workspace.snapshot.name, state.source), float(not state.error))


def _counted(
    measure: Measure, zeros: Callable[[SourceState], Iterable[tuple[str, ...]]], *, scale: int = 1
) -> Samples[WorkspaceView]:
    """The counters of a measure, with zeros for each source that was asked."""

    def samples(workspace: WorkspaceView) -> Iterator[Sample]:
        born = (labels for state in workspace.snapshot.sources for labels in zeros(state))
        return totals((workspace.snapshot.name,), born, workspace.counters(measure), scale=scale)

    return each_workspace(samples)


def _recovered(workspace: WorkspaceView) -> Iterator[Sample]:
    """From birth at 0, which is when the system tables are first read."""
    born = [()] if workspace.snapshot.sources else []
    return totals((workspace.snapshot.name,), born, workspace.counters(Measure.RUNS_RECOVERED))


def _by_outcome(state: SourceState) -> Iterator[tuple[str, str]]:
    return ((state.source, outcome) for outcome in OUTCOMES)


TABLES = Subject(
    title="Reading the system tables",
    about=(
        "Only for workspaces with a `warehouse_id`.\n"
        "A source is a query on the system tables and has the name of its file in `collector/sources/sql`."
    ),
    families=(
        Family(
            name="databricks_exporter_source_up",
            kind=Kind.GAUGE,
            meaning=(
                "1 when the source was read when it was last asked, otherwise 0, for example because a table is not "
                "granted: the log says what to grant."
            ),
            labels=SOURCE,
            source=Source.SELF,
            samples=each_workspace(_up),
        ),
        Family(
            name="databricks_exporter_source_newest_record_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning=(
                "The latest instant that any record of the source tells of, in seconds since 1970; absent before the "
                "first record."
            ),
            labels=SOURCE,
            source=Source.SYSTEM_TABLES,
            samples=each_workspace(_newest),
        ),
        Family(
            name="databricks_exporter_runs_recovered_total",
            kind=Kind.COUNTER,
            meaning="Attempts that no poll of the Jobs API saw and that were counted from the system tables.",
            labels=WORKSPACE,
            source=Source.SYSTEM_TABLES,
            samples=each_workspace(_recovered),
        ),
        Family(
            name="databricks_exporter_warehouse_queries_total",
            kind=Kind.COUNTER,
            meaning="Statements sent to the SQL warehouse, by query and by outcome: ok or the reason of the failure.",
            labels=(*QUERY, "outcome"),
            source=Source.SELF,
            samples=_counted(Measure.WAREHOUSE_QUERIES, _by_outcome),
        ),
        Family(
            name="databricks_exporter_warehouse_query_seconds_total",
            kind=Kind.COUNTER,
            meaning=(
                "Time from sending statements to the SQL warehouse to their last row, by query, the start of a stopped "
                "warehouse included."
            ),
            labels=QUERY,
            source=Source.SELF,
            samples=_counted(Measure.WAREHOUSE_TIME, lambda state: [(state.source,)], scale=1000),
        ),
        Family(
            name="databricks_exporter_warehouse_rows_total",
            kind=Kind.COUNTER,
            meaning="Rows that the SQL warehouse gave, by query.",
            labels=QUERY,
            source=Source.SELF,
            samples=_counted(Measure.WAREHOUSE_ROWS, lambda state: [(state.source,)]),
        ),
    ),
)
