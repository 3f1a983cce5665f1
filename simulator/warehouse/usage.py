"""Rows of `billing.usage`: what each hour of each run used, what else the account used, and later corrections."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from simulator.api import WAREHOUSE_ID
from simulator.clock import DAY_MS, HOUR_MS, instant
from simulator.runs import Run
from simulator.warehouse import prices
from simulator.warehouse.chance import chance, digest, label
from simulator.warehouse.schema import ACCOUNT, FAR_AWAY, NEIGHBOUR
from simulator.warehouse.slices import Slice, Span
from simulator.warehouse.timelines import Row, cluster_id

ATTOS: Final = 10**18
"""Quantities are whole numbers of 10⁻¹⁸, the least that the column holds."""
SERVERLESS_FEATURES = {"jobs_tier": "PREMIUM", "is_serverless": True, "performance_target": "STANDARD"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """One row, before anything is known of when it arrives."""

    record_id: str
    workspace_id: str | None
    sku: str
    product: str
    unit: str = "DBU"
    span: Span
    attos: int
    """Quantity in 10⁻¹⁸ units; negative for a retraction."""
    metadata: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    features: dict[str, Any] = field(default_factory=dict)
    run_as: str | None = None
    kind: str = "ORIGINAL"
    usage_type: str = "COMPUTE_TIME"

    @property
    def job_id(self) -> str:
        """Empty when it belongs to no job."""
        return str(self.metadata.get("job_id") or "")

    @property
    def day(self) -> str:
        """`usage_date`."""
        return instant(self.span.start_ms).date().isoformat()

    def row(self, ingested_ms: int) -> Row:
        """The row of the table."""
        return {
            "account_id": ACCOUNT,
            "workspace_id": self.workspace_id,
            "record_id": self.record_id,
            "sku_name": self.sku,
            "cloud": prices.CLOUD,
            "usage_start_time": self.span.start_ms,
            "usage_end_time": self.span.end_ms,
            "usage_date": instant(self.span.start_ms).date(),
            "custom_tags": self.tags,
            "usage_unit": self.unit,
            "usage_quantity": Decimal(exact(self.attos, 18)),
            "usage_metadata": self.metadata,
            "identity_metadata": {"run_as": self.run_as},
            "record_type": self.kind,
            "ingestion_date": instant(ingested_ms).date(),
            "billing_origin_product": self.product,
            "product_features": self.features,
            "usage_type": self.usage_type,
        }


def of_run(piece: Slice, workspace_id: str, seed: int) -> Iterator[Usage]:
    """What this hour of the run used: one row for each kind of compute that its tasks run on."""
    run, span = piece.run, piece.span
    if span.start_ms == span.end_ms:
        return
    bodies = set().union(*(spec.body for spec in run.tasks))
    tags = dict(run.job.settings.get("tags", {})) if run.job else {}
    for body, compute in (
        ("job_cluster_key", _classic),
        ("environment_key", _serverless),
        ("sql_task", _sql),
        ("pipeline_task", _pipeline),
    ):
        if body in bodies:
            sku, product, metadata, features = compute(run, seed)
            subject = (run.run_id, piece.attempt.repair_id, span.start_ms, body)
            rate = 1_000_000 + digest(seed, "rate", run.job_id, body) % 9_000_000
            yield Usage(
                record_id=_record(seed, *subject),
                workspace_id=workspace_id,
                sku=sku,
                product=product,
                span=span,
                attos=(span.end_ms - span.start_ms) * rate * ATTOS // (1_000_000 * HOUR_MS),
                metadata=metadata,
                tags=tags if "job_id" in metadata else {},
                features=features,
                run_as=run.creator or None,
            )


def of_hour(hour_ms: int, workspace_id: str, some_job: str, seed: int) -> Iterator[Usage]:
    """What the account used in this clock hour besides the runs of this workspace's jobs."""
    cluster = {"cluster_id": "1101-080000-interact", "node_type": "i3.xlarge"}
    others: tuple[tuple[str | None, str, str, str, dict[str, Any]], ...] = (
        (workspace_id, prices.ALL_PURPOSE, "ALL_PURPOSE", "DBU", cluster),
        (workspace_id, prices.STORAGE, "DEFAULT_STORAGE", "DSU", {}),
        (workspace_id, "PREMIUM_GENIE_PREVIEW", "GENIE", "DBU", {"genie": {"surface": "API"}}),
        (None, prices.NETWORK, "NETWORKING", "GB", {"source_region": "us-east-1"}),
        (NEIGHBOUR, prices.CLASSIC, "JOBS", "DBU", {"job_id": some_job or "1", "job_run_id": "1"}),
        (FAR_AWAY, prices.SERVERLESS, "JOBS", "DBU", {"job_id": some_job or "2", "job_run_id": "2"}),
    )
    for owner, sku, product, unit, metadata in others:
        subject = (hour_ms, owner, sku)
        yield Usage(
            record_id=_record(seed, *subject),
            workspace_id=owner,
            sku=sku,
            product=product,
            unit=unit,
            span=Span(hour_ms, hour_ms + HOUR_MS),
            attos=digest(seed, "hourly", *subject) % (3 * ATTOS) + 1,
            metadata=metadata,
            usage_type="COMPUTE_TIME" if unit == "DBU" else "STORAGE_SPACE",
        )


def corrections(usage: Usage, seed: int, rate: float) -> Iterator[tuple[int, Usage]]:
    """What takes the row back later, days after it arrived, and what is put in its place, if anything."""
    drawn = chance(seed, "correction", usage.record_id)
    if drawn >= rate:
        return
    delay_ms = DAY_MS + digest(seed, "correction delay", usage.record_id) % (5 * DAY_MS)
    yield (
        delay_ms,
        replace(usage, record_id=usage.record_id[:-1] + "r", kind="RETRACTION", attos=-usage.attos),
    )
    if drawn < rate * 2 / 3:
        restated = usage.attos * 9 // 10
        yield (
            delay_ms,
            replace(usage, record_id=usage.record_id[:-1] + "s", kind="RESTATEMENT", attos=restated),
        )


def exact(units: int, scale: int) -> str:
    """So many 10⁻ˢᶜᵃˡᵉ as decimal text, without zeros at the end and whatever its length."""
    whole, part = divmod(abs(units), 10**scale)
    text = f"{whole}.{part:0{scale}d}".rstrip("0").rstrip(".")
    return f"-{text}" if units < 0 else text


Compute = tuple[str, str, dict[str, Any], dict[str, Any]]
"""SKU, product, metadata and product features."""


def _classic(run: Run, seed: int) -> Compute:
    drawn = chance(seed, "sku", run.job_id)
    sku = prices.NOT_PRICED if drawn < 0.05 else prices.PHOTON if drawn < 0.3 else prices.CLASSIC
    metadata = {"job_id": str(run.job_id), "cluster_id": cluster_id(run), "node_type": "i3.xlarge"}
    if chance(seed, "reused", run.run_id) >= 0.1:
        metadata["job_run_id"] = str(run.run_id)
    if run.job:
        metadata["job_name"] = run.name
    return sku, "JOBS", metadata, {"jobs_tier": "PREMIUM", "is_serverless": False, "is_photon": drawn < 0.3}


def _serverless(run: Run, _seed: int) -> Compute:
    metadata = {"job_id": str(run.job_id), "job_run_id": str(run.run_id), "run_name": run.name}
    if run.job:
        metadata["job_name"] = run.name
    return prices.SERVERLESS, "JOBS", metadata, SERVERLESS_FEATURES


def _sql(_run: Run, _seed: int) -> Compute:
    features = {"sql_tier": "PREMIUM", "is_serverless": True}
    return prices.SQL, "SQL", {"warehouse_id": WAREHOUSE_ID}, features


def _pipeline(run: Run, _seed: int) -> Compute:
    """Serverless pipelines are billed under a SKU of jobs."""
    metadata = {"dlt_pipeline_id": "4c9a2f1e", "dlt_update_id": f"{run.run_id:x}"}
    return prices.SERVERLESS, "DLT", metadata, {"dlt_tier": "ADVANCED", "is_serverless": True}


def _record(seed: int, *subject: object) -> str:
    text = label(seed, "record", *subject)
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}-o"
