"""A store in a dictionary: applies changes as the real one promises to, for the laws of the core."""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.core.count import Extent, increments
from collector.core.diff import change, completion
from collector.core.model import Change, KnownAttempt, KnownRun, Measure, Run


@dataclass
class Ledger:
    """What is known, what is counted, and which attempts were counted."""

    horizon: datetime
    known: dict[str, KnownRun] = field(default_factory=dict)
    counters: Counter[tuple[Measure, str, tuple[str, ...]]] = field(default_factory=Counter)
    counted: list[tuple[str, datetime]] = field(default_factory=list)

    def observe(self, run: Run, *, crash: bool = False) -> Change | None:
        """One poll that saw one run; a crash comes before the commit."""
        difference = change(self.known.get(run.run_id), run, self.horizon)
        if difference and not crash:
            self._apply(difference)
        return difference

    def complete(self, run: Run, *, crash: bool = False) -> Change | None:
        """One pass over the system tables that saw one run; a crash comes before the commit."""
        difference = completion(self.known.get(run.run_id), run, self.horizon)
        if difference and not crash:
            self._apply(difference)
        return difference

    def prune(self, before: datetime) -> None:
        """Forget closed runs whose last attempt ended before the time, and raise the horizon to it."""
        self.known = {
            run_id: run
            for run_id, run in self.known.items()
            if run.open or (run.attempts and run.attempts[-1].ended >= before)
        }
        self.horizon = max(self.horizon, before)

    def _apply(self, difference: Change) -> None:
        run = difference.run
        before = self.known.get(run.run_id)
        attempts = {attempt.ended: attempt for attempt in before.attempts} if before else {}
        for finished in difference.finished:
            attempts[finished.attempt.ended] = KnownAttempt(
                ended=finished.attempt.ended,
                result=finished.attempt.result,
                counted=finished.counted,
                detailed=False,
                by_tables=finished.by_tables,
            )
            if finished.counted:
                self.counted.append((run.run_id, finished.attempt.ended))
        for measure in difference.measured:
            attempts[measure.attempt.ended] = replace(attempts[measure.attempt.ended], measured=True)
        for retry in difference.retried:
            held = attempts[retry.attempt.ended]
            attempts[retry.attempt.ended] = replace(held, retries=held.retries + retry.more)
        for detail in difference.detailed:
            held = attempts[detail.attempt.ended]
            attempts[detail.attempt.ended] = replace(held, detailed=True, queue=held.queue + detail.queue)
        kept = before if before and not difference.latest else None
        self.known[run.run_id] = KnownRun(
            run_id=run.run_id,
            job_id=run.job_id,
            run_type=run.run_type,
            started=run.started,
            state=kept.state if kept else run.state,
            queue_reason=kept.queue_reason if kept else run.queue_reason,
            open=kept.open if kept else run.active,
            attempts=tuple(sorted(attempts.values(), key=lambda attempt: attempt.ended)),
        )
        for step in increments(difference, None, Extent(task_runs=True, job_histograms=True)):
            self.counters[step.measure, step.job_id, step.labels] += step.amount
