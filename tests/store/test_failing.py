"""Why jobs fail now, and how their latest attempts went."""

import re
from dataclasses import replace

from sqlalchemy import Engine

from collector.core.failing import Ending, Failing
from collector.core.model import Run
from collector.store.reader import Reader
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run
from tests.store.conftest import WORKSPACE, Stores, observe, watch
from tests.store.test_index_use import steps


def ended(run_id: str, end: float, result: str = "FAILED", **given: object) -> Run:
    """A run of one minute that ended at this second."""
    attempt = make_attempt(started=at(end - 60), ended=at(end), result=result)
    return make_run(
        attempt, run_id=run_id, **{"message": f"message of {run_id}", "url": f"https://{run_id}"} | given
    )


def test_why_a_job_fails(stores: Stores, writer: Writer) -> None:
    """The last failure is told with its message and since when there was no success, whatever came in between."""
    observe(
        writer,
        *(ended("1", 100, "SUCCESS"), ended("2", 200), ended("3", 300, "CANCELED"), ended("4", 400)),
        *(ended("5", 500, "SKIPPED"), ended("6", 600, job_id="8"), ended("7", 700, "SUCCESS", job_id="8")),
        now=1000,
    )

    found = stores.reader().failing(WORKSPACE, ["7", "8", "9"])

    assert {
        "7": Failing(
            job_id="7",
            since=at(200),
            run_id="4",
            url="https://4",
            ended=at(400),
            result="FAILED",
            termination_code="RUN_EXECUTION_ERROR",
            message="message of 4",
        )
    } == found


def test_since_when_may_be_forgotten(stores: Stores, writer: Writer) -> None:
    """When the first of the failures was pruned, nobody says when they began."""
    observe(writer, ended("1", 100), ended("2", 200), ended("3", 90_000), now=90_100)
    before = stores.reader().failing(WORKSPACE, ["7"])["7"]

    writer.prune(WORKSPACE, before=at(150), polls_before=at(150))
    after = stores.reader().failing(WORKSPACE, ["7"])["7"]

    assert at(100) == before.since
    assert replace(before, since=None) == after


def test_latest_attempts(stores: Stores, writer: Writer) -> None:
    """So many attempts as are asked for, the oldest first, of each job that is asked for."""
    observe(
        writer,
        *(ended("1", 100, "SUCCESS"), ended("2", 200), ended("3", 300, "CANCELED"), ended("4", 400)),
        ended("5", 150, job_id="8"),
        now=1000,
    )

    found = stores.reader().endings(WORKSPACE, ["7", "8", "9"], each=3)

    minute = make_attempt().duration
    assert {"7": ["2", "3", "4"], "8": ["5"], "9": []} == {
        job_id: [each.run_id for each in own] for job_id, own in found.items()
    }
    assert Ending(run_id="4", ended=at(400), duration=minute, result="FAILED") == found["7"][-1]
    assert {} == stores.reader().endings("elsewhere", [], each=3)


def test_no_walk_through_runs(sqlite_stores: Stores) -> None:
    """However many runs are held, both are lookups by job."""
    engine = sqlite_stores.engine()
    watch(Writer(engine))
    observe(Writer(engine), ended("1", 100))

    def asking(on: Engine) -> None:
        Reader(on).failing(WORKSPACE, ["7"])
        Reader(on).endings(WORKSPACE, ["7"], each=3)

    taken = steps(engine, asking)

    assert any("INDEX attempts_job (workspace=? AND job_id=? AND outcome=?" in step for step in taken)
    assert [] == [
        step for step in taken if re.match(r"SCAN (runs|attempts|job_history)\b|.*\(workspace=\?\)$", step)
    ]
