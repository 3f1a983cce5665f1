"""Rows become values, exactly, or are set aside alone."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from collector.core.vocabulary import RESULTS, recorded_result
from collector.sources import records
from collector.sources.fields import UnreadableItemError

NOON_MS = 1_795_435_200_000
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


def attempt_row(**given: Any) -> dict[str, Any]:
    return {
        "run_id": "7",
        "attempt": 0,
        "job_id": "3",
        "run_type": "JOB_RUN",
        "run_name": "nightly",
        "trigger_type": "CRON",
        "run_start_ms": NOON_MS,
        "start_ms": NOON_MS,
        "end_ms": NOON_MS + 1000,
        "duration_ms": 1000,
        "result_state": "SUCCEEDED",
        "termination_code": "SUCCESS",
        "termination_type": "SUCCESS",
    } | given


def job_row(**given: Any) -> dict[str, Any]:
    columns = (
        "creator_user_name run_as_user_name create_ms delete_ms tags trigger_type quartz_cron_expression timezone_id "
        "periodic_interval periodic_units continuous_enabled file_arrival_url table_update_condition paused "
        "timeout_seconds expected_duration_seconds"
    )
    return dict.fromkeys(columns.split()) | {"job_id": "3", "name": "nightly", "change_ms": NOON_MS} | given


def usage_row(**given: Any) -> dict[str, Any]:
    return {
        "usage_date": date(2026, 11, 23),
        "job_id": "3",
        "product": "JOBS",
        "sku_name": "S",
        "usage_unit": "DBU",
        "currency_code": "USD",
        "price": Decimal("0.15"),
        "quantity": Decimal(2),
        "newest_ms": NOON_MS,
    } | given


@pytest.mark.parametrize(
    ("state", "code", "result"),
    [
        ("SUCCEEDED", "SUCCESS", "SUCCESS"),
        ("SUCCEEDED", "SUCCESS_WITH_FAILURES", "SUCCESS_WITH_FAILURES"),
        ("FAILED", "RUN_EXECUTION_ERROR", "FAILED"),
        ("TIMED_OUT", "CANCELLED", "TIMEDOUT"),
        ("CANCELLED", "USER_CANCELED", "CANCELED"),
        ("ERROR", "INTERNAL_ERROR", "INTERNAL_ERROR"),
        ("BLOCKED", "SKIPPED", "UPSTREAM_FAILED"),
        ("SKIPPED", "SKIPPED", "SKIPPED"),
        ("SKIPPED", "MAX_CONCURRENT_RUNS_EXCEEDED", "MAXIMUM_CONCURRENT_RUNS_REACHED"),
        ("SKIPPED", "DISABLED", "DISABLED"),
    ],
)
def test_results_are_spelled_as_the_jobs_api_does(state: str, code: str, result: str) -> None:
    """Every documented word of the tables becomes a known word of the API."""
    assert result == recorded_result(state, code)
    assert result in RESULTS


def test_words_that_nobody_knows_are_kept() -> None:
    """They are for whoever counts unknown values."""
    run = records.run([attempt_row(result_state="ROLLED_BACK", termination_code="NEW", trigger_type="MODEL")])

    assert run.latest is not None
    assert ("ROLLED_BACK", "NEW", "MODEL") == (run.latest.result, run.latest.termination_code, run.trigger)


def test_attempts_are_in_the_order_of_their_end() -> None:
    """The first is the original pass, the others are repairs, and the run ends with the last."""
    rows = [
        attempt_row(attempt=1, start_ms=NOON_MS + 5000, end_ms=NOON_MS + 9000),
        attempt_row(result_state="FAILED"),
    ]

    run = records.run(rows)

    assert ["FAILED", "SUCCESS"] == [item.result for item in run.history or ()]
    assert (NOON, NOON + timedelta(seconds=9)) == (run.started, run.ended)


@pytest.mark.parametrize(
    "broken",
    [
        {"run_id": None},
        {"run_id": "abc"},
        {"job_id": 3},
        {"start_ms": None},
        {"end_ms": -1},
        {"end_ms": 10**17},
        {"duration_ms": "long"},
        {"duration_ms": 10**16},
        {"run_start_ms": True},
    ],
)
def test_a_run_that_cannot_be_counted_is_unreadable(broken: dict[str, object]) -> None:
    """A row without what counting needs is an error of its own, whatever it holds."""
    with pytest.raises(UnreadableItemError):
        records.run([attempt_row(**broken)])


def test_text_that_no_database_can_hold_is_replaced() -> None:
    """NUL becomes a sign of replacement."""
    assert "a\ufffdb" == records.run([attempt_row(run_name="a\0b")]).name


@pytest.mark.parametrize(
    ("columns", "kind"),
    [
        ({"trigger_type": "CRON"}, "SCHEDULE"),
        ({"trigger_type": "TABLE"}, "TABLE_UPDATE"),
        ({"trigger_type": "CONTINUOUS"}, "CONTINUOUS"),
        ({"trigger_type": "MODEL"}, "MODEL"),
        ({"quartz_cron_expression": "0 0 0 * * ?"}, "SCHEDULE"),
        ({"continuous_enabled": False}, "CONTINUOUS"),
        ({"periodic_units": "DAYS"}, "PERIODIC"),
        ({}, ""),
    ],
)
def test_triggers_are_those_of_the_settings(columns: dict[str, object], kind: str) -> None:
    """The kind is told in the words of a job's settings, also where only the settings tell it."""
    assert kind == records.job(job_row(**columns)).job.trigger_type


def test_tags_that_are_no_map_are_unreadable() -> None:
    """A job whose tags cannot be read is set aside."""
    with pytest.raises(UnreadableItemError):
        records.job(job_row(tags="[1]"))


def test_money_is_exact_at_its_largest() -> None:
    """The product of two numbers of 38 digits has them all, and a second price adds to it."""
    digits = 12345678901234567890123456789012345678
    large = Decimal(digits).scaleb(-18, records.EXACT)
    tiny = Decimal("1E-18")

    (used,) = records.usage([usage_row(quantity=large, price=large), usage_row(quantity=-tiny, price=tiny)])

    assert digits - 1 == used.quantity.scaleb(18, records.EXACT)
    assert digits**2 - 1 == (used.cost or Decimal(0)).scaleb(36, records.EXACT)


def test_usage_is_split_by_currency() -> None:
    """What has no price is apart, without a cost; what is down to nothing is there."""
    rows = [
        usage_row(),
        usage_row(currency_code=None, price=None, newest_ms=NOON_MS + 1),
        usage_row(currency_code="EUR", quantity=Decimal(0)),
    ]

    found = {item.currency: (item.quantity, item.cost) for item in records.usage(rows)}

    assert {"USD": (2, Decimal("0.30")), "": (2, None), "EUR": (0, 0)} == found


@pytest.mark.parametrize(
    "broken",
    [{"quantity": 1.5}, {"quantity": Decimal("NaN")}, {"usage_date": "2026-11-23"}, {"newest_ms": None}],
)
def test_usage_that_is_no_number_is_unreadable(broken: dict[str, object]) -> None:
    """A float, or no number, is not guessed at."""
    with pytest.raises(UnreadableItemError):
        records.usage([usage_row(**broken)])
