"""What a look at a single run shows, and an index that finds the runs that did not succeed among many that did."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

NOT_SUCCESS = "result NOT IN ('', 'SUCCESS')"


def upgrade() -> None:
    """Add the table and the index. Details of runs that are in the store already were never kept."""
    op.create_table(
        "run_details",
        sa.Column("workspace", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, primary_key=True),
        sa.Column("seen_ms", sa.BigInteger, nullable=False),
        sa.Column("details", sa.LargeBinary, nullable=False),
    )
    op.create_index("run_details_seen", "run_details", ["workspace", "seen_ms"])
    op.create_index(
        "runs_not_success",
        "runs",
        ["workspace", "started_ms"],
        sqlite_where=sa.text(NOT_SUCCESS),
        postgresql_where=sa.text(NOT_SUCCESS),
    )


def downgrade() -> None:
    """Forget the details."""
    op.drop_index("runs_not_success", "runs")
    op.drop_table("run_details")
