"""What was used and what it costs, by job and by product: gauges over complete days, from the latest bill."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from collector.core.bill import DBU, NOTHING, exact
from collector.core.snapshot import Amount, ProductAmount
from exporter.catalogue.family import (
    JOB,
    WORKSPACE,
    Family,
    Kind,
    Sample,
    Samples,
    Source,
    Subject,
    each_counted_job,
    each_job,
    each_workspace,
    job_gauge,
    seconds,
)
from exporter.options import Option
from exporter.view import JobView, WorkspaceView

Money = tuple[tuple[str, Decimal], ...]
"""By currency."""
DISAGREEMENT = timedelta(minutes=1)
"""So far the Jobs API and the system tables may be apart about the end of one run."""
LAG = timedelta(days=1)
"""A success that is older than this and not in the system tables is older than what they were asked for."""

WINDOW = "the last complete day (1d), the last 7 or 30 complete days (7d, 30d) or those of the calendar month (mtd)"
OF_JOBS = "Tasks on all-purpose clusters, SQL warehouses and pipelines are not billed to a job and not in it."
LIST = "At list price with promotions; negotiated discounts and the cloud provider's bill for classic compute are not in it."
NET = "At list price less billing.discounts of the product; the cloud provider's bill for classic compute is not in it."


def _job_dbus(job: JobView) -> Iterator[Sample]:
    for window, used in _amounts(job):
        yield Sample((*job.labels, window), float(used.dbus))


def _job_unpriced(job: JobView) -> Iterator[Sample]:
    for window, used in _amounts(job):
        if used.unpriced > 0:
            yield Sample((*job.labels, window), float(used.unpriced))


def _job_cost(of: Callable[[Amount], Money]) -> Samples[JobView]:
    def samples(job: JobView) -> Iterator[Sample]:
        for window, used in _amounts(job):
            for currency, cost in of(used):
                yield Sample((*job.labels, window, currency), float(cost))

    return each_counted_job(samples)


def _amounts(job: JobView) -> Iterator[tuple[str, Amount]]:
    """By window; none of a deleted job, nor before the first bill."""
    if job.bill and job.facts.deleted is None:
        yield from job.bill.amounts.items()


def _daily_p90(job: JobView) -> float | None:
    return None if job.bill is None or job.bill.daily_p90 is None else float(job.bill.daily_p90)


def _since_success(job: JobView) -> float | None:
    if job.billed is None or job.bill is None or job.bill.since_success is None:
        return None
    reckoned_from = job.bill.success or job.billed - LAG
    success = job.facts.last_success
    later = success is not None and success - reckoned_from > DISAGREEMENT
    return 0.0 if later else float(job.bill.since_success)


def _budget(job: JobView) -> Iterator[Sample]:
    budget = job.facts.agreement.budget
    if budget and job.facts.deleted is None:
        yield Sample((*job.labels, budget.source), float(budget.dbus))


def _usage(
    labels: Callable[[ProductAmount], tuple[str, ...]], value: Callable[[ProductAmount], Decimal | None]
) -> Samples[WorkspaceView]:
    """The sums of a workspace's usage by these labels, over all that has a value."""

    def samples(workspace: WorkspaceView) -> Iterator[Sample]:
        sums: defaultdict[tuple[str, ...], Decimal] = defaultdict(Decimal)
        with exact():
            for one in workspace.snapshot.bill.products if workspace.snapshot.bill else ():
                if (part := value(one)) is not None:
                    sums[labels(one)] += part
        for names, total in sums.items():
            yield Sample((workspace.snapshot.name, *names), float(total))

    return each_workspace(samples)


def _complete_until(workspace: WorkspaceView) -> Iterator[Sample]:
    if workspace.snapshot.bill:
        yield Sample((workspace.snapshot.name,), seconds(workspace.snapshot.bill.complete_until))


def _unattributed(one: ProductAmount) -> Decimal | None:
    if one.unit != DBU:
        return None
    return NOTHING if one.attributed else one.quantity


COST = Subject(
    title="Usage and cost",
    about=(
        "Only for workspaces with a `warehouse_id`, and only once the billing tables were read.\n"
        "All are gauges over complete days of UTC, because Databricks corrects past days and amounts then fall; "
        "a day is taken to be complete 12 hours after its end.\n"
        "Cost is list cost: negotiated discounts are not in it, nor is what the cloud provider charges for the machines "
        "of classic compute; the prices of serverless compute contain them.\n"
        "A job's part is what Databricks bills to it: job compute and serverless jobs. "
        "Tasks on all-purpose clusters, SQL warehouses and pipelines are in `databricks_usage_unattributed_dbus`.\n"
        "One-time runs, and jobs that the exporter never saw, are together under an empty `job_id` and `job_name`.\n"
        "So in each window, as long as no job is deleted or left off the page, `databricks_job_dbus` over all jobs and "
        "`databricks_usage_unattributed_dbus` make `databricks_usage_dbus`.\n"
        "What has no list price is in no cost, and in the families of what is unpriced."
    ),
    families=(
        Family(
            name="databricks_job_dbus",
            kind=Kind.GAUGE,
            meaning=f"DBUs of the job, priced or not, in {WINDOW}; 0 for a job without usage. {OF_JOBS}",
            labels=(*JOB, "window"),
            source=Source.BILLING,
            samples=each_counted_job(_job_dbus),
        ),
        Family(
            name="databricks_job_list_cost",
            kind=Kind.GAUGE,
            meaning=f"Cost of the job in units of the currency, in {WINDOW}; absent without usage. {LIST} {OF_JOBS}",
            labels=(*JOB, "window", "currency"),
            source=Source.BILLING,
            samples=_job_cost(lambda used: used.costs),
        ),
        Family(
            name="databricks_job_net_cost",
            kind=Kind.GAUGE,
            meaning=f"Cost of the job in units of the currency, in {WINDOW}; absent without usage. {NET} {OF_JOBS}",
            labels=(*JOB, "window", "currency"),
            source=Source.BILLING,
            samples=_job_cost(lambda used: used.net_costs),
            option=Option.DISCOUNTS,
        ),
        Family(
            name="databricks_job_unpriced_dbus",
            kind=Kind.GAUGE,
            meaning=f"DBUs of the job that have no list price and are in no cost, in {WINDOW}; absent where there are none.",
            labels=(*JOB, "window"),
            source=Source.BILLING,
            samples=each_counted_job(_job_unpriced),
        ),
        Family(
            name="databricks_job_dbus_daily_p90",
            kind=Kind.GAUGE,
            meaning=(
                "DBUs that nine in ten of the job's days with usage did not exceed, of the 30 complete days before the "
                f"last complete one; absent with fewer than five such days. {OF_JOBS}"
            ),
            labels=JOB,
            source=Source.BILLING,
            samples=job_gauge(_daily_p90),
        ),
        Family(
            name="databricks_job_dbus_since_last_success",
            kind=Kind.GAUGE,
            meaning=(
                "DBUs of the job since its last success, days that are not complete included; where the system tables "
                "show no success, all that they were asked for, and 0 once a later success was seen. "
                f"{OF_JOBS}"
            ),
            labels=JOB,
            source=Source.BILLING,
            samples=job_gauge(_since_success),
        ),
        Family(
            name="databricks_job_budget_dbus",
            kind=Kind.GAUGE,
            meaning=(
                "DBUs that the job may use in a calendar month, and who says so: a tag or the configuration; "
                "absent where nobody does."
            ),
            labels=(*JOB, "source"),
            source=Source.DEFINITIONS,
            samples=each_job(_budget),
        ),
        Family(
            name="databricks_usage_dbus",
            kind=Kind.GAUGE,
            meaning=f"DBUs of the workspace by product and SKU, priced or not, in {WINDOW}.",
            labels=(*WORKSPACE, "product", "sku", "window"),
            source=Source.BILLING,
            samples=_usage(
                lambda one: (one.product, one.sku, one.window),
                lambda one: one.quantity if one.unit == DBU else None,
            ),
        ),
        Family(
            name="databricks_usage_list_cost",
            kind=Kind.GAUGE,
            meaning=f"Cost of the workspace in units of the currency, of usage in any unit, in {WINDOW}. {LIST}",
            labels=(*WORKSPACE, "product", "sku", "window", "currency"),
            source=Source.BILLING,
            samples=_usage(
                lambda one: (one.product, one.sku, one.window, one.currency), lambda one: one.cost
            ),
        ),
        Family(
            name="databricks_usage_net_cost",
            kind=Kind.GAUGE,
            meaning=f"Cost of the workspace in units of the currency, of usage in any unit, in {WINDOW}. {NET}",
            labels=(*WORKSPACE, "product", "sku", "window", "currency"),
            source=Source.BILLING,
            samples=_usage(
                lambda one: (one.product, one.sku, one.window, one.currency), lambda one: one.net_cost
            ),
            option=Option.DISCOUNTS,
        ),
        Family(
            name="databricks_usage_unattributed_dbus",
            kind=Kind.GAUGE,
            meaning=(
                "DBUs of the workspace that are billed to no job, among them tasks of jobs on all-purpose clusters, SQL "
                f"warehouses and pipelines, in {WINDOW}."
            ),
            labels=(*WORKSPACE, "product", "window"),
            source=Source.BILLING,
            samples=_usage(lambda one: (one.product, one.window), _unattributed),
        ),
        Family(
            name="databricks_usage_unpriced",
            kind=Kind.GAUGE,
            meaning=(
                "Usage that has no list price and is in no cost, in the unit of the label, in "
                f"{WINDOW}; absent for what always had a price."
            ),
            labels=(*WORKSPACE, "product", "unit", "window"),
            source=Source.BILLING,
            samples=_usage(
                lambda one: (one.product, one.unit, one.window),
                lambda one: None if one.currency else one.quantity,
            ),
        ),
        Family(
            name="databricks_usage_complete_until_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning="End of the last complete day, with which all windows end, in seconds since 1970.",
            labels=WORKSPACE,
            source=Source.BILLING,
            samples=each_workspace(_complete_until),
        ),
    ),
)
