"""The words of the Jobs API as the system tables spell them; a word that has no other spelling stays as it is."""

from collections.abc import Mapping

from simulator.endings import Ending
from simulator.runs import Run

RESULTS: Mapping[str, str] = {
    "SUCCESS": "SUCCEEDED",
    "SUCCESS_WITH_FAILURES": "SUCCEEDED",
    "CANCELED": "CANCELLED",
    "TIMEDOUT": "TIMED_OUT",
    "INTERNAL_ERROR": "ERROR",
    "UPSTREAM_FAILED": "BLOCKED",
    "UPSTREAM_CANCELED": "BLOCKED",
    "EXCLUDED": "SKIPPED",
    "DISABLED": "SKIPPED",
    "MAXIMUM_CONCURRENT_RUNS_REACHED": "SKIPPED",
}
CODES: Mapping[str, str] = {"CANCELED": "CANCELLED"}
TRIGGERS: Mapping[str, str] = {
    "CONTINUOUS_RESTART": "CONTINUOUS",
    "ONE_TIME": "ONETIME",
    "RETRY": "ONETIME_RETRY",
}
JOB_TRIGGERS: Mapping[str, str] = {"table": "TABLE", "schedule": "CRON"}
"""`jobs.trigger_type` by the kind of the job, where upper case is not enough."""


def result_state(ending: Ending) -> str:
    """`result_state` of a last row."""
    return RESULTS.get(ending.word, ending.word)


def termination_code(ending: Ending) -> str:
    """`termination_code` of a last row."""
    return CODES.get(ending.code, ending.code)


def trigger_type(run: Run) -> str:
    """`trigger_type` of a run: the API does not tell schedules from periodic triggers, the tables do."""
    if run.trigger == "PERIODIC" and run.job and run.job.kind == "schedule":
        return "CRON"
    return TRIGGERS.get(run.trigger, run.trigger)
