"""All jobs at a glance: what runs, what fails, what is late."""

from exporter.dashboards import links, promql, strip, variables
from exporter.dashboards.board import Board, Marks
from exporter.dashboards.panels import (
    BAD,
    COUNT,
    GOOD,
    SECONDS,
    SHARE,
    WARN,
    Column,
    Panel,
    bars,
    job_listing,
    lines,
    single,
)

ATTEMPTS = "databricks_run_duration_seconds_count"
BY_RESULT = "workspace, result"
FAILING = promql.gauge("databricks_job_consecutive_failures", promql.BY_JOB, promql.JOBS)
RUNNING_FOR = promql.age(
    promql.gauge("databricks_job_oldest_active_run_start_timestamp_seconds", promql.BY_JOB, promql.JOBS)
)
SLA = promql.gauge("databricks_job_sla_seconds", promql.BY_JOB, promql.JOBS)
MEDIAN = promql.gauge("databricks_job_run_duration_median_seconds", promql.BY_JOB, promql.JOBS)
P90 = promql.gauge("databricks_job_run_duration_p90_seconds", promql.BY_JOB, promql.JOBS)
LAST_DUE = promql.gauge("databricks_job_last_due_timestamp_seconds", promql.BY_JOB, promql.JOBS)
LAST_START = promql.gauge("databricks_job_last_run_start_timestamp_seconds", promql.BY_JOB, promql.JOBS)
LAST_SUCCESS = promql.gauge("databricks_job_last_success_timestamp_seconds", promql.BY_JOB, promql.JOBS)
ACTIVE = promql.gauge("databricks_job_active_runs", promql.BY_JOB, promql.JOBS)
LATE_AFTER_S = 600

PAST_SLA = f"({RUNNING_FOR}) > on (workspace, job_id) {SLA}"
NOT_STARTED = (
    f"({LAST_DUE} < time() - {LATE_AFTER_S}) > on (workspace, job_id) {LAST_START}"
    f" unless on (workspace, job_id) ({ACTIVE} > 0)"
)


def fleet() -> Board:
    """The dashboard."""
    return Board(
        uid=links.Uid.FLEET,
        title="Databricks jobs: fleet overview",
        about="What runs, what fails and what is late, over all jobs of the chosen workspaces and teams.",
        rows={
            strip.TITLE: strip.strip(),
            "Now": _now(),
            "What needs attention": [_failing(), _running()],
            "The last hours": _course(),
        },
        variables=variables.for_jobs(),
        since="now-6h",
        refresh="30s",
        marks=[
            Marks(
                name="Failed attempts",
                expr=f"{promql.total(_attempts(promql.FAILED), 'workspace')} > 0",
                color="red",
                enabled=False,
            )
        ],
        more_links=[
            links.to_dashboard("Failures", links.Uid.FAILURES, "Failures and reliability"),
            links.to_dashboard("Queue", links.Uid.QUEUE, "Queue and capacity"),
            links.to_dashboard("Cost", links.Uid.COST, "Cost and budgets"),
        ],
    )


def _attempts(result: str, during: str = promql.STEP) -> str:
    where = f"{promql.WORKSPACE},{result}" if result else promql.WORKSPACE
    return promql.grown(ATTEMPTS, BY_RESULT, where, during=during)


def _now() -> list[Panel]:
    return [
        single(
            "Active runs",
            "Runs that have not ended, queued ones included, of all jobs and one-time runs of the workspaces.",
            promql.total(promql.gauge("databricks_active_runs", "workspace, state, run_type")),
            unit=COUNT,
        ),
        single(
            "Queued runs",
            "Runs that wait for a free place, of all jobs of the workspaces.",
            promql.total(promql.gauge("databricks_queued_runs", "workspace, reason")),
            unit=COUNT,
            steps=((None, GOOD), (1, WARN)),
        ),
        unwanted(
            "Failing jobs",
            "Jobs whose latest attempts failed: those with a failure since their last success.",
            f"{FAILING} > 0",
        ),
        unwanted(
            "Past their SLA",
            "Jobs with a run that has already taken longer than the job may, and is still running.",
            PAST_SLA,
        ),
        unwanted(
            "Did not start",
            "Jobs whose schedule asked for a run more than ten minutes ago, that have not started since, and of which "
            "no earlier run is still active.",
            NOT_STARTED,
        ),
        single(
            "Success ratio",
            "Successful attempts among all that succeeded or failed in the time range, of all jobs of the workspaces. "
            "Cancelled and skipped ones are neither.",
            promql.ratio(
                promql.total(_attempts(promql.SUCCEEDED, promql.RANGE)),
                promql.total(_attempts(promql.DECIDED, promql.RANGE)),
            ),
            unit=SHARE,
            steps=((None, BAD), (0.9, WARN), (0.98, GOOD)),
            empty="nothing ended",
            decimals=1,
        ),
    ]


def _failing() -> Panel:
    rows = promql.top(f"{FAILING} > 0")
    return job_listing(
        "Which jobs fail",
        "The jobs with the most failures since their last success. "
        "The cells of the first column lead to the job.",
        [
            Column(header="Failures in a row", expr=rows, unit=COUNT, steps=((None, WARN), (3, BAD))),
            Column(
                header="Since the last success",
                expr=promql.beside(promql.age(LAST_SUCCESS), rows),
                unit=SECONDS,
                decimals=0,
            ),
            Column(
                header="Since the last start",
                expr=promql.beside(promql.age(LAST_START), rows),
                unit=SECONDS,
                decimals=0,
            ),
            Column(header="Active runs", expr=promql.beside(ACTIVE, rows), unit=COUNT),
        ],
        empty="Nothing fails",
        width=12,
        height=10,
    )


def _running() -> Panel:
    rows = promql.top(RUNNING_FOR)
    return job_listing(
        "Running longest",
        "The oldest active run of each job, with what the job usually takes and may take. "
        "Waiting in the queue and for the cluster counts.",
        [
            Column(header="Running for", expr=rows, unit=SECONDS, decimals=0),
            Column(header="Median", expr=promql.beside(MEDIAN, rows), unit=SECONDS, decimals=0),
            Column(header="90th percentile", expr=promql.beside(P90, rows), unit=SECONDS, decimals=0),
            Column(header="SLA", expr=promql.beside(SLA, rows), unit=SECONDS, decimals=0),
        ],
        empty="Nothing runs",
        width=12,
        height=10,
    )


def _course() -> list[Panel]:
    return [
        lines(
            "Active runs by state",
            "Runs that have not ended, of all jobs of the workspaces; absent while there is no live data.",
            {
                "{{state}}": promql.total(
                    promql.gauge("databricks_active_runs", "workspace, state, run_type"), "state"
                )
            },
            unit=COUNT,
            stacked=True,
        ),
        bars(
            "Finished attempts by result",
            "Attempts that ended in each step, of all jobs and one-time runs of the workspaces. A repair is an attempt "
            "of its own.",
            {"{{result}}": promql.total(_attempts(""), "result")},
        ),
        bars(
            "Started runs by trigger",
            "Runs that started in each step, by what started them; a repair is not a start.",
            {
                "{{trigger}}": promql.total(
                    promql.grown("databricks_runs_started_total", "workspace, trigger, run_type"), "trigger"
                )
            },
        ),
        lines(
            "Failing jobs over time",
            "Jobs with a failure since their last success, and those with three or more.",
            {
                "at least 1": promql.number(promql.of_team(f"({FAILING} > 0)")),
                "at least 3": promql.number(promql.of_team(f"({FAILING} >= 3)")),
            },
            unit=COUNT,
            steps=True,
        ),
    ]


def unwanted(title: str, about: str, jobs: str) -> Panel:
    """How many jobs there are of a kind of which there should be none."""
    return single(
        title, about, promql.number(promql.of_team(f"({jobs})")), unit=COUNT, steps=((None, GOOD), (1, BAD))
    )
