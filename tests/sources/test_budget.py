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

    assert 0 < budget.take(reserve=0.5).own
    assert 0 == budget.take().own


def test_what_comes_in_until_the_next_poll_may_be_spent_now() -> None:
    """At 20 a second lists of 83 requests leave 17 of every 5 seconds to others, poll after poll."""
    time = Time()
    budget = Budget(20, monotonic=time)
    spared, delays = [], []

    for _ in range(10):
        delays.append(max(budget.take().own for _ in range(83)))
        spare = budget.spare(5, 83)
        waits = [budget.take().own for _ in range(spare)]
        assert max(waits) <= 2.5
        spared.append(spare)
        time.now += 5

    assert [0.0] * 10 == delays
    assert [34, *[17] * 9] == spared


@pytest.mark.parametrize(("seconds", "needed"), [(5, 1000), (0, 83), (-3, 83)])
def test_one_request_can_always_be_spared(seconds: float, needed: float) -> None:
    """Lists that take all there is slow others down and never stop them; only a 429 does."""
    budget = Budget(10, monotonic=Time())
    for _ in range(100):
        budget.take()

    assert 1 == budget.spare(seconds, needed)
    budget.throttled(3)
    assert 0 == budget.spare(seconds, needed)


def test_spare_requests_do_not_hold_up_a_poll_for_long() -> None:
    """Of a long interval at most half is spent on waiting for the last of them."""
    budget = Budget(10, monotonic=Time())

    spare = budget.spare(60, 0)

    assert 50 + 300 == spare
    assert 30 == [budget.take().own for _ in range(spare)][-1]


def test_429_pauses_everybody_and_halves_the_rate_once() -> None:
    """Several refusals of one moment are one; good answers bring the rate back slowly."""
    time = Time()
    budget = Budget(10, monotonic=time)
    budget.throttled(3)
    budget.throttled(2)

    assert 3 == budget.take().imposed
    assert 0 == budget.spare(5, 0)
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
