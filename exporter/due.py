"""Due times of many jobs at every rendering: computed again only once they have passed."""

import logging
from datetime import datetime
from typing import NamedTuple

from collector.core.model import Job
from collector.core.quartz import ScheduleError
from collector.core.schedule import earliest, latest, periodic_due, scheduled, since_created
from collector.core.snapshot import JobFacts

MOST = 50_000
"""Schedules that are remembered; beyond, all are forgotten and the next rendering computes those in use."""

log = logging.getLogger(__name__)


class Due(NamedTuple):
    """When a job was last due and when it is due next; None where it never was or will be."""

    last: datetime | None
    next: datetime | None

    def holds(self, now: datetime) -> bool:
        """True when `now` lies between the two."""
        return (self.last is None or self.last <= now) and (self.next is None or now < self.next)


NEVER = Due(None, None)


class Timetable:
    """Remembers the due times of schedules, which many jobs share."""

    def __init__(self, *, most: int = MOST) -> None:
        self._known: dict[tuple[str, str], Due] = {}
        self._most = most

    def due(self, facts: JobFacts, now: datetime) -> Due:
        """The job's due times; none for a job that is gone, or that no schedule starts that can be read."""
        job = facts.job
        if job is None or facts.deleted:
            return NEVER
        if job.periodic_unit:
            return _periodic(job, facts, now)
        if not scheduled(job):
            return NEVER
        key = (job.quartz_cron_expression, job.timezone_id)
        due = self._known.get(key)
        if due is None or not due.holds(now):
            due = self._remembered(key, now)
        last = since_created(job, due.last)
        return due if last is due.last else Due(last, due.next)

    def _remembered(self, key: tuple[str, str], now: datetime) -> Due:
        if len(self._known) >= self._most:
            self._known.clear()
        try:
            due = Due(latest(*key, now), earliest(*key, now))
        except ScheduleError as error:
            log.warning("no due times for the schedule %r in %r: %s", *key, error)
            due = NEVER
        self._known[key] = due
        return due


def _periodic(job: Job, facts: JobFacts, now: datetime) -> Due:
    """The job started when it was due, as far as we know; what is due after that is reckoned."""
    known = [instant for instant in (facts.last_start, facts.defined) if instant]
    if not known:
        return NEVER
    last, following = periodic_due(job, max(known), now)
    if following and last is None and facts.last_start == max(known):
        last = facts.last_start
    return Due(last, following)
