"""One job: how it is, how long it takes and why, what it costs. Names are left out of its series, so that a renamed
job keeps its lines.
"""

from exporter.dashboards import job_cost, links, promql, strip, variables
from exporter.dashboards.board import Board, Marks
from exporter.dashboards.panels import (
    BAD,
    COUNT,
    GOOD,
    PLAIN,
    QUIET,
    SECONDS,
    WARN,
    Column,
    Panel,
    bars,
    lines,
    listing,
    single,
)

FINISHED = "databricks_job_runs_finished_total"
RESULT: dict[str, tuple[str, str]] = {"1": ("succeeded", GOOD), "0": ("failed", BAD)}


def job() -> Board:
    """The dashboard."""
    return Board(
        uid=links.Uid.JOB,
        title="Databricks jobs: one job",
        about="Everything that is known of one job: its state, its attempts, where their time goes, and what it costs.",
        rows={
            strip.TITLE: strip.strip(),
            "State": _state(),
            "Attempts": _attempts(),
            "Where time goes": _time(),
            "Cost": job_cost.rows(),
            "Definition": [_definition(), _agreement()],
        },
        variables=variables.for_one_job(),
        since="now-7d",
        refresh="1m",
        marks=[
            Marks(
                name="Failed attempts",
                expr=f"{promql.total(_finished(promql.FAILED), promql.ID)} > 0",
                color="red",
            ),
            Marks(
                name="SLA breaches",
                expr=f"{_grown('databricks_job_sla_breaches_total')} > 0",
                color="orange",
            ),
            Marks(name="Repairs", expr=f"{_grown('databricks_job_run_repairs_total')} > 0", color="blue"),
        ],
        more_links=[
            links.back_to_fleet(),
            links.outside("In Databricks", "${host}/jobs/${job}", "The job and its runs in the workspace"),
            links.outside(
                "Recent runs as JSON", "${exporter}/api/jobs-api/runs/${job}", "From the exporter's API"
            ),
        ],
    )


def _grown(name: str) -> str:
    return promql.total(promql.grown(name, promql.BY_JOB, promql.ONE_JOB), promql.ID)


def _finished(result: str = "") -> str:
    where = f"{promql.ONE_JOB},{result}" if result else promql.ONE_JOB
    return promql.grown(FINISHED, f"{promql.BY_JOB}, result", where)


def _state() -> list[Panel]:
    return [
        single(
            "Latest attempt",
            "How the latest finished attempt ended; one that was cancelled or skipped did neither.",
            promql.of_job("databricks_job_last_run_success"),
            unit=PLAIN,
            words=RESULT,
            empty="neither",
        ),
        single(
            "Failures in a row",
            "Failed attempts since the last success.",
            promql.of_job("databricks_job_consecutive_failures"),
            unit=COUNT,
            steps=((None, GOOD), (1, WARN), (3, BAD)),
        ),
        single(
            "Since the last success",
            "Time since an attempt last ended with success; absent before the first.",
            promql.age(promql.of_job("databricks_job_last_success_timestamp_seconds")),
            unit=SECONDS,
            empty="never",
            decimals=0,
        ),
        single(
            "Since the last start",
            "Time since a run was last accepted.",
            promql.age(promql.of_job("databricks_job_last_run_start_timestamp_seconds")),
            unit=SECONDS,
            empty="never",
            decimals=0,
        ),
        single(
            "Next due in",
            "Time until the schedule next asks for a run; absent without a schedule and while it is paused.",
            f"{promql.of_job('databricks_job_next_due_timestamp_seconds')} - time()",
            unit=SECONDS,
            empty="not scheduled",
            decimals=0,
        ),
        single(
            "Active runs",
            "Runs that have not ended, queued ones included.",
            promql.of_job("databricks_job_active_runs"),
            unit=COUNT,
        ),
    ]


def _attempts() -> list[Panel]:
    return [
        bars(
            "Finished attempts by result",
            "Attempts that ended in each step. A repair is an attempt of its own.",
            {"{{result}}": promql.total(_finished(), "result")},
        ),
        lines(
            "How long attempts take",
            "The latest finished attempt, against what successful ones of the last 30 days took and what the SLA allows.",
            {
                "latest": promql.of_job("databricks_job_last_run_duration_seconds"),
                "median": promql.of_job("databricks_job_run_duration_median_seconds"),
                "90th percentile": promql.of_job("databricks_job_run_duration_p90_seconds"),
                "SLA": promql.of_job("databricks_job_sla_seconds"),
            },
            unit=SECONDS,
            steps=True,
        ),
        lines(
            "Oldest active run",
            "For how long the oldest run that has not ended has been under way, waiting included, against the SLA; "
            "0 while nothing runs.",
            {
                "running for": f"{promql.age(promql.of_job('databricks_job_oldest_active_run_start_timestamp_seconds'))}"
                f" or 0 * {promql.of_job('databricks_job_active_runs')}",
                "SLA": promql.of_job("databricks_job_sla_seconds"),
            },
            unit=SECONDS,
        ),
        lines(
            "Active and queued runs",
            "Runs that have not ended, those of them that wait in the queue, and how many may run side by side.",
            {
                "active": promql.of_job("databricks_job_active_runs"),
                "queued": promql.of_job("databricks_job_queued_runs"),
                "most side by side": promql.of_job("databricks_job_max_concurrent_runs"),
            },
            unit=COUNT,
            steps=True,
        ),
    ]


def _time() -> list[Panel]:
    phases = promql.grown("databricks_job_run_phase_seconds_total", f"{promql.BY_JOB}, phase", promql.ONE_JOB)
    return [
        bars(
            "Time by phase",
            "Time that the attempts which ended in each step spent waiting in the queue, and their tasks in setup, "
            "execution and cleanup. Tasks that run side by side count each.",
            {"{{phase}}": promql.total(phases, "phase")},
            unit=SECONDS,
        ),
        bars(
            "Repairs and retries",
            "Attempts that were repairs, and task runs beyond the first of their task, that ended in each step.",
            {
                "repairs": _grown("databricks_job_run_repairs_total"),
                "task retries": _grown("databricks_job_task_retries_total"),
            },
        ),
    ]


def _definition() -> Panel:
    heads = {
        "job_name": "Job",
        "trigger_type": "Starts by",
        "quartz_cron_expression": "Schedule",
        "timezone_id": "Time zone",
        "queueing": "Queueing",
        "deleted": "Deleted",
    }
    known = promql.of_job("databricks_job_info", ", ".join(heads))
    return listing(
        "Definition",
        "What starts the job, as far as its definition was seen.",
        [Column(header="Known", expr=known, unit=PLAIN, words={"1": ("yes", QUIET)})],
        heads=heads,
        hidden=("workspace", "job_id"),
        width=14,
        height=4,
    )


def _agreement() -> Panel:
    known = promql.first_of(
        (
            promql.of_job("databricks_job_team_info", "team, source"),
            f"0 * {promql.of_job('databricks_job_info')}",
        )
    )
    return listing(
        "Team",
        "The team that alerts of the job go to, and who says so: a tag or the configuration; 'nobody says' without one.",
        [
            Column(
                header="Known", expr=known, unit=PLAIN, words={"1": ("yes", GOOD), "0": ("nobody says", WARN)}
            )
        ],
        heads={"team": "Team", "source": "Said by"},
        hidden=("workspace", "job_id"),
        width=10,
        height=4,
    )
