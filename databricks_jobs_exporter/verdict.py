"""How a check is shown: a table for each workspace, what mends it in lines of their own, and what watching it will cost."""

from collections.abc import Iterator
from datetime import timedelta

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from collector.config import PollingSettings
from collector.config.values import duration_written
from collector.core.estimate import Requests, never_stops, recommended_interval, warehouse_minutes
from collector.findings import Outcome, Report
from collector.logs import redact

WIDE = 10_000
"""Columns where there is no terminal: a line that is wrapped can be neither pasted nor searched."""
COLOURS = {Outcome.OK: "green", Outcome.MISSING: "red", Outcome.FAILED: "red", Outcome.OFF: "yellow"}
MINUTE = timedelta(minutes=1)


def show(report: Report, polling: PollingSettings) -> None:
    """Print the report."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    table = Table(*(Column(head, overflow="fold") for head in ("check", "outcome", "")), box=None)
    for finding in report.findings:
        outcome = Text(finding.outcome.value, style=COLOURS[finding.outcome])
        table.add_row(Text(finding.subject), outcome, Text(finding.told))
    _line(console, f"workspace {report.workspace}")
    console.print(table)
    if mending := dict.fromkeys(line for finding in report.findings for line in finding.remedies):
        _line(
            console, "", "What mends it (then check again, because what is missing may hide more):", *mending
        )
    if report.requests:
        _line(console, "", *_requests(report.requests, polling))
    if report.auto_stop is not None:
        _line(console, "", *_warehouse(report.auto_stop, polling))
    _line(console, "")


def _line(console: Console, *lines: str) -> None:
    """Each as it is, without secrets: not wrapped, and brackets mean nothing."""
    for line in lines:
        console.print(Text(redact(line)), soft_wrap=True)


def _requests(requests: Requests, polling: PollingSettings) -> Iterator[str]:
    yield (
        f"Requests, about {requests.total:.0f} per minute: {requests.live:.0f} for lists of runs, "
        f"{requests.details:.1f} for details of what ended, {requests.definitions:.1f} for definitions, "
        f"{requests.lookback:.1f} for looking back."
    )
    if requests.total > 60 * polling.max_requests_per_second:
        yield (
            f"That is more than max_requests_per_second = {polling.max_requests_per_second:g} allows: "
            "polls will come further apart. A longer active_interval needs fewer."
        )


def _warehouse(auto_stop: timedelta, polling: PollingSettings) -> Iterator[str]:
    """What the warehouse is kept running for, and which setting changes that."""
    intervals = {
        "system_tables_interval": polling.system_tables_interval,
        "billing_interval": polling.billing_interval,
    }
    shortest = min(intervals.values())  # whatever is due then is read in the same session
    yield f"SQL warehouse, about {warehouse_minutes(shortest, auto_stop)} minutes per day, if nobody else uses it."
    if not auto_stop:
        yield "It never stops by itself: give the warehouse an auto-stop, and intervals that are longer."
    elif never_stops(shortest, auto_stop):
        longer = recommended_interval(auto_stop)
        changed = {name: longer for name, interval in intervals.items() if interval < longer}
        written = " and ".join(
            f'{name} = "{duration_written(interval)}"' for name, interval in changed.items()
        )
        yield (
            f"It never stops: it is read every {duration_written(shortest)}, and stops after "
            f"{auto_stop // MINUTE} minutes without use. {written} in [polling] would make it about "
            f"{warehouse_minutes(longer, auto_stop)} minutes."
        )
