"""What a reader keeps of one workspace between two snapshots: the rows that seldom change, as values.

Taking in the changed rows gives the same as reading all of them, which a property test holds it to.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from collector.core.model import Agreement, Job, Measure
from collector.core.snapshot import Bill, CounterValue, JobFacts
from collector.store import agreements, definitions
from collector.store.counters import from_text
from collector.store.instants import from_ms, maybe_from_ms, maybe_span
from collector.store.schema import counters
from collector.store.statements import Found

MEASURES = {measure.value: measure for measure in Measure}
COUNTER_COLUMNS = (
    counters.c.measure,
    counters.c.job_id,
    counters.c.labels,
    counters.c.value,
    counters.c.exemplar_run_id,
    counters.c.exemplar_value_ms,
    counters.c.exemplar_at_ms,
)
CounterKey = tuple[int, str, tuple[str, ...]]
"""Length of the job id, job id, labels: sorts by job id as a number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """A row of `jobs`."""

    job: Job
    deleted: datetime | None
    changed: datetime
    agreement: Agreement


@dataclass(slots=True)
class Held:
    """The jobs and counters of one workspace as of a revision."""

    revision: int = 0
    definitions: dict[str, Definition] = field(default_factory=dict)
    histories: dict[str, Found] = field(default_factory=dict)
    """Rows of `job_history`."""
    facts: dict[str, JobFacts] = field(default_factory=dict)
    """What follows from the two, in the order of the job ids as numbers."""
    counters: dict[Measure, dict[CounterKey, CounterValue]] = field(default_factory=dict)
    """In the order of their keys."""
    bill: Bill | None = None
    """The latest."""

    def take_jobs(self, jobs: Sequence[Found], histories: Sequence[Found]) -> None:
        """The rows that changed replace what was held of their jobs."""
        self.definitions |= {row.job_id: _definition(row) for row in jobs}
        self.histories |= {row.job_id: row for row in histories}
        changed = {row.job_id for row in (*jobs, *histories)}
        born = changed - self.facts.keys()
        for job_id in changed:
            self.facts[job_id] = _facts(job_id, self.definitions.get(job_id), self.histories.get(job_id))
        if born:
            self.facts = dict(sorted(self.facts.items(), key=lambda item: _place(item[0])))

    def take_counters(self, rows: Iterable[Found]) -> None:
        """The rows that changed replace what was held of their counters; measures nobody knows are passed over."""
        unordered = set()
        for measure_name, job_id, labels, value, run_id, value_ms, at_ms in rows:
            measure = MEASURES.get(measure_name)
            if measure is None:
                continue
            of_measure = self.counters.setdefault(measure, {})
            counter = CounterValue(
                job_id=job_id,
                labels=from_text(labels),
                value=value,
                run_id=run_id,
                value_ms=value_ms,
                at=maybe_from_ms(at_ms),
            )
            key = (*_place(job_id), counter.labels)
            if key not in of_measure:
                unordered.add(measure)
            of_measure[key] = counter
        for measure in unordered:
            self.counters[measure] = dict(sorted(self.counters[measure].items()))

    def expired(self, before: datetime) -> frozenset[str]:
        """Ids of the jobs that were deleted by then."""
        return frozenset(
            job_id
            for job_id, definition in self.definitions.items()
            if definition.deleted is not None and definition.deleted <= before
        )

    def jobs_without(self, hidden: frozenset[str]) -> tuple[JobFacts, ...]:
        """All jobs but those."""
        return tuple(facts for job_id, facts in self.facts.items() if job_id not in hidden)

    def counters_without(self, hidden: frozenset[str]) -> dict[Measure, tuple[CounterValue, ...]]:
        """All counters but those of the hidden jobs, in the order in which measures are declared."""
        shown: dict[Measure, tuple[CounterValue, ...]] = {}
        for measure in Measure:
            values: Iterable[CounterValue] = self.counters.get(measure, {}).values()
            if hidden:
                values = (value for value in values if value.job_id not in hidden)
            if left := tuple(values):
                shown[measure] = left
        return shown


def _place(job_id: str) -> tuple[int, str]:
    """Sorts ids as numbers without making numbers of them; no id comes first."""
    return len(job_id), job_id


def _definition(row: Found) -> Definition:
    job = definitions.from_text(row.definition)
    return Definition(
        job=job if job.run_as else replace(job, run_as=row.run_as),
        deleted=maybe_from_ms(row.deleted_ms),
        changed=from_ms(row.changed_ms),
        agreement=agreements.from_row(row),
    )


def _facts(job_id: str, definition: Definition | None, history: Found | None) -> JobFacts:
    facts = JobFacts(
        job_id=job_id,
        job=definition.job if definition else None,
        name=definition.job.name if definition else "",
        deleted=definition.deleted if definition else None,
        defined=definition.changed if definition else None,
        agreement=definition.agreement if definition else Agreement(),
    )
    if history is None:
        return facts
    return replace(
        facts,
        name=facts.name or history.name,
        last_start=from_ms(history.last_start_ms),
        last_end=maybe_from_ms(history.last_end_ms),
        last_result=history.last_result,
        last_duration=maybe_span(history.last_duration_ms),
        last_success=maybe_from_ms(history.last_success_ms),
        consecutive_failures=history.consecutive_failures,
        median=maybe_span(history.median_ms),
        p90=maybe_span(history.p90_ms),
        observations=history.observations,
    )
