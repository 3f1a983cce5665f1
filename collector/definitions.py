"""The definitions poll: names, schedules, tags and targets of all jobs, and which jobs are gone."""

from datetime import datetime

from collector.core import plan
from collector.poll import Answer, Desk
from collector.store.transaction import Transaction


def definitions(desk: Desk, started: datetime) -> Answer:
    """Ask for all jobs; what the whole list no longer shows is marked deleted and kept."""
    terms = desk.terms
    identity = desk.source.identity()
    desk.writer.register(terms.workspace, host=identity.host, workspace_id=identity.workspace_id, now=started)
    jobs = {job.job_id: (job, plan.target(job, terms.sla_tag)) for job in desk.source.jobs()}

    def write(transaction: Transaction, now: datetime) -> int:
        return transaction.save_jobs(jobs, now=now)

    return Answer(write=write, seen=len(jobs))
