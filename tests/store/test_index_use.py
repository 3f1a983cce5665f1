"""What is asked every few seconds is read by an index, however many runs the store holds."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Engine, event

from collector.core.diff import change
from collector.core.model import Agreement, Increment, Measure
from collector.core.records import RunPlace
from collector.store.reader import Reader
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_job, make_run, make_usage
from tests.store.conftest import WORKSPACE, Stores, make_poll, observe, watch

BIG = ("runs", "attempts", "counters", "job_history", "polls", "usage", "run_details")


def plan(engine: Engine) -> None:
    Writer(engine).standing(WORKSPACE, recent_since=at(0), undetailed=10)
    Writer(engine).hours_by_tables_alone(WORKSPACE, at(0))


def poll(engine: Engine) -> None:
    found = change(None, make_run(make_attempt(), history=True), at(-3600))
    with Writer(engine).transaction(WORKSPACE) as transaction:
        transaction.known(["1", "2"])
        transaction.targets(["7"])
        transaction.gone(["3"])
        transaction.save([found] if found else [], now=at(0))
        transaction.add([Increment(measure=Measure.REPAIRS, job_id="7", amount=1)])
        transaction.save_jobs({"7": (make_job(), Agreement())}, now=at(0))
        transaction.record(make_poll())


def housekeeping(engine: Engine) -> None:
    Writer(engine).refresh_statistics(WORKSPACE, now=at(100))
    Writer(engine).prune(WORKSPACE, before=at(100), polls_before=at(100), details_before=at(100))


def billing(engine: Engine) -> None:
    writer = Writer(engine)
    with writer.transaction(WORKSPACE) as transaction:
        transaction.save_usage([make_usage(day=at(0).date()), make_usage(day=at(-86400).date())])
    list(writer.usage(WORKSPACE, at(0).date()))
    writer.prune_usage(WORKSPACE, before=at(0).date())


def scrape(engine: Engine) -> None:
    reader = Reader(engine)
    reader.revision()
    reader.snapshot()


def pages(engine: Engine) -> None:
    """A run, and lists of runs with every kind of condition."""
    reader = Reader(engine)
    reader.run("1")
    place = RunPlace(started=at(50), workspace=WORKSPACE, run_id="1")
    for after in (None, place):
        reader.runs(since=at(-100), until=at(100), after=after)
        reader.runs(job_ids=["7", "8"], results=["FAILED"], after=after)
        reader.runs(results=["FAILED"], after=after)
        reader.runs(states=["RUNNING"], after=after)


def spending(engine: Engine) -> None:
    reader = Reader(engine)
    page = reader.usage_page((WORKSPACE,), at(0).date(), limit=1)
    reader.usage_page((WORKSPACE,), at(0).date(), job_ids=["7"], after=page.next)
    reader.usage_totals(WORKSPACE, at(0).date())


def steps(engine: Engine, asking: Callable[[Engine], None]) -> list[str]:
    """How SQLite goes about every statement of what is asked; rows are counted once a minute, which may take time."""
    asked = []

    def remember(*arguments: Any) -> None:
        asked.append((arguments[2], arguments[3][0] if arguments[5] else arguments[3]))

    event.listen(engine, "before_cursor_execute", remember)
    asking(engine)
    event.remove(engine, "before_cursor_execute", remember)
    with engine.connect() as connection:
        return [
            step.detail
            for statement, values in asked
            if not statement.startswith(("BEGIN", "SELECT count("))
            for step in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]


@pytest.fixture
def engine(sqlite_stores: Stores) -> Engine:
    """A store with a finished and an open run."""
    engine = sqlite_stores.engine()
    watch(Writer(engine))
    observe(Writer(engine), make_run(make_attempt()), make_run(run_id="2"))
    return engine


@pytest.mark.parametrize("asking", [plan, poll, housekeeping, billing, scrape, pages, spending])
def test_no_scan(engine: Engine, asking: Callable[[Engine], None]) -> None:
    """No statement of a plan, a poll, a scrape or of housekeeping walks through a growing table or a workspace of it."""
    taken = steps(engine, asking)

    walk = re.compile(rf"SCAN ({'|'.join(BIG)})\b|SEARCH ({'|'.join(BIG)}) USING .*\(workspace=\?\)")
    assert taken
    # open runs are an index of their own, and the definitions poll reads all jobs anyway
    allowed = re.compile(
        r"INDEX runs_(open|not_success) |SEARCH job_history USING INDEX job_history_due \(workspace=\?\)"
    )
    assert [] == [step for step in taken if walk.match(step) and not allowed.search(step)]


def test_partial_indexes(engine: Engine) -> None:
    """Open runs and attempts without details are read from the indexes that hold nothing else."""
    taken = steps(engine, plan)

    assert any("USING INDEX runs_open (" in step for step in taken)
    assert any("USING INDEX attempts_undetailed (workspace=? AND outcome=?)" in step for step in taken)


def test_pages_come_sorted(engine: Engine) -> None:
    """Lists of runs are read in their order up to the end of a page, not collected and sorted."""
    taken = steps(engine, pages)

    assert any("INDEX runs_started (" in step for step in taken)
    assert any("INDEX runs_job (" in step for step in taken)
    assert any("INDEX runs_not_success (" in step for step in taken)
    assert [] == [step for step in taken if step == "USE TEMP B-TREE FOR ORDER BY"]
