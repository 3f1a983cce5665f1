"""Answers about usage and cost."""

from datetime import date

from pydantic import Field

from exporter.api.models.answer import Model, Page
from exporter.api.models.fields import JobId, Team, Workspace


class UsageRow(Model):
    """What was used of one SKU on one day, net of corrections."""

    workspace: Workspace
    usage_date: date = Field(description="A day of UTC.")
    job_id: str | None = Field(description="Null for what belongs to no job.")
    cluster_id: None = Field(default=None, description="Always null: usage is kept by job, not by cluster.")
    sku_name: str
    billing_origin_product: str = Field(description="JOBS, SQL, …")
    usage_unit: str = Field(description="DBU for compute; storage and network have units of their own.")
    usage_quantity: float = Field(description="In that unit.")
    total_dbus: float | None = Field(description="The same in DBUs; null for other units.")
    list_cost: float | None = Field(description="At list price, without discounts; null for what has none.")
    currency: str | None


class Usage(Page):
    """Usage by day."""

    usage: list[UsageRow] = Field(description="By workspace; the newest day comes first.")


class JobTotal(Model):
    """What a job used of one SKU, net of corrections."""

    workspace: Workspace
    job_id: JobId
    job_name: str | None = Field(description="Null for one-time runs, and for jobs deleted long ago.")
    team: Team
    sku_name: str
    billing_origin_product: str
    usage_unit: str
    usage_quantity: float = Field(description="In that unit.")
    total_dbus: float | None = Field(description="The same in DBUs; null for other units.")
    list_cost: float | None = Field(description="At list price, without discounts; null for what has none.")
    currency: str | None
    usage_days: int = Field(description="Days on which it used something.")


class JobTotals(Page):
    """Usage by job."""

    total: int = Field(description="Items on all pages.")
    jobs: list[JobTotal] = Field(description="What used most comes first.")
