"""What an answer is made from: the latest snapshot at one instant, and which workspaces and jobs of it are asked for."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import translate
from http import HTTPStatus

from collector.core.snapshot import JobFacts, Snapshot, WorkspaceSnapshot
from exporter.api.freshness import Age, Basis, age
from exporter.api.refusals import RefusedError, wrong
from exporter.options import ExporterOptions
from exporter.pages import Pages

Jobs = Mapping[str, Mapping[str, JobFacts]]
"""By workspace and id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """The store as it was last seen, and the time."""

    snapshot: Snapshot
    options: ExporterOptions
    now: datetime
    readable: bool
    """False when the store could not be read at the last attempt."""

    def workspaces(self, name: str | None) -> tuple[WorkspaceSnapshot, ...]:
        """The workspace of that name, or all; refuses a name that there is not."""
        if name is None:
            return self.snapshot.workspaces
        found = tuple(workspace for workspace in self.snapshot.workspaces if workspace.name == name)
        if not found:
            names = ", ".join(workspace.name for workspace in self.snapshot.workspaces)
            raise wrong("workspace", "no workspace here", f"one of {names}" if names else "nothing yet")
        return found

    def age(self, workspaces: Iterable[WorkspaceSnapshot], basis: Basis) -> Age:
        """How old the data of these workspaces are."""
        return age(workspaces, basis, self.options, self.now, readable=self.readable)


def moment(pages: Pages) -> Moment:
    """Now; refuses before there is a snapshot."""
    snapshot = pages.snapshot
    if snapshot is None:
        raise RefusedError(HTTPStatus.SERVICE_UNAVAILABLE, "nothing is loaded yet")
    return Moment(snapshot=snapshot, options=pages.options, now=pages.now(), readable=pages.readable)


def chosen(workspaces: Iterable[WorkspaceSnapshot], job: str | None, team: str | None) -> Jobs:
    """The known jobs that are asked for: by id or pattern of the name, and by team."""
    name = re.compile(translate(job.casefold())) if job and not is_id(job) else None

    def fits(facts: JobFacts) -> bool:
        if team is not None and team_of(facts) != team:
            return False
        if name is not None:
            return name.match(facts.name.casefold()) is not None
        return job is None or facts.job_id == job

    return {
        workspace.name: {facts.job_id: facts for facts in workspace.jobs if fits(facts)}
        for workspace in workspaces
    }


def chosen_ids(
    workspaces: Sequence[WorkspaceSnapshot], job: str | None, team: str | None
) -> Mapping[str, Sequence[str]] | None:
    """The ids of the jobs that are asked for, by workspace; None for all. An id alone need not be known: one-time runs
    and jobs that were deleted long ago have runs, too.
    """
    if job is None and team is None:
        return None
    if job is not None and team is None and is_id(job):
        return {workspace.name: (job,) for workspace in workspaces}
    return {name: tuple(jobs) for name, jobs in chosen(workspaces, job, team).items()}


def is_id(job: str) -> bool:
    """True for an id, False for a pattern."""
    return job.isascii() and job.isdigit()


def team_of(facts: JobFacts | None) -> str | None:
    """Who answers for the job."""
    return facts.agreement.team.name if facts and facts.agreement.team else None
