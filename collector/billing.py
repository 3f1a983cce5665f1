"""The pass over the billing tables: usage at the prices of its time, and what it comes to.

Usage arrives half a day late and is corrected for days: whatever gained a record is read again as a whole.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from collector.core.bill import bill, first_day, kept_since
from collector.core.model import Spending
from collector.desk import Answer, Desk
from collector.readings import Reading, readings
from collector.store.transaction import Transaction

USAGE, SPENDING = "usage", "usage_since_success"
"""Sources, by the names of their queries."""
DAY = timedelta(days=1)


def billing(desk: Desk, started: datetime) -> Answer:
    """Read usage, then make the bill of all that is held; what a job spent since its last success is asked apart."""
    workspace, seen = desk.terms.workspace, 0
    spending: Sequence[Spending] | None = desk.writer.spending(workspace)
    with readings(desk, started) as all_readings:
        with all_readings.of(USAGE) as reading:
            seen = _usage(desk, reading, started)
        with all_readings.of(SPENDING) as reading:
            since = (started - desk.terms.history).date()
            spending = [item for batch in reading.tables.spending(since) for item in batch]
    made = None
    if USAGE not in all_readings.failures:
        made = bill(
            desk.writer.usage(workspace, first_day(started)),
            desk.terms.discounts,
            started,
            spending=spending,
            jobs=desk.writer.known_jobs(workspace),
        )

    def write(transaction: Transaction, now: datetime) -> int:  # noqa: ARG001 – the bill is that of its start
        if made:
            transaction.save_bill(made)
        return seen

    return Answer(write=write, seen=seen, error=all_readings.error, message=all_readings.message)


def _usage(desk: Desk, reading: Reading, started: datetime) -> int:
    """The usage that changed is held as it is now; the number of rows."""
    seen = 0
    oldest = kept_since(started, desk.terms.history)
    for batch in reading.tables.usage(oldest, _changed_since(reading.watermark, started, oldest)):
        with desk.writer.transaction(desk.terms.workspace) as transaction:
            transaction.save_usage(batch)
        seen += len(batch)
        reading.tells_of(max(used.newest for used in batch))
    return seen


def _changed_since(watermark: datetime | None, started: datetime, oldest: date) -> date:
    """From which day of arrival on changes are read: since the day before the last reading, and once a day all.

    A price that was put on the list after the usage changes what came long ago, and leaves no trace in it.
    """
    if watermark is None or watermark.date() != started.date():
        return oldest
    return (watermark - DAY).date()
