"""The demo: a simulated workspace, and the exporter pointed at it like at any other."""

import tempfile
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from collector.config import ConfigError, load
from collector.logs import configure
from databricks_jobs_exporter import commands
from simulator.api import WAREHOUSE_ID
from simulator.client import Control
from simulator.options import Options
from simulator.server import Simulator

CONFIG = """\
[server]
listen = "{listen}"

[store]
url = "sqlite:///{folder}/demo.db"

[[workspaces]]
name = "demo"
host = "{url}"
token_file = "{folder}/token"
warehouse_id = "{warehouse}"
"""
HISTORY, RUNS = timedelta(days=40), 3000
"""How far back the simulated workspace has a past, for medians and cost, and how many runs lie in it."""
WAREHOUSE_NEEDS = ("duckdb", "pyarrow", "sqlglot")
"""What the simulated SQL warehouse runs on, which an exporter of real workspaces does without."""
BROKEN = "forecast_train"
"""A job that fails as long as the demo runs: by chance alone there may be none."""


def demo(*, jobs: int, active_runs: int, seed: int, listen: str) -> int:
    """Serve the simulated workspace's metrics until stopped.

    Raises ConfigError for an address that is none, and for packages that are not installed.
    """
    if missing := [name for name in WAREHOUSE_NEEDS if find_spec(name) is None]:
        raise ConfigError(
            [f"demo: it needs {', '.join(missing)}; pip install 'databricks-jobs-exporter[demo]'"]
        )
    options = Options(jobs=jobs, active_runs=active_runs, seed=seed, history=HISTORY, history_runs=RUNS)
    with (
        tempfile.TemporaryDirectory(prefix="databricks-jobs-demo-") as folder,
        Simulator(options) as workspace,
    ):
        _break_a_job(workspace.control)
        Path(folder, "token").write_text(workspace.token, encoding="utf-8")
        config = Path(folder, "config.toml")
        config.write_text(
            CONFIG.format(listen=listen, folder=folder, url=workspace.url, warehouse=WAREHOUSE_ID),
            encoding="utf-8",
        )
        settings = load(config, {})
        configure(settings.log.format, settings.log.level, settings.secrets)
        print(
            f"a simulated workspace with {jobs} jobs: http://{settings.server.host}:{settings.server.port}/metrics"
        )
        return commands.run(settings, demo=True)


def _break_a_job(control: Control) -> None:
    control.create_job(BROKEN, tags={"team": "ml"})
    for run in ("breaks", "is still broken"):
        control.start(run, BROKEN)
        control.finish(run, "FAILED", message="Task main failed: no such table: features.weather_v3")
