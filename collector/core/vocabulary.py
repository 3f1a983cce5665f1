"""The words of the Jobs API that we know, what a result means, and which of them the system tables spell differently.
A word outside these sets is kept as text everywhere and becomes `OTHER` only where it would be a label."""

from enum import StrEnum

OTHER = "OTHER"

ACTIVE_STATES = ("QUEUED", "PENDING", "BLOCKED", "RUNNING", "WAITING", "TERMINATING")
"""`status.state` of a run that has not ended, in the order in which a run passes through them."""

TERMINATED = "TERMINATED"
"""The only `status.state` that ends a run."""

TERMINAL_LIFE_CYCLES = frozenset({"TERMINATED", "SKIPPED", "INTERNAL_ERROR"})
"""`state.life_cycle_state` values that end a run."""

STATE_OF_LIFE_CYCLE = {"WAITING_FOR_RETRY": "WAITING", "SKIPPED": TERMINATED, "INTERNAL_ERROR": TERMINATED}
"""Where the old life cycle is spelled differently from the new state."""

SUCCESSES = frozenset({"SUCCESS", "SUCCESS_WITH_FAILURES"})
FAILURES = frozenset({"FAILED", "TIMEDOUT", "INTERNAL_ERROR"})
RESULTS_FROM_BIRTH = ("SUCCESS", "FAILED", "TIMEDOUT", "CANCELED")
"""Results whose counters stand at 0 for every known job before anything happened."""

RESULTS = (
    SUCCESSES
    | FAILURES
    | {
        "CANCELED",
        "DISABLED",
        "EXCLUDED",
        "MAXIMUM_CONCURRENT_RUNS_REACHED",
        "SKIPPED",
        "UPSTREAM_CANCELED",
        "UPSTREAM_FAILED",
    }
)
TERMINATION_TYPES = frozenset({"CLIENT_ERROR", "CLOUD_FAILURE", "INTERNAL_ERROR", "SUCCESS"})
TERMINATION_CODES = frozenset(
    {
        "BREAKING_CHANGE",
        "BUDGET_POLICY_LIMIT_EXCEEDED",
        "CANCELED",
        "CLOUD_FAILURE",
        "CLUSTER_ERROR",
        "CLUSTER_REQUEST_LIMIT_EXCEEDED",
        "CLUSTER_TERMINATED_BY_USER",
        "DISABLED",
        "DRIVER_ERROR",
        "FEATURE_DISABLED",
        "INTERNAL_ERROR",
        "INVALID_CLUSTER_REQUEST",
        "INVALID_RUN_CONFIGURATION",
        "LIBRARY_INSTALLATION_ERROR",
        "MAX_CONCURRENT_RUNS_EXCEEDED",
        "MAX_JOB_QUEUE_SIZE_EXCEEDED",
        "MAX_SPARK_CONTEXTS_EXCEEDED",
        "REPOSITORY_CHECKOUT_FAILED",
        "RESOURCE_NOT_FOUND",
        "RUN_EXECUTION_ERROR",
        "SKIPPED",
        "STORAGE_ACCESS_ERROR",
        "SUCCESS",
        "SUCCESS_WITH_FAILURES",
        "UNAUTHORIZED_ERROR",
        "USER_CANCELED",
        "WORKSPACE_RUN_LIMIT_EXCEEDED",
    }
)
QUEUE_REASONS = frozenset(
    {"ACTIVE_RUNS_LIMIT_REACHED", "ACTIVE_RUN_JOB_TASKS_LIMIT_REACHED", "MAX_CONCURRENT_RUNS_REACHED"}
)
JOB_RUN = "JOB_RUN"
RUN_TYPES = frozenset({JOB_RUN, "SUBMIT_RUN", "WORKFLOW_RUN"})
TRIGGERS = frozenset(
    {
        "CONTINUOUS",
        "CONTINUOUS_RESTART",
        "FILE_ARRIVAL",
        "JOB_COMPLETION",
        "MODEL",
        "ONE_TIME",
        "PERIODIC",
        "RETRY",
        "RUN_JOB_TASK",
        "TABLE",
    }
)


class Field(StrEnum):
    """A field whose values come from an open list; the label of `databricks_exporter_unknown_values_total`."""

    STATE = "state"
    RESULT = "result"
    TERMINATION_CODE = "termination_code"
    TERMINATION_TYPE = "termination_type"
    QUEUE_REASON = "queue_reason"
    RUN_TYPE = "run_type"
    TRIGGER = "trigger"


KNOWN_VALUES: dict[Field, frozenset[str]] = {
    Field.STATE: frozenset({*ACTIVE_STATES, TERMINATED}),
    Field.RESULT: RESULTS,
    Field.TERMINATION_CODE: TERMINATION_CODES,
    Field.TERMINATION_TYPE: TERMINATION_TYPES,
    Field.QUEUE_REASON: QUEUE_REASONS,
    Field.RUN_TYPE: RUN_TYPES,
    Field.TRIGGER: TRIGGERS,
}


def label(field: Field, value: str) -> str:
    """The bounded label for a value: itself when it is known or absent, otherwise `OTHER`."""
    return value if not value or value in KNOWN_VALUES[field] else OTHER


class Outcome(StrEnum):
    """What a result means for the health of a job."""

    SUCCESS = "success"
    FAILURE = "failure"
    NEITHER = "neither"


def outcome(result: str) -> Outcome:
    """Success, failure, or neither (cancelled, skipped, excluded, unknown)."""
    if result in SUCCESSES:
        return Outcome.SUCCESS
    return Outcome.FAILURE if result in FAILURES else Outcome.NEITHER


# ── as the system tables spell them ──────────────────────────────────────────────────────────────────────────────

RESULT_OF_RECORD = {
    "BLOCKED": "UPSTREAM_FAILED",
    "CANCELLED": "CANCELED",
    "ERROR": "INTERNAL_ERROR",
    "SUCCEEDED": "SUCCESS",
    "TIMED_OUT": "TIMEDOUT",
}
"""`result_state`. The tables do not tell a failed upstream from a cancelled one, nor EXCLUDED from SKIPPED."""

RESULT_OF_RECORD_WITH_CODE = {
    ("SKIPPED", "DISABLED"): "DISABLED",
    ("SKIPPED", "MAX_CONCURRENT_RUNS_EXCEEDED"): "MAXIMUM_CONCURRENT_RUNS_REACHED",
    ("SUCCEEDED", "SUCCESS_WITH_FAILURES"): "SUCCESS_WITH_FAILURES",
}
"""Where `termination_code` tells more than `result_state`."""

CODE_OF_RECORD = {"CANCELLED": "CANCELED"}
TRIGGER_OF_RECORD = {"CRON": "PERIODIC", "ONETIME": "ONE_TIME", "ONETIME_RETRY": "RETRY"}
"""`trigger_type` of a run. The API has one word for schedules and periodic triggers."""
TRIGGER_OF_RECORDED_JOB = {"CRON": "SCHEDULE", "TABLE": "TABLE_UPDATE"}
"""`trigger_type` of a job, as the kind of trigger in its settings."""


def recorded_result(state: str, code: str) -> str:
    """The result that a `result_state` and a `termination_code` of the system tables amount to."""
    return RESULT_OF_RECORD_WITH_CODE.get((state, code)) or RESULT_OF_RECORD.get(state, state)
