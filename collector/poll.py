"""Joins a source and the store: ask first, then one transaction that reads what is known, compares, counts, writes.

Every collector (`live`, `lookback`, `definitions`) is a function that asks and returns an `Answer`; `execute` gives it
lease, deadline, transaction, record and log line.
"""

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from collector.core.count import Extent, increments
from collector.core.diff import change
from collector.core.model import Change, Collector, Increment, KnownRun, Measure, Poll, Run
from collector.desk import Answer, Desk, Memory
from collector.logs import event, redact
from collector.sources.source import LONGEST_MESSAGE, Refused, SourceError, Tally
from collector.store.engine import StoreError
from collector.store.failure import ForeignWorkspaceError
from collector.store.transaction import Transaction

logger = logging.getLogger(__name__)


def execute(desk: Desk, ask: Callable[[Desk, datetime], Answer]) -> Poll | None:
    """One poll, recorded and logged; None when another collector holds the workspace."""
    terms, started = desk.terms, desk.now()
    try:
        if not _holds(desk, started):
            return None
        desk.source.start_deadline(terms.deadline.total_seconds())
        poll = _polled(desk, ask, started)
    except StoreError as failure:
        event(
            logger,
            logging.ERROR,
            "the store does not take the poll",
            workspace=terms.workspace,
            error=str(failure),
        )
        return None
    event(
        logger,
        logging.WARNING if poll.error else logging.INFO,
        "poll",
        workspace=terms.workspace,
        collector=poll.collector.value,
        seconds=round(poll.duration.total_seconds(), 3),
        requests=poll.requests,
        seen=poll.seen,
        changed=poll.changed,
        **({"error": poll.error, "message": poll.message} if poll.error else {}),
    )
    return poll


def keep_lease(desk: Desk) -> None:
    """Renew a lease that this process holds, so that a poll may take longer than the lease; never take one."""
    if desk.memory.holds:
        _holds(desk, desk.now())


def _holds(desk: Desk, now: datetime) -> bool:
    """Take or renew the workspace's lease; False while another process has it."""
    terms = desk.terms
    held_before = desk.memory.holds
    holds = desk.writer.lease(terms.workspace, holder=desk.holder, now=now, until=now + terms.lease)
    desk.memory.holds = holds
    if holds is not held_before and not holds:
        event(logger, logging.INFO, "another collector polls; standing by", workspace=terms.workspace)
    return holds


def _polled(desk: Desk, ask: Callable[[Desk, datetime], Answer], started: datetime) -> Poll:
    """Ask and write; whatever fails is on record, and then nothing else is."""
    try:
        _identify(desk, started)
        return _recorded(desk, ask(desk, started), started)
    except SourceError as failure:
        return _recorded(desk, None, started, failure.reason, redact(str(failure)))
    except StoreError:
        raise
    except Exception as failure:
        logger.exception("a poll failed in a way that nobody expected; the next one tries again")
        words = " ".join(f"{type(failure).__name__}: {failure}".split())
        return _recorded(desk, None, started, "internal", redact(words)[:LONGEST_MESSAGE])


def _identify(desk: Desk, now: datetime) -> None:
    """Once per process: the workspace behind the configuration is the one whose counters the store holds."""
    if desk.memory.identified:
        return
    identity = desk.source.identity()
    try:
        desk.writer.register(
            desk.terms.workspace, host=identity.host, workspace_id=identity.workspace_id, now=now
        )
    except ForeignWorkspaceError as foreign:
        raise Refused(str(foreign)) from foreign
    desk.memory.identified, desk.memory.workspace_id = True, identity.workspace_id


def _recorded(
    desk: Desk, answer: Answer | None, started: datetime, error: str = "", message: str = ""
) -> Poll:
    """The poll as recorded, in the one transaction that also holds what it brought."""
    terms = desk.terms
    tally = desk.source.take_tally()
    if desk.tables:
        tally += desk.tables.take_tally()
    if answer and answer.error:
        error, message = answer.error, redact(answer.message)
    with (
        _unrecorded(desk.memory, _about_ourselves(terms.collector, tally, error)) as increments_of_ours,
        desk.writer.transaction(terms.workspace) as transaction,
    ):
        changed = answer.write(transaction, started) if answer else 0
        poll = Poll(
            collector=terms.collector,
            started=started,
            duration=desk.now() - started,
            interval=terms.interval,
            error=error,
            message=message,
            requests=tally.requests.total(),
            seen=answer.seen if answer else 0,
            changed=changed,
            complete=answer.complete if answer else False,
        )
        transaction.add(increments_of_ours)
        transaction.record(poll)
    if answer:
        answer.written()
    return poll


@contextmanager
def _unrecorded(memory: Memory, fresh: Iterable[Increment]) -> Iterator[list[Increment]]:
    """What was counted about ourselves and is not in the store; put back when it does not get there."""
    with memory.lock:
        taken, memory.unrecorded = [*memory.unrecorded, *fresh], []
    try:
        yield taken
    except BaseException:
        with memory.lock:
            memory.unrecorded = [*taken, *memory.unrecorded]
        raise


def _about_ourselves(collector: Collector, tally: Tally, error: str) -> Iterator[Increment]:
    for measure, amounts in (
        (Measure.API_REQUESTS, tally.requests),
        (Measure.WAREHOUSE_QUERIES, tally.queries),
    ):
        for labels, amount in amounts.items():
            yield Increment(measure=measure, labels=labels, amount=amount)
    for measure, of_query in (
        (Measure.WAREHOUSE_TIME, tally.query_ms),
        (Measure.WAREHOUSE_ROWS, tally.rows),
    ):
        for query, amount in of_query.items():
            yield Increment(measure=measure, labels=(query,), amount=amount)
    if tally.unreadable:
        yield Increment(measure=Measure.UNREADABLE_ITEMS, labels=(collector.value,), amount=tally.unreadable)
    if error:
        yield Increment(measure=Measure.COLLECTOR_ERRORS, labels=(collector.value, error), amount=1)


Compare = Callable[[KnownRun | None, Run, datetime], Change | None]
"""`change` for what the Jobs API shows, `completion` for what the system tables show."""


def save(
    transaction: Transaction,
    runs: Iterable[Run],
    extent: Extent,
    now: datetime,
    compare: Compare = change,
) -> int:
    """Compare the runs with what is known, count, write; the number of attempts that finished.

    A run that shows twice, because it moved between pages while they were read, is taken as the later page has it.
    """
    observed = {run.run_id: run for run in runs}
    known = transaction.known(observed)
    compared = (compare(known.get(run_id), run, transaction.horizon) for run_id, run in observed.items())
    changes: list[Change] = [difference for difference in compared if difference]
    targets = transaction.targets({item.run.job_id for item in changes if item.measured})
    transaction.save(changes, now=now)
    transaction.add(
        increment for item in changes for increment in increments(item, targets.get(item.run.job_id), extent)
    )
    return sum(len(item.finished) for item in changes)
