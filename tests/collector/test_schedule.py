"""Starts at once, at intervals, one at a time, and told when a start was left out."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from collector.schedule import Schedule, Task


@contextmanager
def running(*tasks: Task) -> Iterator[Schedule]:
    """The schedule runs while the block does."""
    schedule = Schedule(tasks)
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.close()


def task(run: Callable[[], object], missed: Callable[[], None] = lambda: None, interval: float = 0.1) -> Task:
    """Something to do ten times a second."""
    return Task(name="live", interval=timedelta(seconds=interval), run=run, missed=missed)


def wait_until(condition: Callable[[], bool], seconds: float = 10) -> None:
    """Returns when the condition holds, and fails when it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true in time"
        time.sleep(0.01)


def test_the_first_start_is_now() -> None:
    """Nobody waits an hour for the first look back."""
    started = threading.Event()

    with running(task(started.set, interval=3600)):
        assert started.wait(5)


def test_a_poll_under_way_ends_before_what_it_works_with_is_closed() -> None:
    """Closing waits a moment for what runs, and starts nothing more."""
    begun, go_on = threading.Event(), threading.Event()
    ended: list[str] = []

    def run() -> None:
        begun.set()
        go_on.wait(10)
        ended.append("whole")

    with running(task(run)):
        assert begun.wait(5)
        threading.Timer(0.1, go_on.set).start()

    assert ["whole"] == ended


def test_a_poll_that_outlasts_its_interval_is_never_overtaken() -> None:
    """Starts that are left out are counted one by one, and the poll stays alone."""
    starts: list[str] = []
    missed: list[str] = []
    release = threading.Event()

    def run() -> None:
        starts.append("start")
        release.wait(10)

    with running(task(run, lambda: missed.append("missed"))):
        wait_until(lambda: len(missed) >= 3)
        alone = len(starts)
        release.set()
        wait_until(lambda: len(starts) >= 2)

    assert 1 == alone


def test_a_poll_that_raises_is_started_again() -> None:
    """A bug that escapes a poll does not end polling."""
    starts: list[str] = []

    def run() -> None:
        starts.append("start")
        raise RuntimeError("a bug")

    with running(task(run)):
        wait_until(lambda: len(starts) >= 3)


def test_after_close_nothing_starts() -> None:
    """What was closed stays closed."""
    starts: list[str] = []

    with running(task(lambda: starts.append("start"))):
        wait_until(lambda: len(starts) >= 1)
    at_close = len(starts)
    threading.Event().wait(0.35)

    assert len(starts) - at_close <= 1
