"""The request budget, on a clock that the test moves."""

import pytest

from collector.sources.budget import Budget


class Time:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_free_and_then_the_rate_holds() -> None:
    """Five seconds' worth at once, then one request per tenth of a second."""
    budget = Budget(10, monotonic=Time())

    waits = [budget.take().own for _ in range(53)]

    assert [0.0] * 50 == waits[:50]
    assert pytest.approx([0.1, 0.2, 0.3]) == waits[50:]


def test_a_reserve_is_left_for_others() -> None:
    """Who reserves waits while others still may send."""
    budget = Budget(10, monotonic=Time())
    for _ in range(25):
        budget.take()

    assert 0 == budget.spare(0.5)
    assert 0 < budget.take(reserve=0.5).own
    assert 0 == budget.take().own


def test_429_pauses_everybody_and_halves_the_rate_once() -> None:
    """Several refusals of one moment are one; good answers bring the rate back slowly."""
    time = Time()
    budget = Budget(10, monotonic=time)
    budget.throttled(3)
    budget.throttled(2)

    assert 3 == budget.take().imposed
    assert 0 == budget.spare(0.0)
    time.now = 3.0
    assert 0 == budget.take().imposed
    for _ in range(49):
        budget.take()
    assert pytest.approx(0.2) == budget.take().own
    for _ in range(100):
        budget.answered()
    assert pytest.approx(0.2) == budget.take().own


def test_the_rate_never_falls_to_nothing() -> None:
    """Even a workspace that always refuses is asked again now and then."""
    time = Time()
    budget = Budget(10, monotonic=time)

    for _ in range(20):
        time.now += 10
        budget.throttled(1)

    assert 0.5 == budget._rate
