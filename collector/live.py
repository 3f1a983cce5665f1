"""The live poll: active runs, what ended since the last look, what vanished, and the details of what finished."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from collector.core import plan
from collector.core.diff import change
from collector.core.model import Collector, KnownRun, Run, Standing
from collector.core.plan import Window
from collector.poll import Answer, Desk, save
from collector.store.transaction import Transaction

DEEP_EVERY = timedelta(minutes=1)
"""How often the whole overlap is read again, against answers that come late or out of order."""


def live(desk: Desk, started: datetime) -> Answer:
    """Ask what the plan says, in the order in which later answers may overrule earlier ones."""
    terms, memory, source = desk.terms, desk.memory, desk.source
    since = started - terms.overlap
    standing = desk.writer.standing(terms.workspace, recent_since=since, undetailed=terms.most_lookups)
    last = standing.watermarks.get(Collector.LIVE)
    deep_after, memory.deep_after = memory.deep_after, None  # a poll that fails leaves a deep one to the next
    deep = deep_after is None or started >= deep_after or last is None or last < since

    active = {run.run_id: run for run in source.active(plan.active_windows(standing.open_runs))}
    pages = source.completed(
        Window(since), lambda page: not deep and plan.brings_nothing_new(page, standing.recent)
    )
    listed = active | {run.run_id: run for run in pages}
    missing = plan.vanished(standing.open_runs, listed)
    found = _look_up(desk, missing)
    observed = listed | {run_id: run for run_id, run in found.items() if run}

    news = {run.run_id: run for run in _news(observed.values(), standing)}
    finished = (run for run in news.values() if run.ended and run.ended >= standing.horizon)
    wanted = plan.detail_order(finished, standing.undetailed)
    details = dict(source.histories(wanted, spare=True))
    news |= {run_id: run for run_id, run in details.items() if run}
    gone = [run_id for run_id, run in (found | details).items() if run is None]

    def write(transaction: Transaction, now: datetime) -> int:
        if last is None:
            # who has never looked cannot know what he missed: counting begins with the first look
            transaction.begin_counting(started)
        changed = save(transaction, news.values(), terms.extent, now)
        transaction.gone(gone)
        return changed

    def written() -> None:
        memory.looked = True
        memory.gap = memory.gap or last is None or last < since
        memory.deep_after = started + DEEP_EVERY if deep else deep_after

    return Answer(
        write=write,
        written=written,
        seen=len(observed),
        complete=(
            len(found) == len(missing)
            and len(details) == len(wanted)
            and len(standing.undetailed) < terms.most_lookups
        ),
    )


def _look_up(desk: Desk, missing: Sequence[KnownRun]) -> dict[str, Run | None]:
    """The vanished runs, by the list over their start window as long as its pages pay, the rest one by one."""
    sought = {run.run_id for run in missing}
    found: dict[str, Run | None] = {}
    window = plan.by_list(missing)
    if window:
        for run in desk.source.completed(window, lambda page: plan.no_longer_pays(page, sought, found)):
            if run.run_id in sought:
                found[run.run_id] = run
    rest = [run.run_id for run in missing if run.run_id not in found]
    found.update(desk.source.histories(rest[: desk.terms.most_lookups], spare=False))
    return found


def _news(observed: Iterable[Run], standing: Standing) -> Iterator[Run]:
    """The runs that differ from what the store held when the poll began."""
    held = {run.run_id: run for run in standing.open_runs}
    for run in observed:
        known_end = standing.recent.get(run.run_id)
        if known_end is not None and known_end == run.ended:
            continue
        if change(held.get(run.run_id), run, standing.horizon):
            yield run
