"""Which jobs of a workspace get series of their own: selectors by name and tag, and the budget of jobs."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from collector.core.selector import any_selects
from collector.core.snapshot import JobFacts
from exporter.options import ExporterOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The jobs that are shown, and how many are not, by reason."""

    jobs: tuple[JobFacts, ...]
    filtered: int
    over_budget: int


def selection(jobs: Iterable[JobFacts], options: ExporterOptions) -> Selection:
    """Splits jobs, given in the order of their ids, so that the oldest keep their series when there are too many."""
    every = tuple(jobs)
    wanted = tuple(job for job in every if _wanted(job, options))
    kept = tuple(islice(wanted, options.max_jobs))
    return Selection(jobs=kept, filtered=len(every) - len(wanted), over_budget=len(wanted) - len(kept))


def _wanted(job: JobFacts, options: ExporterOptions) -> bool:
    tags = job.job.tags if job.job else {}
    included = not options.include or any_selects(options.include, job.name, tags)
    return included and not any_selects(options.exclude, job.name, tags)
