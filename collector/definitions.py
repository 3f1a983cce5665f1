"""The definitions poll: names, schedules, tags and agreements of all jobs, and which jobs are gone."""

from datetime import datetime
from functools import partial

from collector.core.agreement import agreement
from collector.desk import Answer, Desk
from collector.store.transaction import Transaction


def definitions(desk: Desk, started: datetime) -> Answer:  # noqa: ARG001 – every collector is asked alike
    """Ask for all jobs; what a list without unreadable items no longer shows is marked deleted and kept."""
    agreed = partial(agreement, words=desk.terms.words)
    jobs = {job.job_id: (job, agreed(job)) for job in desk.source.jobs()}
    whole = not desk.source.unreadable

    def write(transaction: Transaction, now: datetime) -> int:
        return transaction.save_jobs(jobs, whole=whole, now=now) + transaction.agree(agreed)

    return Answer(write=write, seen=len(jobs))
