"""Invents jobs: names, tags, what starts them, what they run, and how well they do. All of it from one generator."""

from random import Random
from typing import Any

from simulator import dues
from simulator.clock import DAY_MS, HOUR_MS
from simulator.dues import Due
from simulator.options import Options
from simulator.runs import Job, NewId, TaskSpec

SUBJECTS = (
    "orders",
    "payments",
    "customers",
    "clicks",
    "inventory",
    "ledger",
    "sensors",
    "shipments",
    "tickets",
)
ACTS = ("ingest", "clean", "merge", "rollup", "export", "score", "train", "vacuum", "audit", "publish")
RHYTHMS = ("", "daily", "hourly", "eu", "us", "v2", "backfill")
TEAMS = ("data-platform", "finance", "growth", "logistics", "ml")
USERS = ("etl@example.com", "ana@example.com", "bo@example.com", "b3f1c0de-0000-4000-8000-000000000001")
KINDS = {
    "schedule": 48,
    "manual": 18,
    "periodic": 7,
    "file_arrival": 8,
    "table": 6,
    "model": 1,
    "job_completion": 3,
    "run_job": 6,
    "continuous": 3,
}
BODIES: tuple[dict[str, Any], ...] = (
    {"notebook_task": {"notebook_path": "/Jobs/main", "source": "WORKSPACE"}, "job_cluster_key": "main"},
    {"notebook_task": {"notebook_path": "/Jobs/load", "source": "GIT"}, "job_cluster_key": "main"},
    {"spark_python_task": {"python_file": "/Workspace/Jobs/load.py"}, "job_cluster_key": "main"},
    {"python_wheel_task": {"package_name": "etl", "entry_point": "run"}, "environment_key": "default"},
    {"sql_task": {"warehouse_id": "0a1b2c3d4e5f6071", "query": {"query_id": "7c1f"}}},
    {"dbt_task": {"commands": ["dbt run"], "project_directory": ""}, "environment_key": "default"},
    {"pipeline_task": {"pipeline_id": "4c9a2f1e", "full_refresh": False}},
)
MANY_TASKS = 130
MANY_TASKS_AT = 3
"""The place of the job that has more tasks than fit on a page."""


class Author:
    """Writes job after job, so that schedules together do not start more than the workspace shall run."""

    def __init__(self, rng: Random, new_id: NewId, options: Options) -> None:
        self._rng = rng
        self._new_id = new_id
        self._mean_ms = max(1, int(options.mean_duration.total_seconds() * 1000))
        self._failure_rate = options.failure_rate
        self._starts_per_day = 0.4 * options.active_runs * DAY_MS / self._mean_ms
        self._kinds = {
            kind: weight for kind, weight in KINDS.items() if kind != "model" or options.future_rate
        }
        self._continuous = max(1, options.active_runs // 10)
        self._names: list[str] = []

    def job(self, created_ms: int) -> Job:
        """The next job."""
        rng, place = self._rng, len(self._names)
        kind = rng.choices(list(self._kinds), list(self._kinds.values()))[0]
        self._continuous -= kind == "continuous"
        if place == MANY_TASKS_AT or (kind == "continuous" and self._continuous < 0):
            kind = "manual"
        due = self._due(kind, created_ms)
        typical_ms = int(self._mean_ms * rng.lognormvariate(-0.18, 0.6))
        many = MANY_TASKS if place == MANY_TASKS_AT else 0
        settings = self._settings(kind, due, typical_ms)
        self._names.append(settings["name"])
        return Job(
            job_id=self._new_id(),
            created_ms=created_ms,
            creator=rng.choice(USERS),
            settings=settings,
            tasks=tasks(rng, many or rng.choices((1, 2, 3, 4, 6, 12), (40, 20, 15, 12, 10, 3))[0]),
            kind=kind,
            due=due,
            typical_ms=typical_ms * (30 if kind == "continuous" else 1),
            failure_rate=min(0.95, self._failure_rate * rng.choices((0.3, 1, 6), (60, 32, 8))[0]),
        )

    def name(self) -> str:
        """A name; one in forty is taken already."""
        rng = self._rng
        if self._names and rng.random() < 0.025:
            return rng.choice(self._names)
        words = (rng.choice(SUBJECTS), rng.choice(ACTS), rng.choice(RHYTHMS))
        name = "_".join(word for word in words if word)
        return f"{name}_{len(self._names)}" if rng.random() < 0.9 else f"{name} (Größe “{len(self._names)}”)"

    def _due(self, kind: str, created_ms: int) -> Due | None:
        if kind == "periodic":
            due = Due(period_ms=self._rng.choice((1, 4, 24)) * HOUR_MS, phase_ms=created_ms % HOUR_MS)
        elif kind == "schedule":
            due = dues.draw(self._rng, self._starts_per_day)
        else:
            return None
        self._starts_per_day -= due.per_day
        return due

    def _settings(self, kind: str, due: Due | None, typical_ms: int) -> dict[str, Any]:
        rng = self._rng
        settings: dict[str, Any] = {
            "name": self.name(),
            "email_notifications": {},
            "format": "MULTI_TASK",
            "max_concurrent_runs": 1 if due or kind == "continuous" else rng.choice((1, 2, 10, 50)),
            "timeout_seconds": typical_ms * 6 // 1000 if rng.random() < 0.4 else 0,
            "queue": {"enabled": rng.random() < 0.85},
        }
        if tags := self._tags(typical_ms):
            settings["tags"] = tags
        if rng.random() < 0.3:
            rule = {
                "metric": "RUN_DURATION_SECONDS",
                "op": "GREATER_THAN",
                "value": max(1, typical_ms // 400),
            }
            settings["health"] = {"rules": [rule]}
        if rng.random() < 0.3:
            settings["parameters"] = [{"name": "day", "default": "today"}]
        if rng.random() < 0.01:
            settings["max_concurrent_runs"] = 0
        pause = "PAUSED" if rng.random() < 0.08 else "UNPAUSED"
        return settings | _start_of(kind, due, pause)

    def _tags(self, typical_ms: int) -> dict[str, str]:
        rng = self._rng
        tags = {"team": rng.choice(TEAMS)} if rng.random() < 0.8 else {}
        if rng.random() < 0.4:
            tags["sla_minutes"] = str(max(1, typical_ms * 2 // 60_000))
        if rng.random() < 0.25:
            tags["budget_monthly_dbus"] = str(rng.choice((50, 200, 1000, 12.5)))
        return tags


def tasks(rng: Random, count: int) -> tuple[TaskSpec, ...]:
    """So many tasks in up to four layers, each depending on one or two of the layer before."""
    depth = min(count, rng.choice((1, 2, 3, 4)) if count > 1 else 1)
    layers: list[list[str]] = [[] for _ in range(depth)]
    specs = []
    for place in range(count):
        layer = place % depth
        before = layers[layer - 1] if layer else []
        depends_on = tuple(sorted(rng.sample(before, min(len(before), rng.choice((1, 1, 2))))))
        spec = TaskSpec(
            key=f"step_{place}" if count > 1 else "main",
            layer=layer,
            depends_on=depends_on,
            body=rng.choice(BODIES),
            max_retries=rng.choice((0, 0, 1, 2)),
            retry_interval_ms=rng.choice((0, 2_000, 15_000)),
        )
        layers[layer].append(spec.key)
        specs.append(spec)
    return tuple(specs)


def _start_of(kind: str, due: Due | None, pause: str) -> dict[str, Any]:
    """The part of the settings that says what starts the job."""
    if kind == "continuous":
        return {"continuous": {"pause_status": pause, "task_retry_mode": "NEVER"}}
    if kind == "schedule" and due:
        schedule = {"quartz_cron_expression": due.expression, "timezone_id": due.zone, "pause_status": pause}
        return {"schedule": schedule}
    if kind == "periodic" and due:
        hours = due.period_ms // HOUR_MS
        every = {"interval": hours, "unit": "HOURS"} if hours < 24 else {"interval": 1, "unit": "DAYS"}
        return {"trigger": {"periodic": every, "pause_status": pause}}
    triggers: dict[str, dict[str, Any]] = {
        "file_arrival": {"file_arrival": {"url": "s3://landing/in/"}},
        "table": {"table_update": {"table_names": ["main.sales.orders"], "condition": "ANY_UPDATED"}},
        "model": {"model": {"aliases": ["champion"], "condition": "MODEL_ALIAS_SET"}},
        "job_completion": {"job_completion": {"condition": "ANY_UPDATED"}},
    }
    return {"trigger": triggers[kind] | {"pause_status": pause}} if kind in triggers else {}
