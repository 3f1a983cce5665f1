"""What a job is held to, and who says so."""

from datetime import timedelta
from decimal import Decimal

import pytest

from collector.core.agreement import Rule, Words, agreement
from collector.core.model import Agreement, Budget, Named, Target
from tests.make import make_job

WORDS = Words(sla_tag="sla_minutes", budget_tag="dbus", team_tag="team", owner_tag="owner")


@pytest.mark.parametrize(
    ("tag", "rule", "expected"),
    [
        ("30", 60, (1800, "tag")),
        (" 1.5 ", 0, (90, "tag")),
        ("soon", 60, (60, "health_rule")),
        ("-3", 60, (60, "health_rule")),
        ("nan", 60, (60, "health_rule")),
        ("0.000001", 60, (60, "health_rule")),
        ("1e300", 60, (60, "health_rule")),
        ("inf", 0, (7200, "config")),
        ("", 0, (7200, "config")),
    ],
)
def test_the_target_is_the_tag_then_the_health_rule_then_the_configuration(
    tag: str, rule: int, expected: tuple[float, str]
) -> None:
    """A tag that is no number of minutes is as good as none."""
    job = make_job(tags={"sla_minutes": tag}, expected_duration=timedelta(seconds=rule))
    words = Words(sla_tag="sla_minutes", rules=(Rule(jobs=(".*",), sla=timedelta(hours=2)),))

    target = agreement(job, words).target

    assert target
    assert expected == (target.sla.total_seconds(), target.source)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("100", ("100", "tag")),
        (" 0.1 ", ("0.1", "tag")),
        ("0", ("7", "config")),
        ("-5", ("7", "config")),
        ("100 DBU", ("7", "config")),
        ("1,000", ("7", "config")),
        ("NaN", ("7", "config")),
        ("sNaN", ("7", "config")),
        ("Infinity", ("7", "config")),
        ("1e999999999", ("7", "config")),
        ("1e-999999999", ("7", "config")),
        ("", ("7", "config")),
    ],
)
def test_the_budget_is_the_tag_then_the_configuration(tag: str, expected: tuple[str, str]) -> None:
    """A budget is exact, and a tag that is no amount above 0 is as good as none."""
    words = Words(budget_tag="dbus", rules=(Rule(jobs=(".*",), budget=Decimal(7)),))

    budget = agreement(make_job(tags={"dbus": tag}), words).budget

    assert budget
    assert expected == (str(budget.dbus), budget.source)


def test_team_and_owner_are_trimmed() -> None:
    """White space around a name is no part of it, and alone it is no name."""
    said = agreement(make_job(tags={"team": " data ", "owner": " \t"}), WORDS)

    assert Agreement(team=Named(name="data", source="tag")) == said


def test_nobody_says_anything() -> None:
    """Without tags, health rule and configuration a job is held to nothing."""
    assert Agreement() == agreement(make_job(), WORDS)


def test_a_tag_without_key_is_switched_off() -> None:
    """An empty setting means that there is no such tag, not a tag with an empty key."""
    assert Agreement() == agreement(make_job(tags={"": "5"}), Words())


def test_each_part_comes_from_the_first_rule_that_says_it() -> None:
    """Rules that pick the job fill in what earlier ones and its tags leave open."""
    words = Words(
        team_tag="team",
        rules=(
            Rule(jobs=("other",), owner="nobody", sla=timedelta(minutes=1)),
            Rule(jobs=("tag:tier=1", "no such"), budget=Decimal(100), team="unused"),
            Rule(jobs=("ord.*",), budget=Decimal(5), sla=timedelta(minutes=30)),
            Rule(jobs=("orders",), owner="Ada", sla=timedelta(minutes=60)),
        ),
    )

    said = agreement(make_job(name="orders", tags={"tier": "1", "team": "sales"}), words)

    expected = Agreement(
        target=Target(sla=timedelta(minutes=30), source="config"),
        budget=Budget(dbus=Decimal(100), source="config"),
        team=Named(name="sales", source="tag"),
        owner=Named(name="Ada", source="config"),
    )
    assert expected == said
