"""What the definitions poll takes for a deletion, and whose definitions it takes at all."""

from contextlib import closing
from dataclasses import replace

from collector.core.agreement import Rule, Words
from collector.core.model import Agreement, Collector, Job, Measure, Named
from collector.definitions import definitions
from collector.poll import execute
from collector.sources.client import Client
from collector.sources.jobs_api import JobsApi
from collector.store.schema import workspaces
from simulator import Control
from tests.collector.desks import NAME, Office


class OneSetAside(JobsApi):
    """Could not read one of the items."""

    @property
    def unreadable(self) -> int:
        return 1


def deleted(office: Office) -> dict[str, bool]:
    """By name, whether a job counts as deleted."""
    return {job.name: job.deleted is not None for job in office.snapshot().jobs}


def test_an_unreadable_definition_is_no_deletion(office: Office, control: Control) -> None:
    """While an item of the list cannot be read, a job that it does not show may be that item."""
    control.create_job("odd")
    office.poll(Collector.DEFINITIONS)
    control.delete_job("odd")
    desk = office.desk(Collector.DEFINITIONS)

    with closing(OneSetAside(Client(office.connection))) as source:
        poll = execute(replace(desk, source=source), definitions)
    kept = deleted(office)
    office.poll(Collector.DEFINITIONS)

    assert poll is not None
    assert "" == poll.error
    assert {"orders": False, "odd": False} == kept
    assert {"orders": False, "odd": True} == deleted(office)


def test_a_job_without_definition_ends_with_the_next_list(office: Office, control: Control) -> None:
    """Created, run and deleted between two lists, a job expires like those that a list has shown."""
    office.poll()
    control.create_job("short-lived")
    control.start("one", "short-lived")
    control.finish("one")
    control.delete_job("short-lived")

    office.poll()
    seen = deleted(office)
    office.poll(Collector.DEFINITIONS)

    assert {"short-lived": False} == seen
    assert {"orders": False, "short-lived": True} == deleted(office)


def test_agreements_follow_the_configuration(office: Office, control: Control) -> None:
    """Tags win over rules, and a rule that changed holds with the next poll, also for jobs that only the tables define."""
    control.create_job("tagged", tags={"team": "sales"})
    hidden = Job(job_id="4711", name="hidden")
    with office.writer.transaction(NAME) as transaction:
        transaction.save_recorded_jobs(
            [(hidden, Agreement(), office.simulator.now(), None)], now=office.simulator.now()
        )

    def teams(*rules: Rule) -> dict[str, Named | None]:
        words = Words(team_tag="team", rules=rules)
        poll = execute(office.desk(Collector.DEFINITIONS, words=words), definitions)
        assert poll is not None
        assert "" == poll.error
        return {job.name: job.agreement.team for job in office.snapshot().jobs}

    before = teams()
    after = teams(Rule(jobs=("hid.*", "tagged"), team="ops"))

    tagged = Named(name="sales", source="tag")
    assert {"orders": None, "tagged": tagged, "hidden": None} == before
    assert {"orders": None, "tagged": tagged, "hidden": Named(name="ops", source="config")} == after


def test_another_workspace_under_the_name_is_not_counted(office: Office, control: Control) -> None:
    """A configuration that points elsewhere fails every poll in words that say so, and nothing is counted."""
    with office.engine.begin() as connection:
        connection.execute(
            workspaces.update()
            .where(workspaces.c.name == NAME)
            .values(host="https://old.example", workspace_id="1")
        )
    control.start("one", "orders")
    control.finish("one")

    polls = [office.poll(collector) for collector in Collector]

    assert {"refused"} == {poll.error for poll in polls}
    assert all("https://old.example (id 1)" in poll.message for poll in polls)
    assert 0 == office.counted(Measure.RUNS_FINISHED)
    assert ("https://old.example", ()) == (office.snapshot().host, office.snapshot().jobs)
