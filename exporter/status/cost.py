"""What jobs and teams used: DBUs and list cost of the last complete day, the month and 30 days."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from collector.core.snapshot import Amount, Bill, JobFacts
from exporter.status.question import Question
from exporter.status.running import team_of
from exporter.view import WorkspaceView

DAY, MONTH, LONG = "1d", "mtd", "30d"
"""The windows that are shown."""
NOTHING = Amount(dbus=Decimal(0), unpriced=Decimal(0))
NO_TEAM, ONE_TIME = "no team", "one-time runs"
OLD_BILL = timedelta(days=3)
"""Usage arrives within a day or two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What one job or team used."""

    workspace: str
    """Empty for a team, which may work in several."""
    job_id: str
    """Empty for a team."""
    name: str
    team: str
    day: Amount
    month: Amount
    long: Amount
    budget: Decimal | None = None
    """DBUs a month."""
    share: float = 0.0
    """Of the largest in its table, in 30 days."""

    @property
    def used_budget(self) -> float | None:
        """Part of the budget that the month has used."""
        return float(self.month.dbus / self.budget) if self.budget else None


@dataclass(frozen=True, slots=True, kw_only=True)
class BillAge:
    """How old a workspace's bill is."""

    workspace: str
    made: datetime
    complete_until: datetime
    old: bool


class Item(NamedTuple):
    """One job of a bill, before anything is added up."""

    workspace: str
    job_id: str
    facts: JobFacts | None
    """None for one-time runs together, and for a job that is no longer known."""
    amounts: Mapping[str, Amount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """The cost of what was asked for; nothing when no billing table was ever read."""

    bills: tuple[BillAge, ...]
    day: Amount
    month: Amount
    jobs: tuple[Item, ...]
    """The largest first."""
    teams: tuple[Spent, ...]
    """The largest first."""
    one_currency: bool

    def spent(self, item: Item) -> Spent:
        """The job as it is shown."""
        facts, largest = item.facts, self.size(self.jobs[0].amounts[LONG])
        return Spent(
            workspace=item.workspace,
            job_id=item.job_id,
            name=facts.name if facts else item.job_id or ONE_TIME,
            team=team_of(facts),
            day=item.amounts[DAY],
            month=item.amounts[MONTH],
            long=item.amounts[LONG],
            budget=facts.agreement.budget.dbus if facts and facts.agreement.budget else None,
            share=_share(self.size(item.amounts[LONG]), largest),
        )

    def size(self, amount: Amount) -> Decimal:
        """By what amounts are compared: list cost where all have one currency, else DBUs."""
        return _size(amount, one_currency=self.one_currency)


def costs(workspaces: Iterable[WorkspaceView], asked: Question, now: datetime) -> Costs:
    """What was asked for."""
    wanted = [each for each in workspaces if asked.workspace in {"", each.snapshot.name}]
    billed = [(each, each.snapshot.bill) for each in wanted if each.snapshot.bill is not None]
    items = [item for workspace, bill in billed for item in _items(workspace, bill, asked)]
    one_currency = len({currency for item in items for currency, _ in item.amounts[LONG].costs}) == 1
    by_team: defaultdict[str, list[Item]] = defaultdict(list)
    for item in items:
        by_team[team_of(item.facts)].append(item)
    teams = [_team(team, own) for team, own in by_team.items()]
    teams.sort(key=lambda team: (-_size(team.long, one_currency=one_currency), team.name))
    largest = _size(teams[0].long, one_currency=one_currency) if teams else Decimal(0)
    return Costs(
        bills=tuple(_age(workspace.snapshot.name, bill, now) for workspace, bill in billed),
        day=added(team.day for team in teams),
        month=added(team.month for team in teams),
        jobs=tuple(
            sorted(items, key=lambda item: _size(item.amounts[LONG], one_currency=one_currency), reverse=True)
        ),
        teams=tuple(
            replace(team, share=_share(_size(team.long, one_currency=one_currency), largest))
            for team in teams
        ),
        one_currency=one_currency,
    )


def added(amounts: Iterable[Amount]) -> Amount:
    """The amounts in one; costs of different currencies stay apart."""
    dbus, unpriced = Decimal(0), Decimal(0)
    listed: defaultdict[str, Decimal] = defaultdict(Decimal)
    net: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in amounts:
        dbus += each.dbus
        unpriced += each.unpriced
        for currency, cost in each.costs:
            listed[currency] += cost
        for currency, cost in each.net_costs:
            net[currency] += cost
    return Amount(
        dbus=dbus,
        unpriced=unpriced,
        costs=tuple(sorted(listed.items())),
        net_costs=tuple(sorted(net.items())),
    )


def _age(workspace: str, bill: Bill, now: datetime) -> BillAge:
    return BillAge(
        workspace=workspace,
        made=bill.made,
        complete_until=bill.complete_until,
        old=now - bill.complete_until > OLD_BILL,
    )


def _items(workspace: WorkspaceView, bill: Bill, asked: Question) -> Iterator[Item]:
    """Every job of the bill that used something and was asked for; one-time runs stand together."""
    known = {facts.job_id: facts for facts in workspace.snapshot.jobs}
    name = workspace.snapshot.name
    for job_id, own in bill.jobs.items():
        amounts, facts = own.amounts, known.get(job_id)
        used = amounts[LONG].dbus or amounts[LONG].costs or amounts[MONTH].dbus or amounts[MONTH].costs
        title = facts.name if facts else job_id or ONE_TIME
        if used and asked.fits(name, team_of(facts), title, job_id):
            yield Item(name, job_id, facts, amounts)


def _team(team: str, items: list[Item]) -> Spent:
    return Spent(
        workspace="",
        job_id="",
        name=team or NO_TEAM,
        team=team,
        day=added(item.amounts[DAY] for item in items),
        month=added(item.amounts[MONTH] for item in items),
        long=added(item.amounts[LONG] for item in items),
    )


def _size(amount: Amount, *, one_currency: bool) -> Decimal:
    return sum((cost for _, cost in amount.costs), Decimal(0)) if one_currency else amount.dbus


def _share(size: Decimal, largest: Decimal) -> float:
    return max(0.0, min(1.0, float(size / largest))) if largest > 0 else 0.0
