"""Puts the counters of the exporter beside the simulated workspace's own account, in the same form."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from collector.core.model import Measure
from collector.core.snapshot import CounterValue, WorkspaceSnapshot
from collector.core.vocabulary import Field, label

Account = dict[str, Any]


def expected(truth: Mapping[str, Any]) -> Account:
    """The truth as the exporter may know it: unknown words are OTHER, what is 0 is left out."""
    finished: defaultdict[tuple[str, str], int] = defaultdict(int)
    for job, results in truth["runs_finished"].items():
        for result, number in results.items():
            finished[job, label(Field.RESULT, result)] += number
    terminations: defaultdict[tuple[str, str], int] = defaultdict(int)
    for word, number in truth["terminations"].items():
        code, kind = word.split("/")
        terminations[label(Field.TERMINATION_CODE, code), label(Field.TERMINATION_TYPE, kind)] += number
    started: defaultdict[tuple[str, str], int] = defaultdict(int)
    for word, number in truth["runs_started"].items():
        trigger, run_type = word.split("/")
        started[label(Field.TRIGGER, trigger), label(Field.RUN_TYPE, run_type)] += number
    by_result: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0])
    for result, amount in truth["durations_by_result_ms"].items():
        by_result[label(Field.RESULT, result)][0] += amount["sum"]
        by_result[label(Field.RESULT, result)][1] += amount["count"]
    return {
        "finished": dict(finished),
        "terminations": dict(terminations),
        "started": dict(started),
        "durations": {job: (amount["sum"], amount["count"]) for job, amount in truth["durations_ms"].items()},
        "durations by result": {result: tuple(amount) for result, amount in by_result.items()},
        "phases": {
            (job, phase): amount
            for job, phases in truth["phases_ms"].items()
            for phase, amount in phases.items()
            if amount
        },
        "repairs": {job: number for job, number in truth["repairs"].items() if number},
        "task retries": {job: number for job, number in truth["task_retries"].items() if number},
    }


def counted(workspace: WorkspaceSnapshot) -> Account:
    """The counters of the store in the same form."""

    def values(measure: Measure) -> tuple[CounterValue, ...]:
        return tuple(item for item in workspace.counters.get(measure, ()) if item.value)

    def by_job(measure: Measure) -> dict[str, int]:
        return {item.job_id: item.value for item in values(measure)}

    counts = by_job(Measure.DURATION_COUNT)
    sums = by_job(Measure.DURATION_SUM)
    result_counts: defaultdict[str, int] = defaultdict(int)
    for item in values(Measure.DURATION_BUCKET):
        result_counts[item.labels[0]] += item.value
    result_sums = {item.labels[0]: item.value for item in values(Measure.DURATION_BUCKET_SUM)}
    return {
        "finished": {(item.job_id, item.labels[0]): item.value for item in values(Measure.RUNS_FINISHED)},
        "terminations": {item.labels: item.value for item in values(Measure.TERMINATIONS)},
        "started": {item.labels: item.value for item in values(Measure.RUNS_STARTED)},
        "durations": {job: (sums.get(job, 0), count) for job, count in counts.items()},
        "durations by result": {
            result: (result_sums.get(result, 0), count) for result, count in result_counts.items()
        },
        "phases": {(item.job_id, item.labels[0]): item.value for item in values(Measure.PHASE_TIME)},
        "repairs": by_job(Measure.REPAIRS),
        "task retries": by_job(Measure.TASK_RETRIES),
    }


def differences(one: Account, other: Account) -> Account:
    """What stands differently in the two accounts, section by section; empty when they agree."""
    return {
        f"{section} {key}": (one[section].get(key), other[section].get(key))
        for section in one
        for key in {**one[section], **other[section]}
        if one[section].get(key) != other[section].get(key)
    }


def jobs_expected(truth: Mapping[str, Any]) -> Account:
    """Per job: latest result and how often in a row it failed."""
    return {
        "jobs": {
            job: (
                facts["last_result"],
                facts["last_end_ms"],
                facts["last_success_ms"],
                facts["consecutive_failures"],
            )
            for job, facts in truth["jobs"].items()
        }
    }


def jobs_shown(workspace: WorkspaceSnapshot) -> Account:
    """The same as the store remembers it, for jobs of which runs were seen."""
    return {
        "jobs": {
            facts.job_id: (
                facts.last_result,
                _ms(facts.last_end),
                _ms(facts.last_success),
                facts.consecutive_failures,
            )
            for facts in workspace.jobs
            if facts.last_start
        }
    }


def _ms(moment: datetime | None) -> int | None:
    return None if moment is None else round(moment.timestamp() * 1000)
