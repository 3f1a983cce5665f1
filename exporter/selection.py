"""Which jobs of a workspace get series of their own: selectors by name and tag, and the budget of jobs."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from collector.core.snapshot import JobFacts
from exporter.options import ExporterOptions

TAG = "tag:"


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


def matches(selector: str, job: JobFacts) -> bool:
    """True for a job whose tag is as `tag:key` or `tag:key=value` says, or whose whole name the expression matches."""
    if not selector.startswith(TAG):
        return re.fullmatch(selector, job.name) is not None
    key, equals, value = selector.removeprefix(TAG).partition("=")
    tags = job.job.tags if job.job else {}
    return key in tags and (not equals or tags[key] == value)


def _wanted(job: JobFacts, options: ExporterOptions) -> bool:
    included = not options.include or any(matches(selector, job) for selector in options.include)
    return included and not any(matches(selector, job) for selector in options.exclude)
