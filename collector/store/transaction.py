"""One poll's transaction for one workspace: read what is known, write what changed, all or nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from collector.core.model import Agreement, Change, Increment, Job, KnownRun, Poll, Target, Usage
from collector.core.snapshot import Bill
from collector.store import (
    agreements,
    bills,
    counters,
    definitions,
    details,
    history,
    horizon,
    recorded,
    runs,
    sources,
    usage,
)
from collector.store.instants import span_ms, to_ms
from collector.store.lock import raise_revision
from collector.store.recorded import Recorded
from collector.store.schema import collectors, jobs, polls
from collector.store.statements import chunks, insert


class Transaction:
    """What may be read and written between begin and commit; the workspace is locked as long as it lives.

    What ended before its `horizon` is history, and none of the counters' business; until counting begins everything is.
    """

    def __init__(self, connection: Connection, workspace: str) -> None:
        self._connection = connection
        self._workspace = workspace
        self._revision = raise_revision(connection, workspace)
        self.horizon = horizon.horizon(connection, workspace)

    def begin_counting(self, at: datetime) -> None:
        """What ended before is history, and so is what is held already."""
        horizon.begin(self._connection, self._workspace, at)
        self.horizon = horizon.horizon(self._connection, self._workspace)

    def known(self, run_ids: Iterable[str]) -> dict[str, KnownRun]:
        """What the store holds of those runs that it holds, with their attempts."""
        return runs.known(self._connection, self._workspace, run_ids)

    def targets(self, job_ids: Iterable[str]) -> dict[str, Target]:
        """What those jobs are held to that are held to something."""
        found: dict[str, Target] = {}
        for chunk in chunks(job_ids):
            query = select(jobs.c.job_id, jobs.c.sla_ms, jobs.c.sla_source).where(
                jobs.c.workspace == self._workspace, jobs.c.job_id.in_(chunk), jobs.c.sla_ms.is_not(None)
            )
            for row in self._connection.execute(query):
                if target := agreements.to_target(row):
                    found[row.job_id] = target
        return found

    def save(self, changes: Iterable[Change], *, now: datetime) -> None:
        """Runs, attempts, details and the history of their jobs are as the changes say."""
        changes = tuple(changes)
        runs.save(self._connection, self._workspace, changes, now=now)
        details.save(self._connection, self._workspace, changes, now=now)
        history.save(self._connection, self._workspace, self._revision, changes)

    def gone(self, run_ids: Iterable[str]) -> None:
        """Runs that Databricks no longer knows are not open; nothing is counted."""
        runs.close(self._connection, self._workspace, run_ids, details_wanted=False)

    def close(self, run_ids: Iterable[str]) -> None:
        """Runs that we may no longer look at are not open; nothing is counted, and their details are still wanted."""
        runs.close(self._connection, self._workspace, run_ids, details_wanted=True)

    def add(self, increments: Iterable[Increment]) -> None:
        """Every increment is in its counter; 0 makes sure that there is one."""
        counters.add(self._connection, self._workspace, self._revision, increments)

    def save_jobs(
        self, listed: Mapping[str, tuple[Job, Agreement]], *, whole: bool = True, now: datetime
    ) -> int:
        """The definitions by job id are held; when they are all there are, others are marked deleted.

        Returns how many differ.
        """
        return definitions.save_jobs(
            self._connection, self._workspace, self._revision, listed, whole=whole, now=now
        )

    def save_recorded_jobs(self, jobs: Sequence[Recorded], *, now: datetime) -> int:
        """The definitions of the system tables are held of jobs that no list has shown; returns how many differ."""
        return recorded.save_recorded_jobs(self._connection, self._workspace, self._revision, jobs, now=now)

    def agree(self, agreement: Callable[[Job], Agreement]) -> int:
        """Jobs that only the system tables define are held to what is said of them; returns how many differ."""
        return recorded.agree(self._connection, self._workspace, self._revision, agreement)

    def save_usage(self, rows: Iterable[Usage]) -> None:
        """Usage is as the rows say; all currencies of a day, job, product, SKU and unit have to come in one call."""
        usage.save_usage(self._connection, self._workspace, rows)

    def save_bill(self, bill: Bill) -> None:
        """The bill is the workspace's only one."""
        bills.save_bill(self._connection, self._workspace, bill)

    def save_source(
        self,
        source: str,
        *,
        watermark: datetime | None = None,
        newest: datetime | None = None,
        error: str = "",
        message: str = "",
    ) -> None:
        """How reading a source went; see `SourceState`. An error leaves watermark and newest record as they were."""
        sources.save_source(
            self._connection,
            self._workspace,
            source,
            watermark=watermark,
            newest=newest,
            error=error,
            message=message,
        )

    def record(self, poll: Poll) -> None:
        """The poll is on record and is its collector's latest; a successful one moves the collector's watermark."""
        started_ms, duration_ms = to_ms(poll.started), span_ms(poll.duration)
        self._connection.execute(
            polls.insert().values(
                workspace=self._workspace,
                collector=poll.collector.value,
                started_ms=started_ms,
                duration_ms=duration_ms,
                error=poll.error,
                message=poll.message,
                requests=poll.requests,
                seen=poll.seen,
                changed=poll.changed,
                complete=poll.complete,
            )
        )
        latest = {
            "interval_ms": span_ms(poll.interval),
            "last_start_ms": started_ms,
            "last_duration_ms": duration_ms,
            "error": poll.error,
            "message": poll.message,
        }
        if not poll.error:
            latest |= {"watermark_ms": started_ms, "last_success_ms": started_ms + duration_ms}
        self._connection.execute(
            insert(self._connection, collectors)
            .values(workspace=self._workspace, collector=poll.collector.value, **latest)
            .on_conflict_do_update(index_elements=["workspace", "collector"], set_=latest)
        )
