"""The look back: every finished run that started within the look-back time, whether or not a live poll saw it end.

Lists find runs by their start only, so a run that was repaired, or that ended while nobody looked, shows here. The first
look back fills an empty store with history; later ones find what an outage hid.
"""

from datetime import datetime, timedelta

from collector.core import plan
from collector.core.model import Collector
from collector.core.plan import RETENTION
from collector.desk import Answer, Desk
from collector.poll import save
from collector.store.transaction import Transaction

STEP = timedelta(hours=1)


def due(desk: Desk, now: datetime) -> bool:
    """True at the start, after an outage, and an interval after the last look back; never before a first live poll."""
    memory = desk.memory
    return memory.looked and (
        memory.gap or memory.looked_back is None or now - memory.looked_back >= desk.terms.interval
    )


def lookback(desk: Desk, started: datetime) -> Answer:
    """Read window after window, newest first, each written at once; only a whole look back moves its watermark."""
    terms = desk.terms
    standing = desk.writer.standing(terms.workspace, recent_since=started, undetailed=0)
    last = min(started, standing.watermarks.get(Collector.LOOKBACK, standing.horizon))  # a clock may go back
    since = max(last - terms.lookback, started - RETENTION)
    windows = plan.lookback_windows(since, started, STEP)
    desk.memory.gap = False
    seen = changed = 0
    try:
        for done, (left, runs) in enumerate(desk.source.completed_windows(windows), start=1):
            with desk.writer.transaction(terms.workspace) as transaction:
                changed += save(transaction, runs, terms.extent, desk.now())
            seen += len(runs)
            desk.progress(done, done + left)
    except BaseException:
        desk.memory.gap = True
        raise

    def write(transaction: Transaction, now: datetime) -> int:  # noqa: ARG001 – the windows are written already
        desk.memory.looked_back = started
        return changed

    return Answer(write=write, seen=seen)
