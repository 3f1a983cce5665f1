"""The frame around the panels of a dashboard: links, annotations, time range, and how all of it becomes JSON."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from grafana_foundation_sdk.builders import dashboard as builders
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as model

from exporter.dashboards import links, promql
from exporter.dashboards.panels import DATASOURCE, Panel
from exporter.dashboards.variables import Variables

Rows = Mapping[str, Sequence[Panel]]
"""Panels by the title of their row."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """Annotations: the moments at which an expression is above zero."""

    name: str
    expr: str
    color: str
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """One dashboard."""

    uid: links.Uid
    title: str
    about: str
    rows: Rows
    variables: Variables
    since: str
    """Where the time range begins, such as `now-7d`."""
    refresh: str
    marks: Sequence[Marks] = ()
    more_links: Sequence[Builder[model.DashboardLink]] = ()


BLIND = Marks(
    name="No live data",
    expr=f"1 - {promql.gauge('databricks_exporter_collector_up', 'workspace', promql.LIVE)} > 0",
    color="purple",
)
"""While the exporter could not see: on every dashboard, because it explains gaps and jumps."""


def as_json(board: Board) -> str:
    """The dashboard as Grafana reads it; the same board gives the same text."""
    register_default_plugins()
    # read back once, so that the text holds all that the SDK's model fills in and loads without a difference
    written = json.loads(json.dumps(_built(board), cls=JSONEncoder))
    whole = json.dumps(model.Dashboard.from_json(written), cls=JSONEncoder, indent=2, sort_keys=True)
    return f"{whole}\n"


def _built(board: Board) -> model.Dashboard:
    builder = (
        builders.Dashboard(board.title)
        .uid(board.uid)
        .description(board.about)
        .tags(["databricks", links.TAG])
        .time(board.since, "now")
        .refresh(board.refresh)
        .tooltip(model.DashboardCursorSync.CROSSHAIR)
        .variables(board.variables)
        .annotations([_annotation(marks) for marks in (*board.marks, BLIND)])
        .links([links.others(), *board.more_links, links.status(), links.api()])
    )
    for title, panels in board.rows.items():
        builder = builder.with_row(builders.Row(title))
        for panel in panels:
            builder = builder.with_panel(panel)
    built = builder.build()
    for place, shown in enumerate(built.panels or (), start=1):
        shown.id_val = place
    return built


def _annotation(marks: Marks) -> builders.AnnotationQuery:
    return (
        builders.AnnotationQuery()
        .name(marks.name)
        .datasource(DATASOURCE)
        .enable(enable=marks.enabled)
        .icon_color(marks.color)
        .expr(marks.expr)
    )
