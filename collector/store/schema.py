"""The tables, described once for SQLite and PostgreSQL. Instants and spans are integer milliseconds, ids are text.

The partial indexes keep what a poll reads small however many runs are held: open runs, attempts without details.
A change here needs a migration beside it; a test compares the two.
"""

from decimal import Decimal

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Dialect,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    text,
)


def storable(value: str) -> str:
    """The text with a mark in place of what databases and UTF-8 cannot hold."""
    whole = value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    return whole.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in whole else whole


class PlainText(TypeDecorator[str]):
    """Text that both databases can hold: without NUL and without halves of surrogate pairs.

    Names and messages come from users of the workspace; one that cannot be stored would fail every poll that sees it.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The value with what cannot be stored replaced."""
        return None if value is None else storable(value)


class ExactDecimal(TypeDecorator[Decimal]):
    """A decimal as text, because SQLite has no exact one: usage and money are never rounded."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - the signature is SQLAlchemy's
        """The digits, without exponent."""
        return None if value is None else f"{value:f}"

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:  # noqa: ARG002 - as above
        """The decimal of the digits."""
        return None if value is None else Decimal(value)


METADATA = MetaData()
NOT_SUCCESS = "result NOT IN ('', 'SUCCESS')"
"""What the index of runs that did not succeed holds; a query that repeats it to the letter is read from there."""
SERIAL = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only in a column that is declared INTEGER."""


def _key(name: str) -> Column[str]:
    return Column(name, Text, primary_key=True)


def _text(name: str) -> Column[str]:
    return Column(name, PlainText, nullable=False)


def _exact(name: str, *, nullable: bool = False) -> Column[Decimal]:
    return Column(name, ExactDecimal, nullable=nullable)


def _number(name: str, *, nullable: bool = False) -> Column[int]:
    return Column(name, BigInteger, nullable=nullable)


def _flag(name: str) -> Column[bool]:
    return Column(name, Boolean, nullable=False)


store = Table(
    "store",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),  # one row, 1
    _number("born_ms"),  # when the first workspace was registered
)

workspaces = Table(
    "workspaces",
    METADATA,
    _key("name"),
    _text("host"),
    _text("workspace_id"),
    _number("horizon_ms"),
    _number("revision"),  # rises with every transaction that writes for this workspace
    _text("lease_holder"),
    _number("lease_until_ms"),
)

collectors = Table(
    "collectors",
    METADATA,
    _key("workspace"),
    _key("collector"),
    _number("interval_ms"),
    _number("last_start_ms"),
    _number("last_duration_ms"),
    _number("watermark_ms", nullable=True),  # start of the last successful poll
    _number("last_success_ms", nullable=True),  # end of the last successful poll
    _text("error"),
    _text("message"),
)

polls = Table(
    "polls",
    METADATA,
    Column("id", SERIAL, primary_key=True),
    _text("workspace"),
    _text("collector"),
    _number("started_ms"),
    _number("duration_ms"),
    _text("error"),
    _text("message"),
    _number("requests"),
    _number("seen"),
    _number("changed"),
    _flag("complete"),
    Index("polls_started", "workspace", "started_ms"),
)

jobs = Table(
    "jobs",
    METADATA,
    _key("workspace"),
    _key("job_id"),
    _text("name"),
    _text("definition"),  # JSON, see definitions.py
    _number("sla_ms", nullable=True),
    _text("sla_source"),
    _number("changed_ms"),  # when it was first seen as it is
    _number("deleted_ms", nullable=True),
    _number("revision"),
    _text("origin"),  # jobs_api; system_tables or runs for a job that no list has shown yet
    _text("run_as"),  # of the system tables: the list does not tell it
    _exact("budget_dbus", nullable=True),  # per month
    _text("budget_source"),
    _text("team"),
    _text("team_source"),
    _text("owner"),
    _text("owner_source"),
    Index("jobs_revision", "workspace", "revision"),
)

job_history = Table(
    "job_history",
    METADATA,
    _key("workspace"),
    _key("job_id"),
    _text("name"),  # of the run that started last
    _number("last_start_ms"),
    _text("last_run_id"),  # of the attempt that ended last
    _number("last_end_ms", nullable=True),
    _text("last_result"),
    _number("last_duration_ms", nullable=True),
    _number("last_success_ms", nullable=True),
    _number("consecutive_failures"),
    _number("median_ms", nullable=True),
    _number("p90_ms", nullable=True),
    _number("observations"),
    _number("statistics_due_ms"),  # when the three before must be computed again; 0 for at once
    _number("revision"),
    Index("job_history_revision", "workspace", "revision"),
    Index("job_history_due", "workspace", "statistics_due_ms"),
)

runs = Table(
    "runs",
    METADATA,
    _key("workspace"),
    _key("run_id"),
    _text("job_id"),
    _text("run_type"),
    _text("trigger"),
    _text("name"),
    _text("creator"),
    _text("url"),
    _number("started_ms"),
    _number("ended_ms", nullable=True),  # null while active, and of a run that Databricks forgot
    _text("state"),
    _text("queue_reason"),
    _text("result"),
    _text("termination_code"),
    _text("termination_type"),
    _text("message"),
    _flag("open"),
    _number("seen_ms"),  # when it last changed
    Index("runs_started", "workspace", "started_ms"),
    Index("runs_job", "workspace", "job_id", "started_ms"),
    Index(
        "runs_open",
        "workspace",
        "started_ms",
        sqlite_where=text("open = 1"),
        postgresql_where=text("open"),
    ),
    Index(
        "runs_closed",
        "workspace",
        "ended_ms",
        sqlite_where=text("open = 0"),
        postgresql_where=text("NOT open"),
    ),
    Index(
        "runs_not_success",
        "workspace",
        "started_ms",
        sqlite_where=text(NOT_SUCCESS),
        postgresql_where=text(NOT_SUCCESS),
    ),
)

run_details = Table(
    "run_details",
    METADATA,
    _key("workspace"),
    _key("run_id"),
    _number("seen_ms"),  # when they were read
    Column("details", LargeBinary, nullable=False),  # compressed JSON, see details.py
    Index("run_details_seen", "workspace", "seen_ms"),
)

attempts = Table(
    "attempts",
    METADATA,
    _key("workspace"),
    _key("run_id"),
    Column("ended_ms", BigInteger, primary_key=True, autoincrement=False),
    _text("job_id"),
    _number("started_ms"),
    _number("duration_ms"),
    _number("queue_ms"),
    _text("result"),
    _text("outcome"),  # success, failure or neither, as the vocabulary had it when it was written
    _text("termination_code"),
    _text("termination_type"),
    _flag("counted"),
    _flag("detailed"),
    _flag("measured"),  # its duration, and what follows from it, is counted or, for history, recorded
    _flag("by_tables"),  # the system tables brought it
    _number("retries"),  # of its tasks, as far as they are known
    Index("attempts_job", "workspace", "job_id", "outcome", "ended_ms", "duration_ms"),
    Index(
        "attempts_undetailed",
        "workspace",
        "outcome",
        "ended_ms",
        "run_id",
        sqlite_where=text("counted = 1 AND detailed = 0"),
        postgresql_where=text("counted AND NOT detailed"),
    ),
)

counters = Table(
    "counters",
    METADATA,
    _key("workspace"),
    _key("measure"),
    _key("job_id"),
    _key("labels"),  # JSON array, ASCII, without spaces
    _number("value"),
    _number("revision"),
    _text("exemplar_run_id"),
    _number("exemplar_value_ms"),
    _number("exemplar_at_ms", nullable=True),
    Index("counters_revision", "workspace", "revision"),
)

sources = Table(
    "sources",
    METADATA,
    _key("workspace"),
    _key("source"),  # a query on the system tables
    _number(
        "watermark_ms", nullable=True
    ),  # up to when it was read: the start of its last successful reading
    _number("newest_ms", nullable=True),  # the latest instant that any of its records tells of
    _text("error"),  # bounded reason of the last failure, empty after a success
    _text("message"),
)

usage = Table(
    "usage",
    METADATA,
    _key("workspace"),
    Column("day", Date, primary_key=True),  # usage_date
    _key("job_id"),  # empty where the usage belongs to no job
    _key("product"),  # billing_origin_product
    _key("sku"),
    _key("unit"),
    _key("currency"),  # empty where there is no list price
    _exact("quantity"),  # net of corrections
    _exact("cost", nullable=True),  # list cost; null without a price
)

job_usage = Table(
    "job_usage",
    METADATA,
    _key("workspace"),
    _key("job_id"),
    _key("window"),
    _key("currency"),  # empty for the part without a list price
    _exact("dbus"),
    _exact("cost", nullable=True),
    _exact("net_cost", nullable=True),  # less the configured discounts
)

product_usage = Table(
    "product_usage",
    METADATA,
    _key("workspace"),
    _key("product"),
    _key("sku"),
    _key("unit"),
    _key("window"),
    _key("currency"),  # empty for the part without a list price
    Column("attributed", Boolean, primary_key=True),  # whether it belongs to a job
    _exact("quantity"),
    _exact("cost", nullable=True),
    _exact("net_cost", nullable=True),
)

job_spending = Table(
    "job_spending",
    METADATA,
    _key("workspace"),
    _key("job_id"),
    _exact("daily_p90_dbus", nullable=True),
    _exact("since_success_dbus", nullable=True),  # null when nobody could say
    _number("success_ms", nullable=True),  # the success from which that is reckoned; null without one
)

bills = Table(
    "bills",
    METADATA,
    _key("workspace"),
    _number("made_ms"),  # when the three tables before were computed
    _number("complete_until_ms"),  # the end of the last complete day
)
