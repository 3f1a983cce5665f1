"""What a user can choose about the page. Plain values: where they come from is known to whoever makes them."""

import platform
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from importlib import metadata


class Option(StrEnum):
    """A setting that switches families on, by its key in `config.toml`."""

    TASK_RUNS = "metrics.task_runs"
    JOB_HISTOGRAMS = "metrics.job_histograms"
    TAG_LABELS = "jobs.tag_labels"
    DISCOUNTS = "billing.discounts"


def installed_version() -> str:
    """The version of the installed distribution."""
    return metadata.version("databricks-jobs-exporter")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExporterOptions:
    """The settings that shape the page."""

    stale_after: timedelta = timedelta(minutes=1)
    """How long after the last successful live poll its gauges are still shown."""
    max_jobs: int = 10_000
    """The most jobs per workspace that get series of their own."""
    include: tuple[str, ...] = ()
    """Selectors of the jobs that get series of their own; empty means all."""
    exclude: tuple[str, ...] = ()
    """Selectors of the jobs that do not; stronger than `include`."""
    tag_labels: tuple[str, ...] = ("team",)
    """Keys of the job tags that may become labels."""
    job_histograms: bool = False
    task_runs: bool = False
    exemplars: bool = True
    discounts: bool = False
    """True when there are discounts off the list prices, so that there is a net cost."""
    demo: bool = False
    """True when the data come from the simulated workspace."""
    version: str = field(default_factory=installed_version)
    python_version: str = field(default_factory=platform.python_version)

    def has(self, option: Option) -> bool:
        """True when the option is switched on."""
        match option:
            case Option.TASK_RUNS:
                return self.task_runs
            case Option.JOB_HISTOGRAMS:
                return self.job_histograms
            case Option.TAG_LABELS:
                return bool(self.tag_labels)
            case Option.DISCOUNTS:
                return self.discounts
