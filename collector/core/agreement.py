"""What a job is held to, and who answers for it: its tags say so, else its health rule, else the configuration.

A tag that cannot be read is as good as none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal, InvalidOperation

from collector.core.model import MILLISECOND, Agreement, Budget, Job, Named, Target
from collector.core.selector import any_selects

LEAST_BUDGET, MOST_BUDGET = Decimal("1e-6"), Decimal("1e15")
"""Beyond these nobody means it, and an exponent of nine digits would fill the memory with zeros."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the configuration says about some jobs; None and empty where it says nothing."""

    jobs: tuple[str, ...]
    """Selectors; one that picks the job suffices."""
    sla: timedelta | None = None
    budget: Decimal | None = None
    """DBUs per month."""
    team: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """In which words agreements are written: the keys of tags, empty for none, and the rules of the configuration."""

    sla_tag: str = ""
    """Minutes."""
    budget_tag: str = ""
    """DBUs per month."""
    team_tag: str = ""
    owner_tag: str = ""
    rules: tuple[Rule, ...] = ()
    """The first that picks a job and says something gives it."""


def agreement(job: Job, words: Words) -> Agreement:
    """What the job is held to, each part with the source that says so."""
    rules = [rule for rule in words.rules if any_selects(rule.jobs, job.name, job.tags)]
    return Agreement(
        target=next(_targets(job, words.sla_tag, rules), None),
        budget=next(_budgets(job, words.budget_tag, rules), None),
        team=next(_named(_tag(job, words.team_tag), [rule.team for rule in rules]), None),
        owner=next(_named(_tag(job, words.owner_tag), [rule.owner for rule in rules]), None),
    )


def _targets(job: Job, tag: str, rules: list[Rule]) -> Iterator[Target]:
    if minutes := _minutes(_tag(job, tag)):
        yield Target(sla=minutes, source="tag")
    if job.expected_duration:
        yield Target(sla=job.expected_duration, source="health_rule")
    yield from (Target(sla=rule.sla, source="config") for rule in rules if rule.sla)


def _budgets(job: Job, tag: str, rules: list[Rule]) -> Iterator[Budget]:
    if dbus := _dbus(_tag(job, tag)):
        yield Budget(dbus=dbus, source="tag")
    yield from (Budget(dbus=rule.budget, source="config") for rule in rules if rule.budget)


def _named(by_tag: str, by_rules: list[str]) -> Iterator[Named]:
    if by_tag:
        yield Named(name=by_tag, source="tag")
    yield from (Named(name=name, source="config") for name in by_rules if name)


def _tag(job: Job, key: str) -> str:
    return job.tags.get(key, "").strip() if key else ""


def _minutes(text: str) -> timedelta | None:
    try:
        span = timedelta(minutes=float(text))
    except (ValueError, OverflowError):
        return None
    return span if span >= MILLISECOND else None


def _dbus(text: str) -> Decimal | None:
    try:
        dbus = Decimal(text)
    except InvalidOperation:
        return None
    return dbus if dbus.is_finite() and LEAST_BUDGET <= dbus <= MOST_BUDGET else None
