"""How a poll is leased, recorded and survived, whatever asking or writing brings."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from collector.core.model import Collector, Measure
from collector.definitions import definitions
from collector.desk import Answer, Desk
from collector.live import live
from collector.poll import execute
from collector.store.transaction import Transaction
from collector.store.writer import Writer
from tests.collector.desks import Office


def test_who_has_no_lease_sends_nothing(office: Office) -> None:
    """While another process polls the workspace, this one stands by at no cost."""
    mine = office.desk(Collector.LIVE, holder="me")
    other = office.desk(Collector.LIVE, holder="the other")
    execute(mine, live)
    office.asked()

    standing_by = execute(other, live)
    silent = office.asked()
    office.simulator.advance(timedelta(seconds=11))
    taking_over = execute(other, live)

    assert standing_by is None
    assert {} == silent
    assert taking_over is not None


def test_requests_of_a_poll_that_is_lost_are_counted_with_the_next(office: Office) -> None:
    """The store was full for a moment; the requests were sent nevertheless."""
    desk = office.desk(Collector.LIVE)
    office.writer.failures = 1

    lost = execute(desk, live)
    kept = execute(desk, live)

    assert lost is None
    assert kept is not None
    assert sum(office.asked().values()) == office.counted(Measure.API_REQUESTS)


def _broken_ask(_desk: Desk, _started: datetime) -> Answer:
    raise RuntimeError("nobody\nexpected this")


def _broken_write(desk: Desk, started: datetime) -> Answer:
    answer = live(desk, started)

    def write(transaction: Transaction, now: datetime) -> int:
        answer.write(transaction, now)
        raise KeyError("nor this")

    return replace(answer, write=write)


@pytest.mark.parametrize(
    ("broken", "message"),
    [(_broken_ask, "RuntimeError: nobody expected this"), (_broken_write, "KeyError: 'nor this'")],
)
def test_the_unexpected_is_on_record_and_the_next_poll_goes_on(
    office: Office, caplog: pytest.LogCaptureFixture, broken: object, message: str
) -> None:
    """A bug while asking or writing costs one poll, with a traceback in the log and a line on the status page."""
    control = office.simulator.control
    desk = office.desk(Collector.LIVE)
    execute(desk, live)
    control.start("one", "orders")
    control.finish("one")
    office.simulator.advance(timedelta(seconds=5))

    with caplog.at_level(logging.ERROR):
        failed = execute(desk, broken)  # type: ignore[arg-type]  # a function, by way of parametrize
    counted_then = office.counted(Measure.RUNS_FINISHED)
    office.simulator.advance(timedelta(seconds=5))
    recovered = execute(desk, live)

    assert failed is not None
    assert recovered is not None
    assert ("internal", message) == (failed.error, failed.message)
    assert any(record.exc_info for record in caplog.records)
    assert (0, "", 1) == (counted_then, recovered.error, office.counted(Measure.RUNS_FINISHED))
    assert 1 == office.counted(Measure.COLLECTOR_ERRORS)
    assert sum(office.asked().values()) == office.counted(Measure.API_REQUESTS)


class _Announcing(Writer):
    """Tells when somebody wants to write."""

    def announce(self, wanted: threading.Event) -> None:
        self.wanted = wanted

    @contextmanager
    def transaction(self, workspace: str) -> Iterator[Transaction]:
        self.wanted.set()
        with super().transaction(workspace) as transaction:
            yield transaction


def test_two_collectors_at_once_count_their_requests_once(office: Office) -> None:
    """One waits for the database while the other writes, and neither writes what is the other's."""
    writer = _Announcing(office.engine)
    asked, go, wants_to_write = threading.Event(), threading.Event(), threading.Event()
    writer.announce(wants_to_write)
    first = replace(office.desk(Collector.LIVE), writer=writer)
    second = replace(office.desk(Collector.DEFINITIONS), writer=writer)
    waited: list[bool] = []

    def while_the_other_writes(desk: Desk, started: datetime) -> Answer:
        answer = definitions(desk, started)
        asked.set()
        waited.append(go.wait(10))
        return answer

    def slowly_written(desk: Desk, started: datetime) -> Answer:
        answer = live(desk, started)

        def write(transaction: Transaction, now: datetime) -> int:
            wants_to_write.clear()
            go.set()
            waited.append(wants_to_write.wait(10))
            return answer.write(transaction, now)

        return replace(answer, write=write)

    thread = threading.Thread(target=execute, args=(second, while_the_other_writes))
    thread.start()
    waited.append(asked.wait(10))
    execute(first, slowly_written)
    thread.join(10)

    assert [True, True, True] == waited
    assert sum(office.asked().values()) == office.counted(Measure.API_REQUESTS)
    assert [] == office.memory.unrecorded


def test_definitions_bring_names_and_the_id_of_the_workspace(office: Office) -> None:
    """Host and id come with the definitions; a job that is gone is marked and kept."""
    control = office.simulator.control
    control.create_job("short-lived")
    first = office.poll(Collector.DEFINITIONS)
    control.delete_job("short-lived")

    second = office.poll(Collector.DEFINITIONS)

    workspace = office.snapshot()
    assert (2, 1) == (first.seen, second.seen)
    assert (office.simulator.url, "4711") == (workspace.host, workspace.workspace_id)
    assert {"orders": False, "short-lived": True} == {
        job.name: job.deleted is not None for job in workspace.jobs
    }
