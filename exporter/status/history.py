"""What the pages read from the store beside the latest snapshot: the reader in the program, values in tests."""

from collections.abc import Collection, Iterable, Mapping
from typing import Protocol

from collector.core.failing import Ending, Failing
from collector.core.records import RunPage, RunRecord
from collector.store.engine import StoreError


class History(Protocol):
    """Runs that have ended, and why. Every method raises StoreError."""

    def failing(self, workspace: str, job_ids: Iterable[str]) -> Mapping[str, Failing]:
        """By job id: why those of the jobs fail that do."""

    def endings(
        self, workspace: str, job_ids: Iterable[str], *, each: int
    ) -> Mapping[str, tuple[Ending, ...]]:
        """By job id: its latest attempts, the oldest first."""

    def runs(
        self, workspace: str | None = None, *, job_ids: Collection[str] | None = None, limit: int = 100
    ) -> RunPage:
        """A job's runs, newest first."""

    def run(self, run_id: str, workspace: str | None = None) -> RunRecord | None:
        """A run with its details; None for one that is not held."""


class NoHistory:
    """A store that shows snapshots and remembers nothing else."""

    def failing(self, workspace: str, job_ids: Iterable[str]) -> Mapping[str, Failing]:
        """Nothing."""
        raise StoreError(f"nothing is known of {len(list(job_ids))} failing jobs of {workspace}")

    def endings(
        self, workspace: str, job_ids: Iterable[str], *, each: int
    ) -> Mapping[str, tuple[Ending, ...]]:
        """Nothing."""
        raise StoreError(
            f"nothing is known of {len(list(job_ids))} jobs of {workspace}, let alone {each} attempts"
        )

    def runs(
        self, workspace: str | None = None, *, job_ids: Collection[str] | None = None, limit: int = 100
    ) -> RunPage:
        """Nothing."""
        raise StoreError(f"none of {limit} runs of {job_ids} is known in {workspace}")

    def run(self, run_id: str, workspace: str | None = None) -> RunRecord | None:
        """Nothing."""
        raise StoreError(f"nothing is known of run {run_id} of {workspace}")
