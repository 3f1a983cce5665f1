"""The kinds of panels. Each takes a title, a description for the reader and a unit, and knows how it should look."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as model
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from exporter.dashboards.links import DATABRICKS_CELL, JOB_CELL

Panel = Builder[model.Panel]
Dressed = TypeVar("Dressed", heatmap.Panel, stat.Panel, table.Panel, timeseries.Panel)
Steps = Sequence[tuple[float | None, str]]
"""From which value on which colour; the first has no value."""

DATASOURCE = model.DataSourceRef(type_val="prometheus", uid="${datasource}")
COUNT, SECONDS, SHARE, DBUS, BYTES, MONEY = "short", "s", "percentunit", "suffix:DBU", "bytes", "short"
PLAIN = "none"
GOOD, WARN, BAD, QUIET = "green", "orange", "red", "text"
UP: Mapping[str, tuple[str, str]] = {"1": ("up", GOOD), "0": ("down", BAD)}
YES_IS_BAD: Mapping[str, tuple[str, str]] = {"1": ("yes", WARN), "0": ("no", GOOD)}
LETTERS = "ABCDEFGHIJKLMNOP"
COUNTING_STEP = "5m"
"""The least time per bar: shorter ones show the rhythm of the scrapes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A value of each row of a table."""

    header: str
    expr: str
    unit: str
    steps: Steps = ()
    words: Mapping[str, tuple[str, str]] | None = None
    decimals: int | None = None


def single(
    title: str,
    about: str,
    expr: str,
    *,
    unit: str,
    legend: str = "",
    steps: Steps = ((None, QUIET),),
    words: Mapping[str, tuple[str, str]] | None = None,
    decimals: int | None = None,
    empty: str = "",
    width: int = 4,
    height: int = 4,
) -> Panel:
    """One number, or one for each series, as of now; `empty` says what it means that there is none."""
    text = shapes.BigValueTextMode.VALUE_AND_NAME if legend else shapes.BigValueTextMode.VALUE
    panel = (
        _dressed(stat.Panel(), title, about, unit=unit, width=width, height=height)
        .with_target(_now(expr, "A", legend))
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("").values(values=False))
        .color_mode(shapes.BigValueColorMode.VALUE)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .text_mode(text)
        .thresholds(_thresholds(steps))
    )
    if words:
        panel = panel.mappings([_mapping(words)])
    if empty:
        panel = panel.no_value(empty)
    return panel if decimals is None else panel.decimals(decimals)


def lines(
    title: str,
    about: str,
    queries: Mapping[str, str],
    *,
    unit: str,
    stacked: bool = False,
    steps: bool = False,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """Values over time, by legend; `steps` for what changes by jumps."""
    panel = _over_time(title, about, queries, unit=unit, width=width, height=height)
    if steps:
        panel = panel.line_interpolation(shapes.LineInterpolation.STEP_AFTER)
    if stacked:
        panel = panel.fill_opacity(30).stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    return panel


def bars(
    title: str,
    about: str,
    queries: Mapping[str, str],
    *,
    unit: str = COUNT,
    width: int = 12,
    height: int = 8,
) -> Panel:
    """What happened per step, stacked."""
    return (
        _over_time(title, about, queries, unit=unit, width=width, height=height)
        .interval(COUNTING_STEP)
        .draw_style(shapes.GraphDrawStyle.BARS)
        .fill_opacity(70)
        .line_width(0)
        .stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
    )


def spread(title: str, about: str, expr: str, *, unit: str, width: int = 12, height: int = 8) -> Panel:
    """Buckets of a histogram over time."""
    query = prometheus.Dataquery().expr(expr).ref_id("A").legend_format("{{le}}").range()
    return (
        _dressed(heatmap.Panel(), title, about, unit=COUNT, width=width, height=height)
        .with_target(query.format(PromQueryFormat.HEATMAP))
        .interval(COUNTING_STEP)
        .calculate(calculate=False)
        .y_axis(heatmap.YAxisConfig().unit(unit))
        .show_value(shapes.VisibilityMode.NEVER)
    )


def listing(
    title: str,
    about: str,
    columns: Sequence[Column],
    *,
    heads: Mapping[str, str],
    hidden: Iterable[str] = (),
    width: int = 24,
    height: int = 9,
) -> table.Panel:
    """A table as of now, largest first. `heads` are the labels that name a row, in order, with their headers;
    `hidden` are labels that only links use.
    """
    panel = (
        _dressed(table.Panel(), title, about, unit=columns[0].unit, width=width, height=height)
        .with_transformation(model.DataTransformerConfig(id_val="merge", options={}))
        .with_transformation(_arrangement(columns, heads))
        .sort_by([common.TableSortByFieldState().display_name(columns[0].header).desc(desc=True)])
        .cell_height(shapes.TableCellHeight.SM)
        .filterable(filterable=True)
    )
    for letter, column in zip(LETTERS, columns, strict=False):
        query = _now(column.expr, letter, "").format(PromQueryFormat.TABLE)
        panel = panel.with_target(query).override_by_name(column.header, _look(column))
    for name in hidden:
        panel = panel.override_by_name(name, [model.DynamicConfigValue(id_val="custom.hidden", value=True)])
    return panel


def job_listing(
    title: str, about: str, columns: Sequence[Column], *, empty: str = "", width: int = 24, height: int = 9
) -> Panel:
    """A table of jobs with their team, linked to the job's dashboard and to the job in Databricks."""
    heads = {"job_name": "Job", "team": "Team", "workspace": "Workspace"}
    panel = listing(title, about, columns, heads=heads, hidden=("job_id", "host"), width=width, height=height)
    nameless = model.DashboardSpecialValueMapOptions(
        match=model.SpecialValueMatch.EMPTY, result=model.ValueMappingResult(text="one-time runs")
    )
    linked = [
        model.DynamicConfigValue(id_val="links", value=[JOB_CELL, DATABRICKS_CELL]),
        model.DynamicConfigValue(id_val="mappings", value=[model.SpecialValueMap(options=nameless)]),
    ]
    if empty:
        panel = panel.no_value(empty)
    return panel.override_by_name("Job", linked)


def _dressed(panel: Dressed, title: str, about: str, *, unit: str, width: int, height: int) -> Dressed:
    return panel.title(title).description(about).datasource(DATASOURCE).unit(unit).span(width).height(height)


def _over_time(
    title: str, about: str, queries: Mapping[str, str], *, unit: str, width: int, height: int
) -> timeseries.Panel:
    panel = (
        _dressed(timeseries.Panel(), title, about, unit=unit, width=width, height=height)
        .axis_soft_min(0)
        .show_points(shapes.VisibilityMode.AUTO)
        .fill_opacity(5)
        .legend(
            common.VizLegendOptions()
            .display_mode(shapes.LegendDisplayMode.LIST)
            .placement(shapes.LegendPlacement.BOTTOM)
            .show_legend(show_legend=True)
        )
        .tooltip(
            common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI).sort(shapes.SortOrder.DESCENDING)
        )
    )
    for letter, (legend, expr) in zip(LETTERS, queries.items(), strict=False):
        query = prometheus.Dataquery().expr(expr).ref_id(letter).legend_format(legend).range()
        panel = panel.with_target(query)
    return panel


def _now(expr: str, letter: str, legend: str) -> prometheus.Dataquery:
    query = prometheus.Dataquery().expr(expr).ref_id(letter).instant()
    return query.legend_format(legend) if legend else query


def _arrangement(columns: Sequence[Column], heads: Mapping[str, str]) -> model.DataTransformerConfig:
    """Which fields are shown, in which order, under which header. A single query's value has no letter."""
    values = ["Value"] if len(columns) == 1 else [f"Value #{letter}" for letter in LETTERS[: len(columns)]]
    names = {**heads, **dict(zip(values, (column.header for column in columns), strict=True))}
    options = {
        "excludeByName": {"Time": True},
        "indexByName": {name: place for place, name in enumerate([*heads, *values])},
        "renameByName": names,
    }
    return model.DataTransformerConfig(id_val="organize", options=options)


def _look(column: Column) -> list[model.DynamicConfigValue]:
    look = [model.DynamicConfigValue(id_val="unit", value=column.unit)]
    if column.decimals is not None:
        look.append(model.DynamicConfigValue(id_val="decimals", value=column.decimals))
    if column.words:
        look.append(model.DynamicConfigValue(id_val="mappings", value=[_mapping(column.words)]))
    if column.steps or column.words:
        look.append(
            model.DynamicConfigValue(id_val="custom.cellOptions", value=shapes.TableColorTextCellOptions())
        )
    if column.steps:
        look.append(model.DynamicConfigValue(id_val="thresholds", value=_thresholds(column.steps).build()))
    return look


def _mapping(words: Mapping[str, tuple[str, str]]) -> model.ValueMap:
    return model.ValueMap(
        options={
            value: model.ValueMappingResult(text=text, color=color, index=place)
            for place, (value, (text, color)) in enumerate(words.items())
        }
    )


def _thresholds(steps: Steps) -> ThresholdsConfig:
    marks = [model.Threshold(value=value, color=color) for value, color in steps]
    return ThresholdsConfig().mode(model.ThresholdsMode.ABSOLUTE).steps(marks)
