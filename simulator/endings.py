"""How runs end: every pair of old state and new status, and how often each is drawn."""

from dataclasses import dataclass
from random import Random

FUTURE_TRIGGER = "MODEL"
FUTURE_STATE = "RESUMING"
"""Words that the published enumerations lack; MODEL is named in their prose only."""

MAX_CONCURRENT = "MAX_CONCURRENT_RUNS_REACHED"
WORKSPACE_QUEUE_CODES = ("ACTIVE_RUNS_LIMIT_REACHED", "ACTIVE_RUN_JOB_TASKS_LIMIT_REACHED", MAX_CONCURRENT)

LIFE_CYCLES = {"WAITING": "WAITING_FOR_RETRY"}
"""`state.life_cycle_state` where it is spelled differently from `status.state`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """One way to end, as both `state` and `status` tell it."""

    life_cycle: str = "TERMINATED"
    result: str = ""
    """`state.result_state`; empty where the answer has none."""
    code: str
    kind: str
    """`status.termination_details.type`."""
    message: str = ""

    @property
    def word(self) -> str:
        """The result, or the terminal life cycle where there is none."""
        return self.result or self.life_cycle

    @property
    def interrupted(self) -> bool:
        """True when something from outside ended it: a user, the platform or a time limit."""
        return self.result in {"CANCELED", "TIMEDOUT"}

    @property
    def failed(self) -> bool:
        """True when somebody may want to repair it."""
        return self.word in {"FAILED", "TIMEDOUT", "INTERNAL_ERROR"}


SUCCESS = Ending(result="SUCCESS", code="SUCCESS", kind="SUCCESS")
PARTIAL = Ending(result="SUCCESS_WITH_FAILURES", code="SUCCESS_WITH_FAILURES", kind="SUCCESS")
FAILED = Ending(
    result="FAILED",
    code="RUN_EXECUTION_ERROR",
    kind="CLIENT_ERROR",
    message="Workload failed, see run output for details",
)
TIMED_OUT = Ending(
    result="TIMEDOUT", code="CANCELED", kind="CLIENT_ERROR", message="Run exceeded the maximum duration."
)
CANCELED = Ending(
    result="CANCELED", code="USER_CANCELED", kind="CLIENT_ERROR", message="Run cancelled by a user."
)
PLATFORM_CANCELED = Ending(
    result="CANCELED", code="CANCELED", kind="INTERNAL_ERROR", message="Run cancelled by the platform."
)
UPSTREAM_FAILED = Ending(
    life_cycle="TERMINATED",
    result="UPSTREAM_FAILED",
    code="SKIPPED",
    kind="CLIENT_ERROR",
    message="An upstream task failed.",
)
UPSTREAM_CANCELED = Ending(
    life_cycle="SKIPPED",
    result="UPSTREAM_CANCELED",
    code="SKIPPED",
    kind="CLIENT_ERROR",
    message="An upstream task was cancelled.",
)
EXCLUDED = Ending(result="EXCLUDED", code="SKIPPED", kind="SUCCESS", message="The condition was not met.")
DISABLED = Ending(
    life_cycle="SKIPPED", result="DISABLED", code="DISABLED", kind="SUCCESS", message="Disabled by a user."
)
NOTHING_TO_DO = Ending(life_cycle="SKIPPED", code="SKIPPED", kind="SUCCESS", message="Nothing to do.")
QUEUE_FULL = Ending(
    life_cycle="SKIPPED",
    code="MAX_JOB_QUEUE_SIZE_EXCEEDED",
    kind="CLIENT_ERROR",
    message="The queue of the job is full.",
)
CONCURRENCY = Ending(
    life_cycle="SKIPPED",
    result="MAXIMUM_CONCURRENT_RUNS_REACHED",
    code="MAX_CONCURRENT_RUNS_EXCEEDED",
    kind="CLIENT_ERROR",
    message="The maximum number of concurrent runs is reached.",
)
WORKSPACE_LIMIT = Ending(
    life_cycle="SKIPPED",
    code="WORKSPACE_RUN_LIMIT_EXCEEDED",
    kind="CLIENT_ERROR",
    message="The workspace runs too many tasks.",
)


def _failed(code: str, kind: str, *, life_cycle: str = "TERMINATED", result: str = "FAILED") -> Ending:
    return Ending(
        life_cycle=life_cycle,
        result=result,
        code=code,
        kind=kind,
        message=f"Run failed: {code.replace('_', ' ').lower()}.",
    )


FUTURE_CODE = _failed("SERVERLESS_QUOTA_EXCEEDED", "CLIENT_ERROR")
FUTURE_RESULT = _failed("PARTIAL_ROLLBACK", "CLIENT_ERROR", result="ROLLED_BACK")

SUCCESSES = {SUCCESS: 97, PARTIAL: 3}
FAILURES = {
    FAILED: 70,
    TIMED_OUT: 14,
    CANCELED: 14,
    PLATFORM_CANCELED: 2,
    _failed("RUN_EXECUTION_ERROR", "CLIENT_ERROR", life_cycle="INTERNAL_ERROR"): 5,
    _failed("INTERNAL_ERROR", "INTERNAL_ERROR", life_cycle="INTERNAL_ERROR"): 4,
    _failed("INTERNAL_ERROR", "INTERNAL_ERROR", life_cycle="INTERNAL_ERROR", result=""): 4,
    _failed("WORKSPACE_RUN_LIMIT_EXCEEDED", "CLIENT_ERROR", life_cycle="INTERNAL_ERROR"): 1,
    _failed("CLOUD_FAILURE", "CLOUD_FAILURE"): 4,
    _failed("CLUSTER_ERROR", "CLOUD_FAILURE"): 3,
    _failed("DRIVER_ERROR", "CLIENT_ERROR"): 4,
    _failed("LIBRARY_INSTALLATION_ERROR", "CLIENT_ERROR"): 3,
    _failed("STORAGE_ACCESS_ERROR", "CLIENT_ERROR"): 2,
    _failed("UNAUTHORIZED_ERROR", "CLIENT_ERROR"): 2,
    _failed("RESOURCE_NOT_FOUND", "CLIENT_ERROR"): 2,
    _failed("REPOSITORY_CHECKOUT_FAILED", "CLIENT_ERROR"): 2,
    _failed("CLUSTER_REQUEST_LIMIT_EXCEEDED", "CLIENT_ERROR"): 1,
    _failed("CLUSTER_TERMINATED_BY_USER", "CLIENT_ERROR"): 1,
    _failed("INVALID_CLUSTER_REQUEST", "CLIENT_ERROR"): 1,
    _failed("INVALID_RUN_CONFIGURATION", "CLIENT_ERROR"): 1,
    _failed("FEATURE_DISABLED", "CLIENT_ERROR"): 1,
    _failed("BREAKING_CHANGE", "CLIENT_ERROR"): 1,
    _failed("BUDGET_POLICY_LIMIT_EXCEEDED", "CLIENT_ERROR"): 1,
    _failed("MAX_SPARK_CONTEXTS_EXCEEDED", "CLIENT_ERROR"): 1,
}
SKIPS = {
    NOTHING_TO_DO: 6,
    CONCURRENCY: 5,
    QUEUE_FULL: 4,
    WORKSPACE_LIMIT: 3,
    EXCLUDED: 2,
    UPSTREAM_FAILED: 1,
    UPSTREAM_CANCELED: 1,
    DISABLED: 1,
}
FUTURE = {FUTURE_CODE: 2, FUTURE_RESULT: 1}
ALL = (*SUCCESSES, *FAILURES, *SKIPS, *FUTURE)


def draw(rng: Random, weights: dict[Ending, int]) -> Ending:
    """One of the endings, as often as its weight says."""
    return rng.choices(list(weights), list(weights.values()))[0]


def named(result: str, *, code: str = "", kind: str = "", life_cycle: str = "", message: str = "") -> Ending:
    """The usual ending with this result; what is given besides replaces the usual."""
    usual = next((ending for ending in ALL if ending.word == result and code in {"", ending.code}), None)
    usual = usual or next((ending for ending in ALL if ending.word == result), FAILED)
    without = not usual.result and usual.word == result
    return Ending(
        life_cycle=life_cycle or usual.life_cycle,
        result="" if without else result,
        code=code or usual.code,
        kind=kind or usual.kind,
        message=message or usual.message,
    )
