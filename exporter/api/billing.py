"""Usage net of corrections, by day and by job, with its list cost."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TypedDict

from fastapi import APIRouter
from starlette.responses import Response

from collector.core.bill import DBU
from collector.core.records import UsageRecord, UsageTotal
from collector.store.reader import Reader
from exporter.api import places
from exporter.api.freshness import BILLING
from exporter.api.models.usage import JobTotal, JobTotals, Usage, UsageRow
from exporter.api.moment import Jobs, chosen, chosen_ids, is_id, moment, team_of
from exporter.api.parameters import Cursor, JobPattern, Limit, Team, UsageDays, Workspace
from exporter.api.refusals import answered
from exporter.api.spans import number
from exporter.pages import Pages


class Amounts(TypedDict):
    """The fields that both lists have."""

    workspace: str
    sku_name: str
    billing_origin_product: str
    usage_unit: str
    usage_quantity: float
    total_dbus: float | None
    list_cost: float | None
    currency: str | None


def add_routes(router: APIRouter, pages: Pages, records: Reader) -> None:
    """The endpoints of usage."""

    @router.get("/api/billing/usage", response_model=Usage, tags=["billing"])
    def usage(
        *,
        days: UsageDays = 30,
        workspace: Workspace = None,
        job: JobPattern = None,
        team: Team = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> Response:
        """What was used, by day, job and SKU."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        page = records.usage_page(
            [each.name for each in workspaces],
            _first_day(seen.now, days),
            job_ids=chosen_ids(workspaces, job, team),
            limit=limit,
            after=_place(cursor, [each.name for each in workspaces]),
        )
        return answered(
            Usage(
                **seen.age(workspaces, BILLING),
                limit=limit,
                next_cursor=_cursor(page.next),
                usage=[_row(used) for used in page.usage],
            )
        )

    @router.get("/api/billing/by-job", response_model=JobTotals, tags=["billing"])
    def by_job(
        *,
        days: UsageDays = 30,
        workspace: Workspace = None,
        job: JobPattern = None,
        team: Team = None,
        limit: Limit = 1000,
        cursor: Cursor = None,
    ) -> Response:
        """What each job used of each SKU, the most DBUs first."""
        seen = moment(pages)
        workspaces = seen.workspaces(workspace)
        job_ids, since = chosen_ids(workspaces, job, team), _first_day(seen.now, days)
        totals = sorted(
            (
                total
                for each in workspaces
                for total in records.usage_totals(each.name, since, job_ids=job_ids)
            ),
            key=_by_amount,
        )
        place = places.read(cursor, int)
        start = int(place[0]) if place else 0
        shown, last = places.page_of(totals, start, limit)
        jobs = chosen(workspaces, None, None)
        return answered(
            JobTotals(
                **seen.age(workspaces, BILLING),
                limit=limit,
                next_cursor=places.written([start + limit]) if last else None,
                total=len(totals),
                jobs=[_total(total, jobs) for total in shown],
            )
        )


def _first_day(now: datetime, days: int) -> date:
    return (now.astimezone(UTC) - timedelta(days=days)).date()


def _row(used: UsageRecord) -> UsageRow:
    return UsageRow(**_amounts(used), usage_date=used.day, job_id=used.job_id or None)


def _total(total: UsageTotal, jobs: Jobs) -> JobTotal:
    facts = jobs[total.workspace].get(total.job_id)
    return JobTotal(
        **_amounts(total),
        job_id=total.job_id,
        job_name=facts.name if facts else None,
        team=team_of(facts),
        usage_days=total.days,
    )


def _amounts(of: UsageRecord | UsageTotal) -> Amounts:
    quantity = float(of.quantity)
    return Amounts(
        workspace=of.workspace,
        sku_name=of.sku,
        billing_origin_product=of.product,
        usage_unit=of.unit,
        usage_quantity=quantity,
        total_dbus=quantity if of.unit == DBU else None,
        list_cost=number(of.cost),
        currency=of.currency or None,
    )


def _by_amount(total: UsageTotal) -> tuple[bool, Decimal, str, str, str, str, str]:
    """DBUs before other units, more before less; the rest only so that the order is always the same."""
    return (
        total.unit != DBU,
        -total.quantity,
        total.workspace,
        total.job_id,
        total.product,
        total.sku,
        f"{total.unit} {total.currency}",
    )


def _place(cursor: str | None, workspaces: Sequence[str]) -> UsageRecord | None:
    """The row after which the list goes on."""
    place = places.read(cursor, str, str, str, str, str, str, str)
    if place is None:
        return None
    workspace, day, job_id, product, sku, unit, currency = map(str, place)
    try:
        of_day = date.fromisoformat(day)
    except ValueError:
        raise places.bad_cursor() from None
    if workspace not in workspaces or not (is_id(job_id) or not job_id):
        raise places.bad_cursor()
    return UsageRecord(
        workspace=workspace,
        day=of_day,
        job_id=job_id,
        product=product,
        sku=sku,
        unit=unit,
        currency=currency,
        quantity=Decimal(0),
        cost=None,
    )


def _cursor(last: UsageRecord | None) -> str | None:
    if last is None:
        return None
    key = (last.job_id, last.product, last.sku, last.unit, last.currency)
    return places.written([last.workspace, last.day.isoformat(), *key])
