"""What is known of each job: its definition, and how its attempts went lately."""

import re
from collections.abc import Callable, Iterator
from datetime import timedelta

from collector.core.model import Job, Named
from collector.core.vocabulary import Outcome, outcome
from exporter.catalogue.family import (
    JOB,
    Family,
    Kind,
    Sample,
    Samples,
    Source,
    Subject,
    each_job,
    job_gauge,
    seconds,
)
from exporter.options import ExporterOptions, Option
from exporter.view import JobView

NO_DEFINITION = Job(job_id="", name="")


def tag_names(options: ExporterOptions) -> tuple[str, ...]:
    """The label names of the allowed tags: `tag_` and the key in snake case, numbered where two keys become equal."""
    names: list[str] = []
    for key in options.tag_labels:
        words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)
        name = "tag_" + re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
        same = sum(other == name or other.startswith(f"{name}_conflict") for other in names)
        names.append(f"{name}_conflict{same}" if same else name)
    return tuple(names)


def _info(job: JobView) -> Iterator[Sample]:
    definition = job.facts.job or NO_DEFINITION
    known = job.facts.job is not None
    facts = (
        definition.trigger_type,
        definition.quartz_cron_expression,
        definition.timezone_id,
        definition.format,
        _word(fact=definition.queueing) if known else "",
        _word(fact=job.facts.deleted is not None),
    )
    yield Sample((*job.labels, *facts))


def _tags(job: JobView) -> Iterator[Sample]:
    tags = job.facts.job.tags if job.facts.job else {}
    yield Sample((*job.labels, *(tags.get(key, "") for key in job.options.tag_labels)))


def _defined(value: Callable[[Job], float | timedelta | None]) -> Samples[JobView]:
    """One sample per job whose definition was seen."""
    return job_gauge(lambda job: value(job.facts.job) if job.facts.job else None)


def _sla(job: JobView) -> Iterator[Sample]:
    target = job.facts.agreement.target
    if target and not job.facts.deleted:
        yield Sample((*job.labels, target.source), seconds(target.sla))


def _team(job: JobView) -> Iterator[Sample]:
    return _named(job, job.facts.agreement.team)


def _owner(job: JobView) -> Iterator[Sample]:
    return _named(job, job.facts.agreement.owner)


def _named(job: JobView, named: Named | None) -> Iterator[Sample]:
    if named:
        yield Sample((*job.labels, named.name, named.source))


def _last_success(job: JobView) -> float | None:
    match outcome(job.facts.last_result):
        case Outcome.SUCCESS:
            return 1
        case Outcome.FAILURE:
            return 0
        case Outcome.NEITHER:
            return None


def _word(*, fact: bool) -> str:
    return "true" if fact else "false"


DEFINITIONS = Subject(
    title="Job definitions",
    about=(
        "Facts about jobs, to be joined with `* on (workspace, job_id) group_left (…)`.\n"
        "Creators are personal data and are not exported; owners only where jobs.owner_tag or an agreement of the "
        "configuration asks for it.\n"
        "A deleted job keeps its info, its tags and its counters until they expire; its gauges end at once.\n"
        "Due times follow Quartz in the schedule's time zone: a local time that the clocks skip in spring is not due, "
        "one that they repeat in autumn is due at its second occurrence.\n"
        "Databricks does not say from where it counts the interval of a periodic trigger: here it is due an interval "
        "after the job's latest start, or after its definition changed if that was later.\n"
        "A page may be five seconds late with a due time that has just passed."
    ),
    families=(
        Family(
            name="databricks_job_info",
            kind=Kind.INFO,
            meaning="Facts of the job's definition; empty where the definition was not seen. Always 1.",
            labels=(
                *JOB,
                "trigger_type",
                "quartz_cron_expression",
                "timezone_id",
                "format",
                "queueing",
                "deleted",
            ),
            source=Source.DEFINITIONS,
            samples=each_job(_info),
        ),
        Family(
            name="databricks_job_tags",
            kind=Kind.GAUGE,
            meaning="The job's tags as far as jobs.tag_labels allows them; empty where the job has none. Always 1.",
            labels=JOB,
            more_labels=tag_names,
            source=Source.DEFINITIONS,
            samples=each_job(_tags),
            option=Option.TAG_LABELS,
        ),
        Family(
            name="databricks_job_paused",
            kind=Kind.GAUGE,
            meaning="1 when the job's schedule or trigger is paused, otherwise 0.",
            labels=JOB,
            source=Source.DEFINITIONS,
            samples=_defined(lambda definition: definition.paused),
        ),
        Family(
            name="databricks_job_continuous",
            kind=Kind.GAUGE,
            meaning="1 when the job runs continuously, otherwise 0.",
            labels=JOB,
            source=Source.DEFINITIONS,
            samples=_defined(lambda definition: definition.continuous),
        ),
        Family(
            name="databricks_job_last_due_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning=(
                "When the job's Quartz schedule last asked for a run, in seconds since 1970; absent before the first "
                "since the job was created, while the job is paused, and without a schedule that can be read."
            ),
            labels=JOB,
            source=Source.DEFINITIONS,
            samples=job_gauge(lambda job: job.due.last),
        ),
        Family(
            name="databricks_job_next_due_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning=(
                "When the job's Quartz schedule will next ask for a run, in seconds since 1970; absent when it never "
                "will again, while the job is paused, and without a schedule that can be read."
            ),
            labels=JOB,
            source=Source.DEFINITIONS,
            samples=job_gauge(lambda job: job.due.next),
        ),
        Family(
            name="databricks_job_timeout_seconds",
            kind=Kind.GAUGE,
            meaning="After how long Databricks ends a run of the job; absent without a limit.",
            labels=JOB,
            source=Source.DEFINITIONS,
            samples=_defined(lambda definition: definition.timeout or None),
        ),
        Family(
            name="databricks_job_max_concurrent_runs",
            kind=Kind.GAUGE,
            meaning="The most runs of the job that Databricks lets run side by side.",
            labels=JOB,
            source=Source.DEFINITIONS,
            samples=_defined(lambda definition: definition.max_concurrent_runs),
        ),
        Family(
            name="databricks_job_sla_seconds",
            kind=Kind.GAUGE,
            meaning=(
                "How long an attempt may take, and who says so: a tag, the job's health rule or the configuration; "
                "absent without an SLA."
            ),
            labels=(*JOB, "source"),
            source=Source.DEFINITIONS,
            samples=each_job(_sla),
        ),
        Family(
            name="databricks_job_team_info",
            kind=Kind.INFO,
            meaning=(
                "The team whom alerts of the job go to, and who says so: a tag or the configuration; "
                "absent where nobody does. Always 1."
            ),
            labels=(*JOB, "team", "source"),
            source=Source.DEFINITIONS,
            samples=each_job(_team),
        ),
        Family(
            name="databricks_job_owner_info",
            kind=Kind.INFO,
            meaning=(
                "The owner of the job, and who says so: a tag or the configuration; absent where nobody does. "
                "Always 1."
            ),
            labels=(*JOB, "job_owner", "source"),
            source=Source.DEFINITIONS,
            samples=each_job(_owner),
        ),
    ),
)

HISTORY = Subject(
    title="Latest runs of a job",
    about=(
        "What the store remembers of each job, including attempts from before counting began, as far as they were "
        "seen.\n"
        "Median and 90th percentile depart on purpose from the rule against precomputed quantiles: alerts compare a "
        "running attempt with them, and Prometheus cannot derive them from coarse buckets."
    ),
    families=(
        Family(
            name="databricks_job_last_run_start_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning="When the job's latest run was accepted, in seconds since 1970; absent before the first.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.last_start),
        ),
        Family(
            name="databricks_job_last_run_end_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning="When the job's latest finished attempt ended, in seconds since 1970; absent before the first.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.last_end),
        ),
        Family(
            name="databricks_job_last_success_timestamp_seconds",
            kind=Kind.GAUGE,
            meaning="When the job's latest successful attempt ended, in seconds since 1970; absent before the first.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.last_success),
        ),
        Family(
            name="databricks_job_last_run_duration_seconds",
            kind=Kind.GAUGE,
            meaning="How long the job's latest finished attempt took; absent before the first.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.last_duration),
        ),
        Family(
            name="databricks_job_last_run_success",
            kind=Kind.GAUGE,
            meaning=(
                "1 when the job's latest finished attempt succeeded, 0 when it failed; "
                "absent when it did neither, such as a cancelled one."
            ),
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(_last_success),
        ),
        Family(
            name="databricks_job_consecutive_failures",
            kind=Kind.GAUGE,
            meaning="Failed attempts since the job's last success; those that did neither are passed over.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.consecutive_failures),
        ),
        Family(
            name="databricks_job_run_duration_median_seconds",
            kind=Kind.GAUGE,
            meaning="Median time of the job's successful attempts of the last 30 days; absent without one.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.median),
        ),
        Family(
            name="databricks_job_run_duration_p90_seconds",
            kind=Kind.GAUGE,
            meaning="Time that nine in ten of the job's successful attempts of the last 30 days did not exceed.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.p90),
        ),
        Family(
            name="databricks_job_run_duration_observations",
            kind=Kind.GAUGE,
            meaning="Successful attempts of the last 30 days, from which median and 90th percentile are taken.",
            labels=JOB,
            source=Source.STORE,
            samples=job_gauge(lambda job: job.facts.observations),
        ),
    ),
)
