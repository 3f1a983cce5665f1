"""The variables of the dashboards: what the reader chooses, and how the choices follow from the data."""

from grafana_foundation_sdk.builders.dashboard import DatasourceVariable, QueryVariable, TextBoxVariable
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as model

from exporter.dashboards import promql
from exporter.dashboards.panels import DATASOURCE

EXPORTER = "http://localhost:10977"
"""Where people reach the exporter unless they say otherwise; what docker-compose.yml publishes."""
HIDDEN = model.VariableHide.HIDE_VARIABLE
Variables = list[Builder[model.VariableModel]]

_ALL = model.VariableOption(text=["All"], value=["$__all"])
_WORKSPACES = "label_values(databricks_exporter_workspace_info, workspace)"
_HOST = 'label_values(databricks_exporter_workspace_info{workspace="$workspace"}, host)'
_TEAMS = f"label_values(databricks_job_team_info{{{promql.WORKSPACE}}}, team)"
_JOBS = f"query_result({promql.of_team(promql.gauge('databricks_job_info', promql.BY_JOB))})"
_ID_AND_NAME = '/job_id="(?<value>[^"]*)",job_name="(?<text>.*)",workspace=/'
"""The names are shown and the ids are used: names change, and two jobs may share one."""


def for_workspaces(*, exporter_shown: bool = False) -> Variables:
    """For dashboards that do not know single jobs."""
    address = _exporter() if exporter_shown else _exporter().hide(HIDDEN)
    return [_datasource(), _many(_query("workspace", "Workspace", _WORKSPACES)), address]


def for_jobs() -> Variables:
    """For dashboards about many jobs; all of them at first."""
    job = _query("job", "Job", _JOBS).regex(_ID_AND_NAME)
    return [*for_workspaces(), _many(_query("team", "Team", _TEAMS)), _many(job)]


def for_one_job() -> Variables:
    """For the dashboard about one job, the team helping to find it."""
    return [
        _datasource(),
        _query("workspace", "Workspace", _WORKSPACES),
        _many(_query("team", "Team", _TEAMS)),
        _query("job", "Job", _JOBS).regex(_ID_AND_NAME),
        _query("host", "Address of the workspace", _HOST).hide(HIDDEN),
        _exporter().hide(HIDDEN),
    ]


def _datasource() -> DatasourceVariable:
    return DatasourceVariable("datasource").label("Data source").type("prometheus")


def _query(name: str, label: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .query(query)
        .datasource(DATASOURCE)
        .refresh(model.VariableRefresh.ON_DASHBOARD_LOAD)
        .sort(model.VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
    )


def _many(variable: QueryVariable) -> QueryVariable:
    """Several values or all; `.*` for all keeps queries short with ten thousand jobs."""
    return variable.multi(multi=True).include_all(include_all=True).all_value(".*").current(_ALL)


def _exporter() -> TextBoxVariable:
    chosen = model.VariableOption(text=EXPORTER, value=EXPORTER)
    return (
        TextBoxVariable("exporter")
        .label("Address of the exporter")
        .description("Where your browser reaches the exporter; links to its pages begin with it.")
        .default_value(EXPORTER)
        .current(chosen)
        .options([chosen])
    )
