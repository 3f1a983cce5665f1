"""Expressions over the exporter's families. Every one takes the largest of the series that differ only in who was
scraped: several exporters may serve one store, and a sum over them would count everything as often.
"""

from collections.abc import Iterable

from collector.core.vocabulary import FAILURES, SUCCESSES

WORKSPACE = 'workspace=~"$workspace"'
JOBS = 'workspace=~"$workspace",job_id=~"$job"'
LIVE = f'{WORKSPACE},collector="live"'
ONE_JOB = 'workspace="$workspace",job_id="$job"'
ID = "workspace, job_id"
BY_JOB = "workspace, job_id, job_name"
FAILED = f'result=~"{"|".join(sorted(FAILURES))}"'
SUCCEEDED = f'result=~"{"|".join(sorted(SUCCESSES))}"'
DECIDED = f'result=~"{"|".join(sorted(FAILURES | SUCCESSES))}"'
"""What counts for a ratio; the rest, such as cancelled, is neither success nor failure."""
STEP = "$__rate_interval"
RANGE = "$__range"

_TEAM = 'workspace=~"$workspace",team=~"$team"'
TEAM = (
    f"(max by (workspace, job_id, team) (databricks_job_team_info{{{_TEAM}}})"
    f" or on (workspace, job_id) max by (workspace, job_id) (databricks_job_info{{{_TEAM}}})"
    f" or on (workspace, job_id) max by (workspace) (databricks_exporter_workspace_info{{{_TEAM}}}))"
)
"""The jobs of the chosen teams, each 1. Jobs without a team, and one-time runs, have no label `team`: the second and
third part show them as long as no team is chosen, because `.*` fits a label that is not there."""
HOST = f"max by (workspace, host) (databricks_exporter_workspace_info{{{WORKSPACE}}})"
"""The address of each workspace, for links into it."""


def gauge(name: str, by: str, where: str = WORKSPACE) -> str:
    """The value of a gauge for each combination of these labels."""
    return f"max by ({by}) ({name}{{{where}}})"


def grown(name: str, by: str, where: str = WORKSPACE, *, during: str = STEP) -> str:
    """By how much a counter grew. `by` names all of its labels; what shall be added up is added up around it."""
    return f"max by ({by}) (increase({name}{{{where}}}[{during}]))"


def of_exporter(name: str, labels: str, more: str = "", *, during: str = STEP) -> str:
    """By how much a counter of the exporter itself grew. `labels` are those beside the workspace."""
    by = f"workspace, {labels}" if labels else "workspace"
    return grown(name, by, f"{WORKSPACE}{more}", during=during)


def of_job(name: str, labels: str = "", more: str = "") -> str:
    """The value of a gauge of the one job. Its name is left out, so that a renamed job keeps its line."""
    return gauge(name, f"{ID}, {labels}" if labels else ID, f"{ONE_JOB}{more}")


def age(instant: str) -> str:
    """Seconds since an instant."""
    return f"time() - {instant}"


def total(value: str, by: str = "") -> str:
    """The sum, for each combination of these labels."""
    return f"sum by ({by}) ({value})" if by else f"sum({value})"


def number(rows: str) -> str:
    """How many there are; 0 for none, which an aggregation would leave out."""
    return f"count({rows}) or vector(0)"


def ratio(part: str, whole: str) -> str:
    """A share between 0 and 1; absent where the whole is nothing."""
    return f"({part}) / (({whole}) > 0)"


def of_team(rows: str) -> str:
    """Only what belongs to the chosen teams."""
    return f"{rows} and on (workspace, job_id) {TEAM}"


def top(rows: str, most: int = 20) -> str:
    """The largest, each with its team and the address of its workspace."""
    with_team = f"({rows}) * on (workspace, job_id) group_left (team) {TEAM}"
    return f"topk({most}, {with_team}) * on (workspace) group_left (host) {HOST}"


def beside(value: str, rows: str) -> str:
    """Another value of the jobs in these rows."""
    return f"({value}) and on (workspace, job_id) ({rows})"


def first_of(values: Iterable[str]) -> str:
    """The first that is there."""
    return " or ".join(values)


def otherwise(rows: str, label: str, word: str) -> str:
    """The rows, or while there are none a 0 that carries this word: an empty panel looks like a broken one."""
    return f'{rows} or label_replace(vector(0), "{label}", "{word}", "", "")'
