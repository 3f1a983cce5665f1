"""Every rule, evaluated by a real Prometheus that scrapes the real demo; only lengths of time are shorter."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.end_to_end.alerting import written
from tests.end_to_end.collecting import wait_until
from tests.end_to_end.program import started
from tests.end_to_end.test_prometheus import asked, prometheus
from tests.monitoring.rules import RULES, content, recorded
from tests.monitoring.sooner import duration, sooner
from tests.programs import program_named

FACTOR = 240
"""A second stands for four minutes, so that what is evaluated every quarter of an hour is evaluated every few seconds."""
CONFIG = """\
global:
  scrape_interval: 500ms
  evaluation_interval: 500ms
rule_files: [rules/*.yml]
scrape_configs:
  - job_name: databricks
    static_configs: [{{targets: ["{target}"]}}]
"""
ONLY_SOMETIMES = {
    "workspace_job_id:databricks_job_extra_runs:ratio_increase1d": "five repairs or retries of one job",
    "workspace_job_id:databricks_job_runs_success:ratio_increase7d": "five attempts of one job",
    "workspace:databricks_usage_complete_days:mtd": "three complete days of the month",
    "workspace:databricks_jobs_ended:count1h": "a job that has just ended a run",
    "workspace:databricks_jobs_failing:count1h": "a job that has just begun to fail",
    "workspace_job_id:databricks_job_due_timestamp_seconds:announced": "a due time that passes meanwhile",
    "workspace_job_id:databricks_job_due_timestamp_seconds:announced_before_grace": "the same",
    "workspace_job_id:databricks_job_due_timestamp_seconds:first_announced": "the same",
}
"""Records for which something has to happen that does not happen in every half minute of the demo."""


def empty(api: str, records: set[str]) -> set[str]:
    """The records that hold nothing yet."""
    return {
        name for name in records if not asked(api, "query", query=f"last_over_time({name}[1m])")["result"]
    }


def oldest_evaluation(api: str) -> datetime:
    """When the group that was evaluated longest ago was."""
    return min(datetime.fromisoformat(group["lastEvaluation"]) for group in asked(api, "rules")["groups"])


def test_every_rule_is_understood_and_every_record_has_data(tmp_path: Path) -> None:
    """No rule fails over the demo, each record holds what the demo has, and no description of an alert is broken."""
    program_named("prometheus")
    (tmp_path / "rules").mkdir()
    for file in RULES:
        written(tmp_path / "rules" / file.name, sooner(content(file), FACTOR))
    expected = recorded().keys() - ONLY_SOMETIMES.keys()

    with started(tmp_path, "demo", "--listen", "127.0.0.1:0") as program:
        target, lookback = program.address.removeprefix("http://"), duration("5m", FACTOR)
        with prometheus(tmp_path, CONFIG, f"--query.lookback-delta={lookback}", target=target) as api:
            wait_until(lambda: not empty(api, expected), 60)
            full = datetime.now(UTC) + timedelta(seconds=1)
            wait_until(lambda: oldest_evaluation(api) > full, 30)
            rules = [rule for group in asked(api, "rules")["groups"] for rule in group["rules"]]
            alerts = asked(api, "alerts")["alerts"]

    told = [text for alert in alerts for text in alert["annotations"].values()]
    assert set(ONLY_SOMETIMES) <= recorded().keys()
    assert [] == [(rule["name"], rule["lastError"]) for rule in rules if rule.get("lastError")]
    assert {"ok"} == {rule["health"] for rule in rules}
    assert {"DatabricksDemoData", "DatabricksJobFailing"} <= {
        alert["labels"]["alertname"] for alert in alerts
    }
    assert [] == [text for text in told if "<error" in text or "<no value>" in text or "{{" in text]
