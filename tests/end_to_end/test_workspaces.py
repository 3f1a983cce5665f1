"""Two workspaces whose jobs and runs have the same ids, in one process and one store, do not mix."""

from datetime import timedelta
from pathlib import Path

from collector.config import load
from collector.wiring import collectors
from simulator import Options, Simulator
from tests.end_to_end.collecting import FAST, catch_up, round_of, snapshot
from tests.end_to_end.program import configured, workspace
from tests.truth import counted, differences, expected, jobs_expected, jobs_shown

OPTIONS = Options(
    jobs=10,
    active_runs=5,
    seed=3,
    manual=True,
    history=timedelta(0),
    failure_rate=0.4,
    repair_rate=0,  # a repair that begins before the poll after the failure hides it until it ends
    job_changes_per_hour=0,
)


def test_equal_ids_in_two_workspaces_are_counted_apart(tmp_path: Path) -> None:
    """The counters of each workspace equal its own truth, though one lives on longer than the other."""
    with Simulator(OPTIONS) as first, Simulator(OPTIONS) as second:
        config = configured(
            tmp_path,
            workspace(tmp_path, first.url, first.token, name="first"),
            workspace(tmp_path, second.url, second.token, name="second"),
            polling=FAST,
        )
        worlds = {"first": first, "second": second}
        with collectors(load(config, {}), now=first.now) as built:
            round_of(built)
            for _ in range(10):
                first.advance(timedelta(minutes=2))
                second.advance(timedelta(minutes=1))
                round_of(built)
            catch_up(built)
        shown = {found.name: found for found in snapshot(f"sqlite:///{tmp_path}/store.db").workspaces}
        truths = {name: world.truth(shown[name].horizon) for name, world in worlds.items()}
        ids = {name: {str(job_id) for job_id in world.world.jobs} for name, world in worlds.items()}

    assert ids["first"] == ids["second"]
    assert expected(truths["first"]) != expected(truths["second"])
    for name, truth in truths.items():
        assert {} == differences(expected(truth), counted(shown[name]))
        assert {} == differences(jobs_expected(truth), jobs_shown(shown[name]))
        assert truth["totals"]["active"] == len(shown[name].active_runs)
