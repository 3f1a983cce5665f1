"""Failures and reliability: what fails, how often, for how long, and what is done again."""

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
    spread,
)

FINISHED = "databricks_job_runs_finished_total"
BY_RESULT = f"{promql.BY_JOB}, result"


def failures() -> Board:
    """The dashboard."""
    return Board(
        uid=links.Uid.FAILURES,
        title="Databricks jobs: failures and reliability",
        about="What fails, how often, for how long, and what is done again. Attempts are counted once each, and a "
        "repair is an attempt of its own.",
        rows={
            strip.TITLE: strip.strip(),
            "In the time range": _sums(),
            "Over time": _course(),
            "Which jobs": _jobs(),
        },
        variables=variables.for_jobs(),
        since="now-12h",
        refresh="5m",
        marks=[
            Marks(
                name="Failed attempts",
                expr=f"{_sum(_finished(promql.FAILED), 'workspace')} > 0",
                color="red",
            )
        ],
        more_links=[links.to_dashboard("Fleet overview", links.Uid.FLEET, "What needs attention now")],
    )


def _finished(result: str, during: str = promql.STEP) -> str:
    where = f"{promql.JOBS},{result}" if result else promql.JOBS
    return promql.grown(FINISHED, BY_RESULT, where, during=during)


def _sum(counted: str, by: str = "") -> str:
    """Over the jobs of the chosen teams."""
    return promql.total(promql.of_team(counted), by)


def _per_job(name: str, during: str = promql.RANGE) -> str:
    return promql.grown(name, promql.BY_JOB, promql.JOBS, during=during)


def _sums() -> list[Panel]:
    failed = _sum(_finished(promql.FAILED, promql.RANGE))
    return [
        single(
            "Failed attempts",
            "Attempts of the chosen jobs that ended as failed, timed out or with an internal error.",
            failed,
            unit=COUNT,
            steps=((None, GOOD), (1, WARN)),
            decimals=0,
        ),
        single(
            "Success ratio",
            "Successful attempts among those that succeeded or failed.",
            promql.ratio(
                _sum(_finished(promql.SUCCEEDED, promql.RANGE)),
                _sum(_finished(promql.DECIDED, promql.RANGE)),
            ),
            unit=SHARE,
            steps=((None, BAD), (0.9, WARN), (0.98, GOOD)),
            empty="nothing ended",
            decimals=1,
        ),
        fleet.unwanted(
            "Failing jobs",
            "Jobs with a failure since their last success, now.",
            f"{fleet.FAILING} > 0",
        ),
        fleet.unwanted(
            "Failing repeatedly",
            "Jobs with three or more failures since their last success, now.",
            f"{fleet.FAILING} >= 3",
        ),
        single(
            "Repairs",
            "Attempts that were repairs. They count as attempts and use compute again.",
            _sum(_per_job("databricks_job_run_repairs_total")),
            unit=COUNT,
            decimals=0,
        ),
        single(
            "SLA breaches",
            "Finished attempts that took longer than their job may.",
            _sum(_per_job("databricks_job_sla_breaches_total")),
            unit=COUNT,
            steps=((None, GOOD), (1, WARN)),
            decimals=0,
        ),
    ]


def _course() -> list[Panel]:
    terminations = promql.grown(
        "databricks_run_terminations_total",
        "workspace, termination_code, termination_type",
        f'{promql.WORKSPACE},termination_type!="SUCCESS"',
    )
    buckets = promql.grown("databricks_run_duration_seconds_bucket", "workspace, result, le")
    return [
        bars(
            "Failed attempts by result",
            "Attempts of the chosen jobs that failed in each step.",
            {"{{result}}": _sum(_finished(promql.FAILED), "result")},
        ),
        bars(
            "Why attempts ended",
            "Termination codes of attempts that did not end well, of all jobs of the workspaces. The runbook says what "
            "each asks for.",
            {
                "{{termination_code}}": promql.otherwise(
                    promql.total(terminations, "termination_code"), "termination_code", "none"
                )
            },
        ),
        lines(
            "Success ratio by workspace",
            "Successful attempts among those that succeeded or failed in the hour before, of all jobs of the workspaces.",
            {
                "{{workspace}}": promql.ratio(
                    promql.total(_of_workspace(promql.SUCCEEDED), "workspace"),
                    promql.total(_of_workspace(promql.DECIDED), "workspace"),
                )
            },
            unit=SHARE,
        ),
        spread(
            "How long attempts took",
            "Finished attempts by duration, of all jobs of the workspaces: a band that moves up is everything getting "
            "slower.",
            promql.total(buckets, "le"),
            unit=SECONDS,
        ),
    ]


def _of_workspace(result: str) -> str:
    where = f"{promql.WORKSPACE},{result}"
    return promql.grown(fleet.ATTEMPTS, fleet.BY_RESULT, where, during="1h")


def _jobs() -> list[Panel]:
    most = promql.top(promql.total(_finished(promql.FAILED, promql.RANGE), promql.BY_JOB))
    oldest = promql.top(promql.age(fleet.LAST_SUCCESS))
    again = promql.top(_per_job("databricks_job_task_retries_total"))
    late = promql.top(_per_job("databricks_job_sla_breaches_total"))
    return [
        job_listing(
            "Most failed attempts",
            "In the time range. One-time runs are one row.",
            [
                Column(header="Failed", expr=most, unit=COUNT, decimals=0, steps=((None, GOOD), (0.5, WARN))),
                Column(header="Failures in a row", expr=promql.beside(fleet.FAILING, most), unit=COUNT),
            ],
            width=12,
        ),
        job_listing(
            "Longest without success",
            "Time since the last success, of jobs that had one. A job that is rarely due is old without being ill.",
            [
                Column(header="Since the last success", expr=oldest, unit=SECONDS, decimals=0),
                Column(
                    header="Since the last start",
                    expr=promql.beside(promql.age(fleet.LAST_START), oldest),
                    unit=SECONDS,
                    decimals=0,
                ),
                Column(header="Failures in a row", expr=promql.beside(fleet.FAILING, oldest), unit=COUNT),
            ],
            width=12,
        ),
        job_listing(
            "Most task retries",
            "Task runs beyond the first of their task in the time range, and attempts that were repairs: work that was "
            "done twice.",
            [
                Column(header="Task retries", expr=again, unit=COUNT, decimals=0),
                Column(
                    header="Repairs",
                    expr=promql.beside(_per_job("databricks_job_run_repairs_total"), again),
                    unit=COUNT,
                    decimals=0,
                ),
            ],
            width=12,
        ),
        job_listing(
            "Most SLA breaches",
            "Finished attempts that took longer than their job may, in the time range. Only jobs with an SLA.",
            [
                Column(header="Breaches", expr=late, unit=COUNT, decimals=0),
                Column(header="SLA", expr=promql.beside(fleet.SLA, late), unit=SECONDS, decimals=0),
            ],
            width=12,
        ),
    ]
