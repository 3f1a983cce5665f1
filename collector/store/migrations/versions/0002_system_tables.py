"""What the system tables bring: how far each was read, usage by day and job, attempts that only they have shown."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = ("sources", "usage", "job_usage", "product_usage", "job_spending", "bills")
TEXTS_OF_JOBS = ("run_as", "budget_source", "team", "team_source", "owner", "owner_source")
NEW_OF_ATTEMPTS = ("measured", "by_tables", "retries")


def _keys(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, primary_key=True) for name in names]


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text, nullable=nullable) for name in names]


def _numbers(*names: str, nullable: bool = False) -> list[sa.Column[int]]:
    return [sa.Column(name, sa.BigInteger, nullable=nullable) for name in names]


def upgrade() -> None:
    """Add columns and tables. What is in the store was shown by the Jobs API, and is measured where it is detailed."""
    _add_columns(
        "jobs",
        [
            sa.Column("origin", sa.Text, nullable=False, server_default="jobs_api"),
            sa.Column("run_as", sa.Text, nullable=False, server_default=""),
            sa.Column("budget_dbus", sa.Text),
            *(sa.Column(name, sa.Text, nullable=False, server_default="") for name in TEXTS_OF_JOBS[1:]),
        ],
    )
    _add_columns(
        "attempts",
        [
            *(
                sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())
                for name in ("measured", "by_tables")
            ),
            sa.Column("retries", sa.BigInteger, nullable=False, server_default="0"),
        ],
    )
    _drop_columns("attempts", ("repair",))  # told by the order of a run's attempts
    op.execute("UPDATE attempts SET measured = detailed")
    # a definition without the time of creation was made from runs alone
    jobs = sa.table("jobs", sa.column("origin"), sa.column("definition"))
    op.execute(jobs.update().where(jobs.c.definition.contains('"created":null')).values(origin="runs"))
    op.create_table(
        "sources",
        *_keys("workspace", "source"),
        *_numbers("watermark_ms", "newest_ms", nullable=True),
        *_texts("error", "message"),
    )
    op.create_table(
        "usage",
        *_keys("workspace"),
        sa.Column("day", sa.Date, primary_key=True),
        *_keys("job_id", "product", "sku", "unit", "currency"),
        *_texts("quantity"),
        *_texts("cost", nullable=True),
    )
    op.create_table(
        "job_usage",
        *_keys("workspace", "job_id", "window", "currency"),
        *_texts("dbus"),
        *_texts("cost", "net_cost", nullable=True),
    )
    op.create_table(
        "product_usage",
        *_keys("workspace", "product", "sku", "unit", "window", "currency"),
        sa.Column("attributed", sa.Boolean, primary_key=True),
        *_texts("quantity"),
        *_texts("cost", "net_cost", nullable=True),
    )
    op.create_table(
        "job_spending",
        *_keys("workspace", "job_id"),
        *_texts("daily_p90_dbus", "since_success_dbus", nullable=True),
        *_numbers("success_ms", nullable=True),
    )
    op.create_table("bills", *_keys("workspace"), *_numbers("made_ms", "complete_until_ms"))


def downgrade() -> None:
    """Forget what the system tables brought."""
    for table in TABLES:
        op.drop_table(table)
    _drop_columns("attempts", NEW_OF_ATTEMPTS)
    _add_columns("attempts", [sa.Column("repair", sa.Boolean, nullable=False, server_default=sa.false())])
    _drop_columns("jobs", ("origin", "budget_dbus", *TEXTS_OF_JOBS))


def _add_columns(table: str, columns: list[sa.Column[Any]]) -> None:
    """With a value for the rows that are there, but no default for those to come."""
    with op.batch_alter_table(table) as batch:
        for column in columns:
            batch.add_column(column)
    with op.batch_alter_table(table) as batch:
        for column in columns:
            if column.server_default is not None:
                batch.alter_column(column.name, server_default=None)


def _drop_columns(table: str, names: tuple[str, ...]) -> None:
    with op.batch_alter_table(table) as batch:
        for name in names:
            batch.drop_column(name)
