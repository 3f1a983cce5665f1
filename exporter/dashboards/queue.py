"""Queue and capacity: what waits, for what, and what uses the places."""

from exporter.dashboards import fleet, links, promql, strip, variables
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

QUEUED = promql.gauge("databricks_job_queued_runs", promql.BY_JOB, promql.JOBS)
WAITING_FOR = promql.age(
    promql.gauge("databricks_job_oldest_queued_run_timestamp_seconds", promql.BY_JOB, promql.JOBS)
)
MOST = promql.gauge("databricks_job_max_concurrent_runs", promql.BY_JOB, promql.JOBS)
STATES = promql.gauge("databricks_active_runs", "workspace, state, run_type")
REASONS = promql.gauge("databricks_queued_runs", "workspace, reason")
WAITS = f"({WAITING_FOR}) or 0 * {QUEUED}"
"""How long the oldest queued run has waited; 0 where none waits."""
NO_ROOM = "MAX_JOB_QUEUE_SIZE_EXCEEDED|MAX_CONCURRENT_RUNS_EXCEEDED|WORKSPACE_RUN_LIMIT_EXCEEDED"
"""Termination codes of runs for which there was no place, nor one to wait in."""


def queue() -> Board:
    """The dashboard."""
    return Board(
        uid=links.Uid.QUEUE,
        title="Databricks jobs: queue and capacity",
        about="What waits and for what, what uses the places, and where time is lost before the work begins.",
        rows={
            strip.TITLE: strip.strip(),
            "Now": _now(),
            "Over time": _course(),
            "Which jobs": _jobs(),
        },
        variables=variables.for_jobs(),
        since="now-12h",
        refresh="30s",
        marks=[
            Marks(name="No room for a run", expr=f"{promql.total(_no_room(), 'workspace')} > 0", color="red")
        ],
        more_links=[links.to_dashboard("Fleet overview", links.Uid.FLEET, "What needs attention now")],
    )


def _no_room(during: str = promql.STEP) -> str:
    return promql.grown(
        "databricks_run_terminations_total",
        "workspace, termination_code, termination_type",
        f'{promql.WORKSPACE},termination_code=~"{NO_ROOM}"',
        during=during,
    )


def _phase(phase: str) -> str:
    where = f'{promql.JOBS},phase="{phase}"'
    return promql.grown("databricks_job_run_phase_seconds_total", promql.BY_JOB, where, during=promql.RANGE)


def _now() -> list[Panel]:
    return [
        single(
            "Queued runs",
            "Runs that wait for a free place, of all jobs of the workspaces.",
            promql.total(REASONS),
            unit=COUNT,
            steps=((None, GOOD), (1, WARN)),
        ),
        single(
            "Longest wait",
            "For how long the oldest queued run of the chosen jobs has waited; 0 while none waits.",
            f"max({promql.of_team(f'({WAITS})')})",
            unit=SECONDS,
            steps=((None, GOOD), (300, WARN), (1800, BAD)),
            decimals=0,
        ),
        single(
            "Waiting for compute",
            "Runs whose cluster or other compute is starting.",
            promql.total(
                promql.gauge(
                    "databricks_active_runs",
                    "workspace, state, run_type",
                    f'{promql.WORKSPACE},state="PENDING"',
                )
            ),
            unit=COUNT,
        ),
        single(
            "Active runs",
            "Runs that have not ended, queued ones included.",
            promql.total(STATES),
            unit=COUNT,
        ),
        single(
            "Jobs at their limit",
            "Jobs of which as many runs are active as may run side by side.",
            promql.number(
                promql.of_team(f"(({fleet.ACTIVE} - {QUEUED}) >= on (workspace, job_id) ({MOST} > 0))")
            ),
            unit=COUNT,
        ),
        single(
            "No room",
            "Runs in the time range that ended because there was no place for them and none to wait in.",
            f"{promql.total(_no_room(promql.RANGE))} or vector(0)",
            unit=COUNT,
            steps=((None, GOOD), (1, BAD)),
            decimals=0,
        ),
    ]


def _course() -> list[Panel]:
    return [
        lines(
            "Queued runs by reason",
            "Runs that wait, by the limit that holds them back: of the job, of the workspace, or of its tasks.",
            {"{{reason}}": promql.total(REASONS, "reason")},
            unit=COUNT,
            stacked=True,
            steps=True,
        ),
        lines(
            "Active runs by state",
            "Runs that have not ended, of all jobs and one-time runs of the workspaces.",
            {"{{state}}": promql.total(STATES, "state")},
            unit=COUNT,
            stacked=True,
            steps=True,
        ),
        lines(
            "Active runs by kind",
            "Runs of jobs, and one-time runs that use the same places without being a job.",
            {"{{run_type}}": promql.total(STATES, "run_type")},
            unit=COUNT,
            stacked=True,
            steps=True,
        ),
        bars(
            "Started runs by trigger",
            "Runs that started in each step, by what started them.",
            {
                "{{trigger}}": promql.total(
                    promql.grown("databricks_runs_started_total", "workspace, trigger, run_type"), "trigger"
                )
            },
        ),
    ]


def _jobs() -> list[Panel]:
    waiting = promql.top(WAITS)
    busy = promql.top(f"({fleet.ACTIVE} - {QUEUED}) / on (workspace, job_id, job_name) ({MOST} > 0)")
    queueing = promql.top(_phase("queue"))
    return [
        job_listing(
            "Waiting longest",
            "The oldest queued run of each job; 0 where none waits. How many may run side by side is the job's own limit.",
            [
                Column(
                    header="Waiting for",
                    expr=waiting,
                    unit=SECONDS,
                    decimals=0,
                    steps=((None, GOOD), (300, WARN), (1800, BAD)),
                ),
                Column(header="Queued", expr=promql.beside(QUEUED, waiting), unit=COUNT),
                Column(header="Active", expr=promql.beside(fleet.ACTIVE, waiting), unit=COUNT),
                Column(header="Side by side", expr=promql.beside(MOST, waiting), unit=COUNT),
            ],
            width=12,
        ),
        job_listing(
            "Nearest to their limit",
            "Runs under way as a share of those that may run side by side: at 100 % the next run waits or is skipped.",
            [
                Column(header="Used", expr=busy, unit=SHARE, steps=((None, GOOD), (1, WARN))),
                Column(header="Active", expr=promql.beside(fleet.ACTIVE, busy), unit=COUNT),
                Column(header="Side by side", expr=promql.beside(MOST, busy), unit=COUNT),
            ],
            width=12,
        ),
        job_listing(
            "Most time lost before the work",
            "Time that attempts which ended in the time range waited in the queue, and that their tasks spent in setup, "
            "mostly for a cluster. Tasks that run side by side count each.",
            [
                Column(header="Queue", expr=queueing, unit=SECONDS, decimals=0),
                Column(
                    header="Setup", expr=promql.beside(_phase("setup"), queueing), unit=SECONDS, decimals=0
                ),
                Column(
                    header="Execution",
                    expr=promql.beside(_phase("execution"), queueing),
                    unit=SECONDS,
                    decimals=0,
                ),
            ],
        ),
    ]
