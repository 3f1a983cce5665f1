"""What each family shows of a snapshot."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest

from collector.core.bill import bill
from collector.core.model import Agreement, Collector, Measure, Named, Target
from collector.core.snapshot import Snapshot
from collector.core.vocabulary import ACTIVE_STATES, QUEUE_REASONS, RESULTS_FROM_BIRTH, RUN_TYPES
from exporter.catalogue import FAMILIES, Family, jobs
from exporter.catalogue.family import JOB, Kind
from exporter.exposition import Format
from tests.exporter.snapshots import active, collector, counter, facts, options, snapshot, text, workspace
from tests.make import NOON, at, make_usage

TARGET_LABELS = {
    "type",
    "env",
    "region",
    "cluster",
    "owner",
    "service",
    "stage",
    "job",
    "instance",
    "le",
    "quantile",
}


def samples(shown: Snapshot, name: str, **given: object) -> dict[str, float]:
    """The lines of a page that start with the name: labels → value."""
    page = text(shown, **given)  # type: ignore[arg-type]
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", page, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


LABELS = {
    Measure.RUNS_STARTED: ("PERIODIC", "JOB_RUN"),
    Measure.RUNS_FINISHED: ("SUCCESS",),
    Measure.TERMINATIONS: ("SUCCESS", "SUCCESS"),
    Measure.DURATION_BUCKET: ("SUCCESS", "30"),
    Measure.DURATION_BUCKET_SUM: ("SUCCESS",),
    Measure.JOB_DURATION_BUCKET: ("30",),
    Measure.PHASE_TIME: ("setup",),
    Measure.TASK_RUNS_FINISHED: ("load", "SUCCESS"),
    Measure.UNKNOWN_VALUES: ("state",),
    Measure.UNREADABLE_ITEMS: ("live",),
    Measure.API_REQUESTS: ("runs/list", "200"),
    Measure.COLLECTOR_ERRORS: ("live", "throttled"),
    Measure.POLLS_MISSED: ("live",),
    Measure.WAREHOUSE_QUERIES: ("usage", "ok"),
    Measure.WAREHOUSE_TIME: ("usage",),
    Measure.WAREHOUSE_ROWS: ("usage",),
}


@pytest.mark.parametrize("measure", sorted(Measure))
def test_every_measure_is_shown(measure: Measure) -> None:
    """Nothing is counted that no page shows."""
    everything = {"task_runs": True, "job_histograms": True}
    of_workspace = counter(4242000, *LABELS.get(measure, ()))
    of_job = counter(4242000, *LABELS.get(measure, ()), job_id="7")
    counters = {measure: (of_workspace, of_job)}

    page = text(snapshot(workspace(facts(), counters=counters)), **everything)

    assert re.search(r" (4\.242e\+06|4242\.0|8\.484e\+06|8484\.0)$", page, re.MULTILINE)


def test_names_are_unique() -> None:
    """Two families never share a name."""
    names = [family.name for family in FAMILIES]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_family_follows_the_conventions(family: Family) -> None:
    """Prefix, endings and labels are as Prometheus and its users expect."""
    endings = {Kind.COUNTER: "_total", Kind.INFO: "_info"}

    assert re.fullmatch(r"databricks_[a-z0-9_]+[a-z0-9]", family.name)
    assert family.name.endswith(endings.get(family.kind, ""))
    assert (family.kind is Kind.COUNTER) == family.name.endswith("_total")
    assert not family.name.endswith(("_sum", "_count", "_bucket", "_created", "_minutes", "_milliseconds"))
    assert not TARGET_LABELS & set(family.labels)
    assert all(re.fullmatch(r"[a-z][a-z_]*", label) for label in family.labels)
    assert family.meaning.endswith(".")
    assert family.labels[:3] == JOB or not family.name.startswith("databricks_job_")


def test_active_runs_start_at_zero() -> None:
    """Every state and run type is there while nothing runs."""
    shown = samples(snapshot(workspace()), "databricks_active_runs")

    assert len(ACTIVE_STATES) * len(RUN_TYPES) == len(shown)
    assert {0.0} == set(shown.values())


def test_queued_runs_start_at_zero() -> None:
    """Every reason of queueing is there while nothing waits."""
    shown = samples(snapshot(workspace()), "databricks_queued_runs")

    assert {f'reason="{reason}",workspace="prod"': 0.0 for reason in QUEUE_REASONS} == shown


def test_job_counters_start_at_zero() -> None:
    """The first failure of a job is an increase from 0, which Prometheus can see."""
    shown = snapshot(workspace(facts()))
    of_job = 'job_id="7",job_name="orders",{}workspace="prod"'

    page = text(shown)

    for result in RESULTS_FROM_BIRTH:
        line = of_job.format(f'result="{result}",')
        assert f"databricks_job_runs_finished_total{{{line}}} 0.0\n" in page
    for phase in ("queue", "setup", "execution", "cleanup"):
        line = of_job.format(f'phase="{phase}",')
        assert f"databricks_job_run_phase_seconds_total{{{line}}} 0.0\n" in page
    for name in (
        "run_duration_seconds_sum",
        "run_duration_seconds_count",
        "run_repairs_total",
        "task_retries_total",
    ):
        assert f"databricks_job_{name}{{{of_job.format('')}}} 0.0\n" in page


def test_breaches_need_an_sla() -> None:
    """Only a job that is held to something has breaches."""
    held = facts("8", "held", agreement=Agreement(target=Target(sla=timedelta(minutes=1), source="tag")))

    shown = samples(snapshot(workspace(facts(), held)), "databricks_job_sla_breaches_total")

    assert {'job_id="8",job_name="held",workspace="prod"': 0.0} == shown


def test_team_and_owner_are_shown_with_their_source() -> None:
    """Alerts are routed by whoever answers for a job; nobody is invented where nobody is named."""
    team = Named(name='sales & "co"', source="tag")
    owner = Named(name="Ada", source="config")
    owned = facts("8", "owned", agreement=Agreement(team=team, owner=owner))
    shown = snapshot(workspace(facts(), owned))

    teams, owners = (samples(shown, f"databricks_job_{name}_info") for name in ("team", "owner"))

    job = 'job_id="8",job_name="owned"'
    assert {rf'{job},source="tag",team="sales & \"co\"",workspace="prod"': 1.0} == teams
    assert {f'{job},job_owner="Ada",source="config",workspace="prod"': 1.0} == owners


def test_one_time_runs_have_no_series_of_their_own() -> None:
    """A submitted run shows in the bounded series and its generated job id nowhere."""
    submitted = active(job_id="9000001", run_type="SUBMIT_RUN", name="Untitled")
    counters = {Measure.RUNS_FINISHED: (counter(3, "FAILED"),)}
    shown = snapshot(workspace(active_runs=(submitted,), counters=counters))

    page = text(shown)

    assert "9000001" not in page
    assert "Untitled" not in page
    assert 'databricks_active_runs{run_type="SUBMIT_RUN",state="RUNNING",workspace="prod"} 1.0' in page
    assert (
        'databricks_job_runs_finished_total{job_id="",job_name="",result="FAILED",workspace="prod"} 3.0'
        in page
    )


def test_unknown_words_become_other() -> None:
    """A word that Databricks adds tomorrow cannot add a label value, and two of them add up."""
    counters = {
        Measure.RUNS_FINISHED: (counter(1, "NEW_A", job_id="7"), counter(2, "NEW_B", job_id="7")),
        Measure.RUNS_STARTED: (counter(4, "NEW_TRIGGER", "NEW_TYPE"),),
        Measure.TERMINATIONS: (counter(5, "NEW_CODE", "NEW_TYPE"),),
        Measure.DURATION_BUCKET: (counter(6, "NEW_A", "30"),),
        Measure.DURATION_BUCKET_SUM: (counter(6000, "NEW_A"),),
    }
    runs = (active(state="NEW_STATE", run_type="NEW_TYPE"), active(state="QUEUED", queue_reason="NEW_REASON"))

    page = text(snapshot(workspace(facts(), counters=counters, active_runs=runs)))

    assert "NEW_" not in page
    assert 'job_name="orders",result="OTHER",workspace="prod"} 3.0' in page
    assert 'databricks_runs_started_total{run_type="OTHER",trigger="OTHER",workspace="prod"} 4.0' in page
    assert 'termination_code="OTHER",termination_type="OTHER",workspace="prod"} 5.0' in page
    assert 'databricks_run_duration_seconds_bucket{le="30.0",result="OTHER",workspace="prod"} 6.0' in page
    assert 'databricks_active_runs{run_type="OTHER",state="OTHER",workspace="prod"} 1.0' in page
    assert 'databricks_queued_runs{reason="OTHER",workspace="prod"} 1.0' in page


def test_buckets_are_cumulative() -> None:
    """The store keeps each bucket for itself; the page adds them up to the count."""
    counters = {
        Measure.DURATION_BUCKET: (
            counter(1, "SUCCESS", "30"),
            counter(2, "SUCCESS", "60"),
            counter(4, "SUCCESS", "+Inf"),
        ),
        Measure.DURATION_BUCKET_SUM: (counter(123_456, "SUCCESS"),),
    }

    page = text(snapshot(workspace(counters=counters)))

    for bound, number in (("30.0", 1), ("60.0", 3), ("120.0", 3), ("86400.0", 3), ("+Inf", 7)):
        labels = f'le="{bound}",result="SUCCESS",workspace="prod"'
        assert f"databricks_run_duration_seconds_bucket{{{labels}}} {number}.0\n" in page
    assert 'databricks_run_duration_seconds_count{result="SUCCESS",workspace="prod"} 7.0\n' in page
    assert 'databricks_run_duration_seconds_sum{result="SUCCESS",workspace="prod"} 123.456\n' in page


def test_equal_job_ids_of_two_workspaces_do_not_mix() -> None:
    """A job id means something only within its workspace."""

    def with_failures(name: str, job_name: str, failures: int) -> object:
        counters = {Measure.RUNS_FINISHED: (counter(failures, "FAILED", job_id="7"),)}
        return workspace(
            facts(name=job_name), name=name, counters=counters, active_runs=(active(),) * failures
        )

    shown = snapshot(with_failures("prod", "orders", 1), with_failures("lab", "trial", 2))  # type: ignore[arg-type]

    page = text(shown)

    finished = (
        'databricks_job_runs_finished_total{{job_id="7",job_name="{}",result="FAILED",workspace="{}"}} {}'
    )
    running = 'databricks_job_active_runs{{job_id="7",job_name="{}",workspace="{}"}} {}'
    for line in (finished, running):
        assert line.format("orders", "prod", 1.0) in page
        assert line.format("trial", "lab", 2.0) in page


def test_renamed_job_has_one_name() -> None:
    """After a rename all series of the job carry the new name, and its counters go on."""
    counters = {Measure.RUNS_FINISHED: (counter(9, "SUCCESS", job_id="7"),)}
    renamed = workspace(facts(name="new"), counters=counters, active_runs=(active(name="former"),))

    page = text(snapshot(renamed))

    assert {"", "new"} == set(re.findall(r'job_name="(.*?)"', page))
    assert 'job_name="new",result="SUCCESS",workspace="prod"} 9.0' in page


def test_oldest_runs() -> None:
    """The oldest active and the oldest queued run are told by their start."""
    runs = (
        active("1", started=at(-300)),
        active("2", started=at(-200), state="QUEUED"),
        active("3", started=at(-100), state="QUEUED"),
    )
    shown = snapshot(workspace(facts(), active_runs=runs))

    running = samples(shown, "databricks_job_oldest_active_run_start_timestamp_seconds")
    queued = samples(shown, "databricks_job_oldest_queued_run_timestamp_seconds")

    assert [at(-300).timestamp()] == list(running.values())
    assert [at(-200).timestamp()] == list(queued.values())


@pytest.mark.parametrize(
    ("result", "expected"),
    [("SUCCESS", [1.0]), ("SUCCESS_WITH_FAILURES", [1.0]), ("TIMEDOUT", [0.0]), ("CANCELED", []), ("", [])],
)
def test_last_run_success(result: str, expected: list[float]) -> None:
    """A cancelled run is neither a success nor a failure."""
    shown = samples(snapshot(workspace(facts(last_result=result))), "databricks_job_last_run_success")

    assert expected == list(shown.values())


def test_deleted_job_keeps_counters_and_info() -> None:
    """Nothing can alert on the state of a job that is gone, and no counter falls."""
    gone = facts(
        deleted=at(-60),
        last_result="FAILED",
        last_end=at(-90),
        consecutive_failures=3,
        agreement=Agreement(
            target=Target(sla=timedelta(minutes=1), source="tag"), team=Named(name="sales", source="tag")
        ),
    )
    shown = snapshot(workspace(gone, active_runs=(active(),)))

    names = set(re.findall(r'^(databricks_\w+){.*job_id="7"', text(shown), re.MULTILINE))

    assert {
        "databricks_job_info",
        "databricks_job_tags",
        "databricks_job_team_info",
        "databricks_job_run_duration_seconds_count",
        "databricks_job_run_duration_seconds_sum",
        "databricks_job_run_phase_seconds_total",
        "databricks_job_run_repairs_total",
        "databricks_job_runs_finished_total",
        "databricks_job_sla_breaches_total",
        "databricks_job_task_retries_total",
    } == names
    assert 'databricks_job_info{deleted="true"' in text(shown)


def test_no_personal_data() -> None:
    """Creators and identities stay in the store."""
    job = facts(definition={"creator": "ada@example.com", "run_as": "grace@example.com"})

    assert "@example.com" not in text(snapshot(workspace(job)))


def test_only_allowed_tags_become_labels() -> None:
    """Tags are closed by default; what is allowed gets a safe name and an empty value where a job lacks it."""
    tagged = facts(definition={"tags": {"team": "sales", "Cost-Center": "17", "secret": "x"}})
    shown = snapshot(workspace(tagged, facts("8", "plain")))

    found = samples(shown, "databricks_job_tags", tag_labels=("Cost-Center", "team"))

    assert [
        'job_id="7",job_name="orders",tag_cost_center="17",tag_team="sales",workspace="prod"',
        'job_id="8",job_name="plain",tag_cost_center="",tag_team="",workspace="prod"',
    ] == list(found)


def test_tags_that_become_equal_stay_apart() -> None:
    """Two allowed keys never share a label."""
    names = jobs.tag_names(options(tag_labels=("cost-center", "costCenter", "COST CENTER")))

    assert ("tag_cost_center", "tag_cost_center_conflict1", "tag_cost_center_conflict2") == names


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"task_runs": True}, "databricks_task_runs_finished_total"),
        ({"job_histograms": True}, "databricks_job_run_duration_distribution_seconds"),
        ({"tag_labels": ("team",)}, "databricks_job_tags"),
        ({"discounts": True}, "databricks_job_net_cost"),
        ({"discounts": True}, "databricks_usage_net_cost"),
    ],
)
def test_opt_in(given: dict[str, object], name: str) -> None:
    """What multiplies series appears only when it was asked for."""
    counters = {
        Measure.TASK_RUNS_FINISHED: (counter(1, "load", "SUCCESS", job_id="7"),),
        Measure.JOB_DURATION_BUCKET: (counter(1, "30", job_id="7"),),
    }
    used = bill([make_usage()], {"JOBS": Decimal("0.2")}, NOON)
    shown = snapshot(workspace(facts(), counters=counters, bill=used))
    nothing = {"task_runs": False, "job_histograms": False, "tag_labels": (), "discounts": False}

    assert name not in text(shown, **nothing)
    assert f"# TYPE {name} " in text(shown, **(nothing | given))


def test_collector_that_never_polled_is_down() -> None:
    """A workspace that was never reached alerts like one that cannot be reached any more."""
    shown = samples(snapshot(workspace(collectors=())), "databricks_exporter_collector_up")

    assert {'collector="live",workspace="prod"': 0.0} == shown


def test_collector_states() -> None:
    """The latest poll decides whether a collector is up, and the last success keeps its time."""
    failing = collector(Collector.DEFINITIONS, error="refused", last_success=at(-900))
    shown = snapshot(workspace(collectors=(collector(), failing)))

    assert [1.0, 0.0] == list(samples(shown, "databricks_exporter_collector_up").values())
    assert [at(-2).timestamp(), at(-900).timestamp()] == list(
        samples(shown, "databricks_exporter_collector_last_success_timestamp_seconds").values()
    )


def test_demo_says_so() -> None:
    """Numbers from the simulated workspace cannot be taken for real ones."""
    assert {"": 1.0} == samples(snapshot(), "databricks_exporter_demo_mode", demo=True)
    assert {"": 0.0} == samples(snapshot(), "databricks_exporter_demo_mode", demo=False)


def test_nothing_carries_a_sample_timestamp() -> None:
    """Sample timestamps would switch off the staleness handling of Prometheus."""
    page = text(snapshot(workspace(facts(last_end=NOON), active_runs=(active(),))))

    lines = [line for line in page.splitlines() if not line.startswith("#")]
    assert lines
    assert all(re.fullmatch(r"\w+({.*})? \S+", line) for line in lines)


def test_latest_run_stands_for_merged_counters() -> None:
    """Where two unknown words become one label, the run that ended last is the exemplar."""
    counters = {
        Measure.RUNS_FINISHED: (
            counter(1, "NEW_A", job_id="7", run_id="11", at=at(-20)),
            counter(1, "NEW_B", job_id="7", run_id="12", at=at(-10)),
            counter(1, "NEW_C", job_id="7", run_id="13", at=at(-30)),
        )
    }

    page = text(snapshot(workspace(facts(), counters=counters)), form=Format.OPENMETRICS)

    assert ["12"] == re.findall(r'result="OTHER",workspace="prod"} 3.0 # {run_id="(\d+)"}', page)
