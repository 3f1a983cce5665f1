"""The definitions poll: names, schedules, tags and targets of all jobs, and which jobs are gone."""

from datetime import datetime

from collector.core import plan
from collector.poll import Answer, Desk
from collector.store.transaction import Transaction


def definitions(desk: Desk, started: datetime) -> Answer:  # noqa: ARG001 – every collector is asked alike
    """Ask for all jobs; what a list without unreadable items no longer shows is marked deleted and kept."""
    jobs = {job.job_id: (job, plan.target(job, desk.terms.sla_tag)) for job in desk.source.jobs()}
    whole = not desk.source.unreadable

    def write(transaction: Transaction, now: datetime) -> int:
        return transaction.save_jobs(jobs, whole=whole, now=now)

    return Answer(write=write, seen=len(jobs))
