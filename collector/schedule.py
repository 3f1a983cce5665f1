"""When what is polled: APScheduler with every default that surprises written out. Knows jobs as plain functions."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.events import EVENT_JOB_MAX_INSTANCES, EVENT_JOB_MISSED, JobEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

LAST_S = 1.0
"""How long what runs may take to end by itself when the schedule is closed: most polls take less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something to do again and again."""

    name: str
    interval: timedelta
    run: Callable[[], object]
    missed: Callable[[], None]
    """Told each time that a start was left out because the one before still ran, or came too late."""


class Schedule:
    """Runs every task at once and then at its interval, each in one instance, until closed."""

    def __init__(self, tasks: tuple[Task, ...]) -> None:
        logging.getLogger("apscheduler").setLevel(
            logging.ERROR
        )  # missed starts are counted and exported instead
        self._tasks = {task.name: task for task in tasks}
        self._running = 0
        self._ended = threading.Condition()
        self._scheduler = BackgroundScheduler(
            executors={"default": ThreadPoolExecutor(max(1, len(tasks)))}, timezone=UTC
        )
        self._scheduler.add_listener(self._on_missed, EVENT_JOB_MAX_INSTANCES | EVENT_JOB_MISSED)
        for task in tasks:
            self._scheduler.add_job(
                self._run,
                IntervalTrigger(seconds=task.interval.total_seconds(), timezone=UTC),
                args=[task],
                id=task.name,
                next_run_time=datetime.now(UTC),
                max_instances=1,  # a poll never overtakes the one before
                coalesce=True,  # after a pause one start, not all that were missed
                misfire_grace_time=max(
                    1, int(task.interval.total_seconds())
                ),  # the default of 1 s drops polls
            )

    def start(self) -> None:
        """Start the first run of every task now."""
        self._scheduler.start()

    def close(self) -> None:
        """Start nothing more, and wait a moment for what runs; what takes longer ends by itself."""
        self._scheduler.shutdown(wait=False)
        with self._ended:
            self._ended.wait_for(lambda: not self._running, timeout=LAST_S)

    def _run(self, task: Task) -> None:
        with self._ended:
            self._running += 1
        try:
            task.run()
        finally:
            with self._ended:
                self._running -= 1
                self._ended.notify_all()

    def _on_missed(self, event: JobEvent) -> None:
        self._tasks[event.job_id].missed()
