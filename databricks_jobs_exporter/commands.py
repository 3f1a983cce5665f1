"""What each command does once its settings are read: builds the parts, runs them, and ends them in order."""

import ctypes
import gc
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from types import FrameType

from collector.config import Settings
from collector.logs import event
from collector.password import store_password
from collector.store.engine import open_store
from exporter.access.admission import admission_of
from exporter.options import ExporterOptions
from exporter.pages import Pages
from exporter.reading import late_store
from exporter.server import create_app, serving

logger = logging.getLogger(__name__)

GARBAGE_THRESHOLDS = (10_000, 10, 1_000)
"""A full collection walks through every job and counter that is held and stops all threads meanwhile, for 0.1 to 0.5 s
with 100,000 series; hardly anything here is in a cycle, so it may be rare. Young objects are still looked at often.
"""
SWITCH_S = 0.0005
"""How long the thread that answers a scrape waits for one that renders or parses: a tenth of Python's default."""
ARENAS = 2
"""Pools in which the C library keeps memory for threads to allocate from without waiting for each other, by default
eight for each processor. Python's threads take turns anyway, and what each pool holds in reserve adds up to 20 MiB.
"""
M_ARENA_MAX = -8
"""As malloc.h of the GNU C library has it."""
HEAD_START_S = 5.0
"""How long collecting waits at most for the first look at the store, which both together would slow down to a crawl."""
GRACE_S = 4.0
"""How long all threads together may take to end; Databricks Apps kills after 15 s."""


def run(settings: Settings, *, demo: bool = False) -> int:
    """Serve and collect until told to stop. What the store holds is served before the collectors are even loaded."""
    # what is wrong with the store is told before anything is served from it
    open_store(settings.store.url, password=store_password(settings)).dispose()
    # it silences a warning of its own while it is loaded, which undoes, and is undone by, other threads that do so
    import requests  # noqa: F401, PLC0415 – only who collects needs it

    with _stopping() as stop, _serving(settings, demo=demo) as pages:
        pages.wait(HEAD_START_S)
        with _collecting(settings):
            stop.wait()
    return 0


def collect(settings: Settings) -> int:
    """Poll until told to stop."""
    with _stopping() as stop, _collecting(settings):
        stop.wait()
    return 0


def serve(settings: Settings) -> int:
    """Serve what a collector elsewhere writes, until told to stop."""
    with _stopping() as stop, _serving(settings, demo=False):
        stop.wait()
    return 0


def once(settings: Settings) -> int:
    """One round of all polls; 1 when one of them failed."""
    from databricks_jobs_exporter import collecting  # noqa: PLC0415 – see there

    return collecting.once(settings)


def check(settings: Settings) -> int:
    """Try everything that the collectors need, without a store; 1 when something is missing."""
    from databricks_jobs_exporter import collecting  # noqa: PLC0415 – see there

    return collecting.check(settings)


COMMANDS: Mapping[str, Callable[[Settings], int]] = {
    "run": run,
    "collect": collect,
    "serve": serve,
    "once": once,
    "check": check,
}


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; a second signal ends the process at once."""
    stop = threading.Event()

    def on_signal(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            os._exit(128 + number)
        stop.set()

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _collecting(settings: Settings) -> Iterator[None]:
    from databricks_jobs_exporter.collecting import collecting  # noqa: PLC0415 – see there

    with collecting(settings):
        yield


def _tune() -> None:
    """Settings of the interpreter and the C library for many objects, large pages and many threads."""
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    sys.setswitchinterval(SWITCH_S)
    with suppress(AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


@contextmanager
def _serving(settings: Settings, *, demo: bool) -> Iterator[Pages]:
    """The pages and their HTTP server, over the store read-only."""
    _tune()
    options = ExporterOptions(
        stale_after=settings.polling.stale_after,
        max_jobs=settings.jobs.max_jobs,
        include=settings.jobs.include,
        exclude=settings.jobs.exclude,
        tag_labels=settings.jobs.tag_labels,
        job_histograms=settings.metrics.job_histograms,
        task_runs=settings.metrics.task_runs,
        exemplars=settings.metrics.exemplars,
        discounts=bool(settings.billing.discounts),
        demo=demo,
    )
    admission = admission_of(settings.server.web_config_file)
    secured = admission().context is not None
    with (
        late_store(settings.store.url, store_password(settings)) as store,
        Pages(store, options, lambda: datetime.now(UTC)) as pages,
        serving(
            create_app(pages, store, records=store, on_databricks_apps=settings.on_databricks_apps),
            settings.server.host,
            settings.server.port,
            admission,
        ) as port,
    ):
        event(logger, logging.INFO, "serving", address=f"{settings.server.host}:{port}", tls=secured)
        yield pages


def leave(code: int, *, besides: Collection[threading.Thread]) -> None:
    """Ends the process with this code when threads hang in a call without time-out, such as the SDK's token request;
    returns when all but those besides have ended. Interpreters wait for such threads, also for daemons of a pool.
    """
    deadline = time.monotonic() + GRACE_S
    ours = [thread for thread in threading.enumerate() if thread not in besides]
    for thread in ours:
        thread.join(timeout=max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in ours):
        logging.shutdown()
        sys.stdout.flush()
        os._exit(code)
