"""What the configuration and the tags of a job say arrives on the page, with the source that says so."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from collector.config import AgreementSettings, JobsSettings
from collector.wiring import collectors
from simulator import Options, Simulator
from tests.end_to_end.collecting import failures, page, round_of, settings, value

OPTIONS = Options(jobs=0, active_runs=0, manual=True, history=timedelta(0), one_time_rate=0)


def test_agreements_of_tags_and_configuration(tmp_path: Path) -> None:
    """SLA, budget, team and owner of each job come from its tags, else from the first table that names them."""
    store = f"sqlite:///{tmp_path}/store.db"
    with Simulator(OPTIONS) as simulator:
        simulator.control.create_job("etl daily", tags={"minutes": "20", "dbus": "7.5", "squad": "sales"})
        simulator.control.create_job("etl hourly", tags={"minutes": "soon", "who": "Grace"})
        configured = replace(
            settings(tmp_path, simulator, store),
            jobs=JobsSettings(sla_tag="minutes", budget_tag="dbus", team_tag="squad", owner_tag="who"),
            agreements=(
                AgreementSettings(jobs=("other",), team="nobody"),
                AgreementSettings(jobs=("tag:who",), budget_monthly_dbus=Decimal(100)),
                AgreementSettings(jobs=("etl .*",), sla=timedelta(minutes=30), team="data", owner="Ada"),
            ),
        )
        with collectors(configured, now=simulator.now) as built:
            assert set() == failures(round_of(built))
        shown = page(store, simulator.now())

    daily, hourly = {"job_name": "etl daily"}, {"job_name": "etl hourly"}
    assert 1200 == value(shown, "databricks_job_sla_seconds", source="tag", **daily)
    assert 1800 == value(shown, "databricks_job_sla_seconds", source="config", **hourly)
    assert 7.5 == value(shown, "databricks_job_budget_dbus", source="tag", **daily)
    assert 100 == value(shown, "databricks_job_budget_dbus", source="config", **hourly)
    assert 1 == value(shown, "databricks_job_team_info", team="sales", source="tag", **daily)
    assert 1 == value(shown, "databricks_job_team_info", team="data", source="config", **hourly)
    assert 1 == value(shown, "databricks_job_owner_info", job_owner="Ada", source="config", **daily)
    assert 1 == value(shown, "databricks_job_owner_info", job_owner="Grace", source="tag", **hourly)
