"""The first schema: workspaces, collectors, polls, jobs with their history, runs, attempts, counters."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=False) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]


def _flags(*names: str) -> list[sa.Column[bool]]:
    return [sa.Column(name, sa.Boolean, nullable=False) for name in names]


def upgrade() -> None:
    """Make all tables and indexes."""
    _workspaces()
    _jobs()
    _runs()
    _counters()


def downgrade() -> None:
    """Drop everything."""
    for table in (
        "counters",
        "attempts",
        "runs",
        "job_history",
        "jobs",
        "polls",
        "collectors",
        "workspaces",
        "store",
    ):
        op.drop_table(table)


def _workspaces() -> None:
    op.create_table(
        "store",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        *_numbers("born_ms"),
    )
    op.create_table(
        "workspaces",
        *_keys("name"),
        *_texts("host", "workspace_id"),
        *_numbers("horizon_ms", "revision"),
        *_texts("lease_holder"),
        *_numbers("lease_until_ms"),
    )
    op.create_table(
        "collectors",
        *_keys("workspace", "collector"),
        *_numbers("interval_ms", "last_start_ms", "last_duration_ms"),
        *_numbers("watermark_ms", "last_success_ms", nullable=True),
        *_texts("error", "message"),
    )
    op.create_table(
        "polls",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        *_texts("workspace", "collector"),
        *_numbers("started_ms", "duration_ms"),
        *_texts("error", "message"),
        *_numbers("requests", "seen", "changed"),
        *_flags("complete"),
    )
    op.create_index("polls_started", "polls", ["workspace", "started_ms"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        *_keys("workspace", "job_id"),
        *_texts("name", "definition"),
        *_numbers("sla_ms", nullable=True),
        *_texts("sla_source"),
        *_numbers("changed_ms"),
        *_numbers("deleted_ms", nullable=True),
        *_numbers("revision"),
    )
    op.create_index("jobs_revision", "jobs", ["workspace", "revision"])
    op.create_table(
        "job_history",
        *_keys("workspace", "job_id"),
        *_texts("name"),
        *_numbers("last_start_ms"),
        *_texts("last_run_id"),
        *_numbers("last_end_ms", nullable=True),
        *_texts("last_result"),
        *_numbers("last_duration_ms", "last_success_ms", nullable=True),
        *_numbers("consecutive_failures"),
        *_numbers("median_ms", "p90_ms", nullable=True),
        *_numbers("observations", "statistics_due_ms", "revision"),
    )
    op.create_index("job_history_revision", "job_history", ["workspace", "revision"])
    op.create_index("job_history_due", "job_history", ["workspace", "statistics_due_ms"])


def _runs() -> None:
    op.create_table(
        "runs",
        *_keys("workspace", "run_id"),
        *_texts("job_id", "run_type", "trigger", "name", "creator", "url"),
        *_numbers("started_ms"),
        *_numbers("ended_ms", nullable=True),
        *_texts("state", "queue_reason", "result", "termination_code", "termination_type", "message"),
        *_flags("open"),
        *_numbers("seen_ms"),
    )
    op.create_index("runs_started", "runs", ["workspace", "started_ms"])
    op.create_index("runs_job", "runs", ["workspace", "job_id", "started_ms"])
    op.create_index(
        "runs_open",
        "runs",
        ["workspace", "started_ms"],
        sqlite_where=sa.text("open = 1"),
        postgresql_where=sa.text("open"),
    )
    op.create_index(
        "runs_closed",
        "runs",
        ["workspace", "ended_ms"],
        sqlite_where=sa.text("open = 0"),
        postgresql_where=sa.text("NOT open"),
    )
    op.create_table(
        "attempts",
        *_keys("workspace", "run_id"),
        sa.Column("ended_ms", sa.BigInteger, primary_key=True, autoincrement=False),
        *_texts("job_id"),
        *_numbers("started_ms", "duration_ms", "queue_ms"),
        *_texts("result", "outcome", "termination_code", "termination_type"),
        *_flags("repair", "counted", "detailed"),
    )
    op.create_index("attempts_job", "attempts", ["workspace", "job_id", "outcome", "ended_ms", "duration_ms"])
    op.create_index(
        "attempts_undetailed",
        "attempts",
        ["workspace", "outcome", "ended_ms", "run_id"],
        sqlite_where=sa.text("counted = 1 AND detailed = 0"),
        postgresql_where=sa.text("counted AND NOT detailed"),
    )


def _counters() -> None:
    op.create_table(
        "counters",
        *_keys("workspace", "measure", "job_id", "labels"),
        *_numbers("value", "revision"),
        *_texts("exemplar_run_id"),
        *_numbers("exemplar_value_ms"),
        *_numbers("exemplar_at_ms", nullable=True),
    )
    op.create_index("counters_revision", "counters", ["workspace", "revision"])
