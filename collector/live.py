"""The live poll: active runs, what ended since the last look, what vanished, and the details of what finished."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from collector.core import plan
from collector.core.diff import change
from collector.core.model import Collector, KnownRun, Run, Standing
from collector.core.plan import Window
from collector.desk import Answer, Desk, Refusals
from collector.poll import save
from collector.sources.source import Absence
from collector.store.transaction import Transaction

DEEP_EVERY = timedelta(minutes=1)
"""How often the whole overlap is read again, against answers that come late or out of order."""
HIDDEN_FOR = timedelta(minutes=10)
"""What is forbidden for so long is more than a token that expired: a vanished run is closed then, and details are asked
for only every so often.
"""

Answers = dict[str, Run | Absence]


def live(desk: Desk, started: datetime) -> Answer:
    """Ask what the plan says, in the order in which later answers may overrule earlier ones."""
    terms, memory, source = desk.terms, desk.memory, desk.source
    since = started - terms.overlap
    most_waiting = terms.most_lookups + len(memory.hidden)
    standing = desk.writer.standing(terms.workspace, recent_since=since, undetailed=most_waiting)
    last = standing.watermarks.get(Collector.LIVE)
    deep_after, memory.deep_after = memory.deep_after, None  # a poll that fails leaves a deep one to the next
    deep = deep_after is None or started >= deep_after or last is None or last < since

    active = {run.run_id: run for run in source.active(plan.active_windows(standing.open_runs))}
    completed = (
        source.all_completed(Window(since))
        if deep
        else source.completed(Window(since), lambda page: plan.brings_nothing_new(page, standing.recent))
    )
    listed = active | {run.run_id: run for run in completed}
    missing = plan.vanished(standing.open_runs, listed)
    found = _look_up(desk, missing)
    observed = listed | _shown(found)

    news = {run.run_id: run for run in _news(observed.values(), standing)}
    finished = (run for run in news.values() if run.ended and run.ended >= standing.horizon)
    undetailed = plan.detail_order(finished, standing.undetailed)
    wanted = [run_id for run_id in undetailed if _worth_asking(memory.hidden.get(run_id), started)]
    until_next = terms.interval - (desk.now() - started)
    details = dict(
        source.histories(_hidden_last(wanted, memory.hidden), next_lists=until_next.total_seconds())
    )
    news |= _shown(details)
    answers = found | details
    memory.hidden = _hidden(memory.hidden, {run.run_id for run in missing} | {*undetailed}, answers, started)
    lost = [
        run.run_id
        for run in missing
        if answers.get(run.run_id) is Absence.HIDDEN
        and started - memory.hidden[run.run_id].first >= HIDDEN_FOR
    ]

    def write(transaction: Transaction, now: datetime) -> int:
        if last is None:
            # who has never looked cannot know what he missed: counting begins with the first look
            transaction.begin_counting(started)
        changed = save(transaction, news.values(), terms.extent, now)
        transaction.gone(run_id for run_id, answer in answers.items() if answer is Absence.GONE)
        transaction.close(lost)
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
            and Absence.HIDDEN not in answers.values()
            and len(standing.undetailed) < most_waiting
        ),
    )


def _look_up(desk: Desk, missing: Sequence[KnownRun]) -> Answers:
    """The vanished runs, by the list over their start window as long as its pages pay, the rest one by one."""
    sought = {run.run_id for run in missing}
    found: Answers = {}
    window = plan.by_list(missing)

    def enough(page: Sequence[Run]) -> bool:
        return desk.source.late or plan.no_longer_pays(page, sought, found)

    if window:
        for run in desk.source.completed(window, enough):
            if run.run_id in sought:
                found[run.run_id] = run
    rest = _hidden_last([run.run_id for run in missing if run.run_id not in found], desk.memory.hidden)
    found.update(desk.source.histories(rest[: desk.terms.most_lookups]))
    return found


def _shown(answers: Answers) -> dict[str, Run]:
    return {run_id: answer for run_id, answer in answers.items() if isinstance(answer, Run)}


def _worth_asking(refusals: Refusals | None, now: datetime) -> bool:
    """Whether to ask for the details of a run that was refused so."""
    return refusals is None or now - refusals.first < HIDDEN_FOR or now - refusals.last >= HIDDEN_FOR


def _hidden_last(run_ids: Sequence[str], hidden: Collection[str]) -> list[str]:
    """In the same order otherwise, so that runs which stay forbidden do not keep others from being asked for."""
    return sorted(run_ids, key=lambda run_id: run_id in hidden)


def _hidden(
    before: Mapping[str, Refusals], wanted: Collection[str], answers: Answers, now: datetime
) -> dict[str, Refusals]:
    """What is hidden after these answers: runs that are still wanted and were refused the last time."""
    waiting = {
        run_id: refusals for run_id, refusals in before.items() if run_id in wanted and run_id not in answers
    }
    refused = (run_id for run_id, answer in answers.items() if answer is Absence.HIDDEN)
    return waiting | {
        run_id: Refusals(first=before[run_id].first if run_id in before else now, last=now)
        for run_id in refused
    }


def _news(observed: Iterable[Run], standing: Standing) -> Iterator[Run]:
    """The runs that differ from what the store held when the poll began."""
    held = {run.run_id: run for run in standing.open_runs}
    for run in observed:
        known_end = standing.recent.get(run.run_id)
        if known_end is not None and known_end == run.ended:
            continue
        if change(held.get(run.run_id), run, standing.horizon):
            yield run
