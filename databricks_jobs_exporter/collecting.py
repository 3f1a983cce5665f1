"""The commands that ask Databricks. Loading the SDK takes a second and 60 MiB: who does not need it does without."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from collector.checking import reports
from collector.config import Settings
from collector.wiring import collectors, silence
from databricks_jobs_exporter import verdict


@contextmanager
def collecting(settings: Settings) -> Iterator[None]:
    """Everything is polled at its interval while the block runs."""
    with _progress() as progress, collectors(settings, progress=progress) as built:
        schedule = built.schedule()
        schedule.start()
        try:
            yield
        finally:
            schedule.close()


def once(settings: Settings) -> int:
    """One round of all polls; 1 when one of them failed."""
    table = Table("workspace", "collector", "outcome", "seen", "changed", "requests", "seconds", box=None)
    failed = False
    with _progress() as progress, collectors(settings, progress=progress) as built:
        for workspace, poll in built.once():
            if poll is None:
                failed = True
                table.add_row(workspace, "", "another collector polls it, or the store refuses: see the log")
                continue
            failed = failed or bool(poll.error)
            table.add_row(
                workspace,
                poll.collector.value,
                escape(f"{poll.error}: {poll.message}") if poll.error else "ok",
                f"{poll.seen}",
                f"{poll.changed}",
                f"{poll.requests}",
                f"{poll.duration.total_seconds():.2f}",
            )
    Console(soft_wrap=True).print(table)
    return int(failed)


def check(settings: Settings) -> int:
    """Try everything that the collectors need, without a store; 1 when something is missing."""
    complete = True
    if any(workspace.warehouse_id for workspace in settings.workspaces):
        print("A SQL warehouse that is stopped starts now, which takes seconds to minutes.", file=sys.stderr)
    for report in reports(settings, datetime.now(UTC)):
        verdict.show(report, settings.polling)
        complete = complete and report.complete
    return int(not complete)


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """Shows the first look back at a terminal; elsewhere the log has to do."""
    if not sys.stderr.isatty():
        yield silence
        return
    columns = (
        TextColumn("looking back"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("windows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=False) as bar:
        task = bar.add_task("", total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=done < total)

        yield show
