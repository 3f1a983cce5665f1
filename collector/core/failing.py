"""Why jobs fail now, and how their latest attempts went: what the store adds to the facts of a job. Values only."""

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """The last failed attempt of a job that has not succeeded since."""

    job_id: str
    since: datetime | None
    """End of the first attempt that failed after the last success; None when it is no longer held."""
    run_id: str
    url: str
    ended: datetime
    result: str
    termination_code: str
    message: str
    """Of the run; empty while a repair of it is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """A finished attempt."""

    run_id: str
    ended: datetime
    duration: timedelta
    result: str
