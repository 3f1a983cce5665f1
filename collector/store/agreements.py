"""What a job is held to, as columns of its row and back."""

from datetime import timedelta

from collector.core.model import Agreement, Budget, Named, Target
from collector.store.instants import span_ms
from collector.store.schema import jobs, storable
from collector.store.statements import Found, Values

COLUMNS = (
    jobs.c.sla_ms,
    jobs.c.sla_source,
    jobs.c.budget_dbus,
    jobs.c.budget_source,
    jobs.c.team,
    jobs.c.team_source,
    jobs.c.owner,
    jobs.c.owner_source,
)


def to_columns(agreement: Agreement) -> Values:
    """The columns that hold it; an empty source says that nobody says."""
    target, budget = agreement.target, agreement.budget
    team, owner = agreement.team, agreement.owner
    return {
        "sla_ms": span_ms(target.sla) if target else None,
        "sla_source": target.source if target else "",
        "budget_dbus": budget.dbus if budget else None,
        "budget_source": budget.source if budget else "",
        "team": storable(team.name) if team else "",
        "team_source": team.source if team else "",
        "owner": storable(owner.name) if owner else "",
        "owner_source": owner.source if owner else "",
    }


def from_row(row: Found) -> Agreement:
    """The agreement of a row of `jobs`."""
    return Agreement(
        target=to_target(row),
        budget=Budget(dbus=row.budget_dbus, source=row.budget_source) if row.budget_source else None,
        team=Named(name=row.team, source=row.team_source) if row.team_source else None,
        owner=Named(name=row.owner, source=row.owner_source) if row.owner_source else None,
    )


def to_target(row: Found) -> Target | None:
    """The SLA of a row that has at least its two columns."""
    if row.sla_ms is None:
        return None
    return Target(sla=timedelta(milliseconds=row.sla_ms), source=row.sla_source)
