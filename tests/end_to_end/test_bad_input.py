"""Configuration, workspaces and answers that are wrong, met by the real command line."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from simulator import Control, Options, Simulator
from tests.end_to_end.program import configured, ended, started, workspace

SMALL = Options(jobs=4, active_runs=0, history=timedelta(hours=1), history_runs=10)


def test_every_mistake_of_a_configuration_is_listed(tmp_path: Path) -> None:
    """One line for each, with its place; exit code 2, and no store is made."""
    config = configured(
        tmp_path,
        {"name": "production", "host": "https://example.invalid", "token_file": "nowhere"},
        polling={"active_interval": "soon", "stale_afterr": "1m"},
        stroe={"url": "sqlite:///x.db"},
        log={"level": "loud"},
    )

    code, printed, said = ended(tmp_path, "run", "--config", config)

    assert 2 == code
    assert "" == printed
    places = ("active_interval", "stale_afterr", "[stroe]", "[log] level", "[[workspaces]] 1 token_file")
    lines = said.splitlines()
    assert len(places) == len(lines), said
    assert [] == [place for place in places if not any(place in line for line in lines)]
    assert [] == list(tmp_path.glob("*.db*"))


def wrong_token(control: Control) -> None:
    """The token is not accepted."""
    control.credentials(tokens=["another"])


def right_token(control: Control) -> None:
    """It is accepted again."""
    control.credentials(tokens=list(SMALL.tokens))


def missing_right(control: Control) -> None:
    """403 on everything."""
    control.fault("forbidden")


def no_fault(control: Control) -> None:
    """All is well."""
    control.clear_faults()


@pytest.mark.parametrize(("spoil", "mend"), [(wrong_token, right_token), (missing_right, no_fault)])
def test_a_workspace_that_fails_is_told_and_recovers_by_itself(
    spoil: Callable[[Control], None], mend: Callable[[Control], None], tmp_path: Path
) -> None:
    """The process stays up and ready, names workspace and reason in log and metrics, and needs no restart."""
    up = "databricks_exporter_collector_up"
    with Simulator(SMALL) as simulator:
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        spoil(simulator.control)
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for_failure("refused")
            program.wait_for(0, up, collector="definitions")
            program.wait_for(0, up, collector="live")
            ready = program.get("/-/ready")[0]
            said = [line for line in program.said.splitlines() if "level=warning" in line]
            mend(simulator.control)
            program.wait_for(1, up, collector="live")
            program.wait_for(1, up, collector="definitions")
            shown = program.value("databricks_job_active_runs")

    assert 200 == ready
    assert said
    assert all("workspace=production" in line and "error=refused" in line for line in said)
    assert 0 == shown


def test_a_host_that_nobody_answers_at_is_told_and_found_when_it_comes(tmp_path: Path) -> None:
    """A workspace that is started after the exporter is collected from then on."""
    up = "databricks_exporter_collector_up"
    with Simulator(SMALL) as gone:
        url, port = gone.url, int(gone.url.rpartition(":")[2])
    config = configured(tmp_path, workspace(tmp_path, url, SMALL.tokens[0]))

    with started(tmp_path, "run", "--config", config) as program:
        program.wait_for_failure("unreachable")
        program.wait_for(0, up, collector="live")
        ready = program.get("/-/ready")[0]
        with Simulator(SMALL, port=port):
            program.wait_for(1, up, collector="live")
            program.wait_for(1, up, collector="definitions")
            said = program.said

    assert 200 == ready
    assert "error=unreachable" in said
    assert "error=internal" not in said


def test_an_item_that_cannot_be_read_is_set_aside_and_counted(tmp_path: Path) -> None:
    """One run of a page without a usable start is counted as unreadable; the others of the page are shown."""
    unreadable = "databricks_exporter_unreadable_items_total"
    with Simulator(SMALL) as simulator:
        control = simulator.control
        control.create_job("orders", max_concurrent_runs=10)
        for number in range(5):
            control.start(f"run {number}", "orders")
        config = configured(tmp_path, workspace(tmp_path, simulator.url, simulator.token))
        with started(tmp_path, "run", "--config", config) as program:
            program.wait_for(5, "databricks_active_runs")
            before = program.value(unreadable)
            control.fault("unreadable", count=1)
            program.wait_for(1, unreadable, collector="live")
            up = program.value("databricks_exporter_collector_up", collector="live")
            program.wait_for(5, "databricks_active_runs")

    assert 0 == before
    assert 1 == up
