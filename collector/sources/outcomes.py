"""In which state an item of the Jobs API is, and how it ended: runs, attempts and task runs tell it in the same words,
the old `state` and the new `status`.
"""

from datetime import datetime
from typing import NamedTuple

from collector.core.vocabulary import ACTIVE_STATES, STATE_OF_LIFE_CYCLE, TERMINAL_LIFE_CYCLES, TERMINATED
from collector.sources.fields import Json, UnreadableItemError, instant, integer, table, text

RESULT_OF_CODE = {
    "SUCCESS": "SUCCESS",
    "SUCCESS_WITH_FAILURES": "SUCCESS_WITH_FAILURES",
    "CANCELED": "CANCELED",
    "USER_CANCELED": "CANCELED",
    "CLUSTER_TERMINATED_BY_USER": "CANCELED",
    "SKIPPED": "SKIPPED",
    "MAX_JOB_QUEUE_SIZE_EXCEEDED": "SKIPPED",
    "MAX_CONCURRENT_RUNS_EXCEEDED": "MAXIMUM_CONCURRENT_RUNS_REACHED",
    "DISABLED": "DISABLED",
    "INTERNAL_ERROR": "INTERNAL_ERROR",
}
"""The result where only the new `status` is sent; every other termination code is a failure."""

NEVER_BEGUN = frozenset({"SKIPPED", "MAXIMUM_CONCURRENT_RUNS_REACHED"})
"""Results of runs that ended when they began, and may be shown without an end."""
UNDER_WAY_TO_ITS_END = "TERMINATING"
"""The state of a run that is over by its words, as long as no end tells which attempt that was."""


class Termination(NamedTuple):
    """Why something ended."""

    code: str
    kind: str
    """`type` of the API."""
    message: str
    """For people."""


def state(item: Json) -> str:
    """The state in the words of `status.state`."""
    life_cycle = text(table(item, "state"), "life_cycle_state")
    found = text(table(item, "status"), "state") or STATE_OF_LIFE_CYCLE.get(life_cycle, life_cycle)
    if not found:
        raise UnreadableItemError("neither status.state nor state.life_cycle_state")
    return found


def _terminal(item: Json) -> bool:
    """Whether the words say that it is over; words that nobody knows leave it to the end time."""
    shown = state(item)
    if shown == TERMINATED or text(table(item, "state"), "life_cycle_state") in TERMINAL_LIFE_CYCLES:
        return True
    return shown not in ACTIVE_STATES and integer(item, "end_time") > 0


def active_state(item: Json) -> str:
    """The state of an item that has no end."""
    return UNDER_WAY_TO_ITS_END if _terminal(item) else state(item)


def end(item: Json) -> datetime | None:
    """When it ended; None while it is active, and while its words say that it is over but nothing says since when."""
    if not _terminal(item):
        return None
    if integer(item, "end_time") > 0:
        return instant(item, "end_time")
    skipped = text(table(item, "state"), "life_cycle_state") == "SKIPPED" or result(item) in NEVER_BEGUN
    return instant(item, "start_time") if skipped else None


def result(item: Json) -> str:
    """`result_state`, else the terminal life cycle, else what the termination code amounts to; empty while active."""
    old, new = table(item, "state"), table(item, "status")
    if said := text(old, "result_state"):
        return said
    life_cycle = text(old, "life_cycle_state")
    if life_cycle in TERMINAL_LIFE_CYCLES and life_cycle != TERMINATED:
        return life_cycle
    if code := text(table(new, "termination_details"), "code"):
        return RESULT_OF_CODE.get(code, "FAILED")
    return life_cycle if life_cycle and life_cycle not in ACTIVE_STATES else ""


def termination(item: Json) -> Termination:
    """Why it ended; empty while it is active, and where only the old words are sent but for the message."""
    found = table(table(item, "status"), "termination_details")
    return Termination(
        code=text(found, "code"),
        kind=text(found, "type"),
        message=text(found, "message") or text(table(item, "state"), "state_message"),
    )
