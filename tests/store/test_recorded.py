"""Definitions of the system tables beside those of a list, which is stronger."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from collector.core.model import Agreement, Budget, Job, Named, Target
from collector.core.snapshot import JobFacts
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_job, make_run
from tests.store.conftest import WORKSPACE, Stores, make_poll, observe

FULL = Agreement(
    target=Target(sla=timedelta(minutes=5), source="config"),
    budget=Budget(dbus=Decimal("100.10"), source="tag"),
    team=Named(name="data", source="tag"),
    owner=Named(name="Ada", source="config"),
)
DAY = 86400


def list_jobs(writer: Writer, *jobs: Job, now: float, agreement: Agreement | None = None) -> int:
    """A definitions poll that saw the jobs and no others."""
    listed = {job.job_id: (job, agreement or Agreement()) for job in jobs}
    with writer.transaction(WORKSPACE) as transaction:
        transaction.record(make_poll(started=at(now)))
        return transaction.save_jobs(listed, now=at(now))


def record_jobs(
    writer: Writer,
    *jobs: Job,
    now: float,
    deleted: datetime | None = None,
    agreement: Agreement | None = None,
) -> int:
    """A pass over the system tables that saw the jobs."""
    recorded = [(job, agreement or Agreement(), at(now), deleted) for job in jobs]
    with writer.transaction(WORKSPACE) as transaction:
        return transaction.save_recorded_jobs(recorded, now=at(now))


def facts(stores: Stores) -> tuple[JobFacts, ...]:
    """What a reader sees of the jobs."""
    return stores.reader().snapshot().workspaces[0].jobs


def seen(jobs: Iterable[JobFacts]) -> dict[str, tuple[str, datetime | None]]:
    """By job id, name and deletion."""
    return {job.job_id: (job.name, job.deleted) for job in jobs}


@pytest.mark.parametrize("agreement", [FULL, Agreement(), Agreement(team=FULL.team)])
def test_an_agreement_is_held_as_it_is(stores: Stores, writer: Writer, agreement: Agreement) -> None:
    """What a job is held to comes back exactly, from a list and from the tables, and again is no difference."""
    listed, recorded = make_job(job_id="7"), make_job(job_id="8")

    assert 1 == list_jobs(writer, listed, now=0, agreement=agreement)
    assert 1 == record_jobs(writer, recorded, now=10, agreement=agreement)
    assert 0 == list_jobs(writer, listed, now=20, agreement=agreement)
    assert 0 == record_jobs(writer, recorded, now=30, agreement=agreement)

    assert [agreement, agreement] == [job.agreement for job in facts(stores)]


def test_a_part_of_an_agreement_is_a_difference(stores: Stores, writer: Writer) -> None:
    """A job whose team alone has changed is held anew."""
    list_jobs(writer, make_job(), now=0, agreement=FULL)
    moved = Agreement(target=FULL.target, budget=FULL.budget, team=Named(name="ops", source="tag"))

    assert 1 == list_jobs(writer, make_job(), now=10, agreement=moved)
    assert [moved] == [job.agreement for job in facts(stores)]


def test_a_list_does_not_delete_what_only_the_tables_define(stores: Stores, writer: Writer) -> None:
    """Whoever may not see a job in lists sees it by the tables, for as long as they show it."""
    record_jobs(writer, make_job(name="hidden"), now=0)

    changed = list_jobs(writer, now=10)
    kept = seen(facts(stores))
    record_jobs(writer, make_job(name="hidden"), now=20, deleted=at(15))

    assert 0 == changed
    assert {"7": ("hidden", None)} == kept
    assert {"7": ("hidden", at(15))} == seen(facts(stores))


def test_a_list_takes_over_what_the_tables_defined(stores: Stores, writer: Writer) -> None:
    """Once a list has shown a job, lists define and delete it, and the tables only add as whom it runs."""
    record_jobs(writer, make_job(name="recorded", run_as="ada"), now=0)

    taken_over = list_jobs(writer, make_job(name="listed"), now=10)
    record_jobs(writer, make_job(name="late", run_as="grace"), now=20)
    (listed,) = facts(stores)
    list_jobs(writer, now=30)
    record_jobs(writer, make_job(name="late", run_as="grace"), now=40)

    assert 1 == taken_over
    assert ("listed", None, "grace") == (listed.name, listed.deleted, listed.job and listed.job.run_as)
    assert {"7": ("listed", at(30))} == seen(facts(stores))


def test_the_list_keeps_as_whom_a_job_runs(stores: Stores, writer: Writer) -> None:
    """A changed definition of the list does not forget what only the tables tell."""
    list_jobs(writer, make_job(), make_job(job_id="8", run_as="own"), now=0)
    record_jobs(writer, make_job(run_as="ada"), make_job(job_id="8", run_as="other"), now=10)
    record_jobs(writer, make_job(run_as=""), now=20)

    list_jobs(writer, make_job(name="renamed"), make_job(job_id="8", run_as="own"), now=30)

    assert [("7", "ada"), ("8", "own")] == [(job.job_id, job.job and job.job.run_as) for job in facts(stores)]


def test_the_tables_define_what_only_its_runs_have_shown(stores: Stores, writer: Writer) -> None:
    """A job that the next list took for deleted lives again when the tables show it, and stays."""
    observe(writer, make_run(make_attempt(), name="of a run"))
    list_jobs(writer, now=100)
    taken_for_deleted = seen(facts(stores))

    record_jobs(writer, make_job(name="recorded"), now=200)
    list_jobs(writer, now=300)

    assert {"7": ("of a run", at(100))} == taken_for_deleted
    assert {"7": ("recorded", None)} == seen(facts(stores))


def test_jobs_of_long_ago_stay_unknown(stores: Stores, writer: Writer) -> None:
    """The tables hold every job that was ever deleted; those that no page would show are not taken in."""
    changed = record_jobs(writer, make_job(job_id="1"), now=3 * DAY, deleted=at(DAY))
    recent = record_jobs(writer, make_job(job_id="2"), now=3 * DAY, deleted=at(2.5 * DAY))

    assert (0, 1) == (changed, recent)
    assert ["2"] == [job.job_id for job in facts(stores)]


def test_a_new_agreement_reaches_what_the_tables_do_not_show_again(stores: Stores, writer: Writer) -> None:
    """Configuration that changes holds for jobs that have not changed since, and is no difference the second time."""
    record_jobs(writer, make_job(tags={"tier": "1"}), make_job(job_id="8"), now=0)

    def agreement(job: Job) -> Agreement:
        return FULL if job.tags else Agreement()

    with writer.transaction(WORKSPACE) as transaction:
        first = transaction.agree(agreement)
    with writer.transaction(WORKSPACE) as transaction:
        second = transaction.agree(agreement)
        targets = transaction.targets(["7", "8"])

    assert (1, 0) == (first, second)
    assert {"7": FULL.target} == targets
    assert [FULL, Agreement()] == [job.agreement for job in facts(stores)]


def test_what_cannot_be_stored_is_replaced(stores: Stores, writer: Writer) -> None:
    """Tags are written by people; a team whose name no database takes costs nobody the poll, and is no difference."""
    odd = Agreement(team=Named(name="a\0b", source="tag"), owner=Named(name="\ud800", source="tag"))
    job = make_job(run_as="\0")

    assert 1 == record_jobs(writer, job, now=0, agreement=odd)
    assert 0 == record_jobs(writer, job, now=10, agreement=odd)

    (held,) = facts(stores)
    assert Agreement(
        team=Named(name="a\N{REPLACEMENT CHARACTER}b", source="tag"), owner=Named(name="?", source="tag")
    ) == (held.agreement)
