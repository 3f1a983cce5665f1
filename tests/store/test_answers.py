"""Lists of runs and single runs, as a reader answers."""

import json
import zlib
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.core.records import (
    MASKED,
    AttemptRecord,
    Parameter,
    RepairDetail,
    RunDetails,
    RunPage,
    TaskDetail,
)
from collector.store.details import packed, unpacked
from collector.store.reader import Reader
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run
from tests.store.conftest import WORKSPACE, Stores, observe, watch

RESULTS = ("SUCCESS", "FAILED", "CANCELED")
STATES = ("RUNNING", "QUEUED")
DETAILS = RunDetails(
    tasks=(
        TaskDetail(
            run_id="901",
            task_key="load",
            depends_on=("extract", "clean"),
            kind="notebook",
            attempt=1,
            repair_id="77",
            state="TERMINATED",
            result="FAILED",
            started=at(1),
            ended=at(2.5),
            queue=timedelta(milliseconds=1),
            setup=timedelta(seconds=2),
            execution=timedelta(seconds=3),
            cleanup=timedelta(seconds=4),
            termination_code="RUN_EXECUTION_ERROR",
            termination_type="CLIENT_ERROR",
            message="Größe “4” \u202e\U0001f4a5",
            url="https://run/901",
        ),
        TaskDetail(run_id="902", task_key="waiting", state="BLOCKED"),
    ),
    parameters=(Parameter(name="token", value=MASKED, default=MASKED), Parameter(name="day", value="")),
    repairs=(RepairDetail(repair_id="77", state="RUNNING", started=at(1)),),
)


@pytest.fixture
def reader(stores: Stores, writer: Writer) -> Reader:
    """A reader of two workspaces with runs that start together, some of the same id."""
    watch(writer, "lab")
    for workspace in (WORKSPACE, "lab"):
        finished = [
            make_run(
                make_attempt(started=at(n // 3), ended=at(n + 1), result=RESULTS[n % 3]),
                run_id=f"{100 + n}",
                job_id=f"{7 + n % 2}",
            )
            for n in range(12)
        ]
        active = [
            make_run(run_id=f"{200 + n}", started=at(n), state=STATES[n % 2], job_id="9") for n in range(4)
        ]
        observe(writer, *finished, *active, workspace=workspace)
    return stores.reader()


def places(page: RunPage) -> list[tuple[Any, ...]]:
    """Start, workspace and id of the runs."""
    return [(run.started, run.workspace, run.run_id) for run in page.runs]


def walk(reader: Reader, workspace: str | None, limit: int, **wanted: Any) -> list[tuple[Any, ...]]:
    """All pages of a list."""
    page = reader.runs(workspace, limit=limit, **wanted)
    found = places(page)
    while page.next:
        assert limit == len(page.runs)
        page = reader.runs(workspace, limit=limit, after=page.next, **wanted)
        found += places(page)
    return found


FILTERS: tuple[dict[str, Any], ...] = (
    {},
    {"job_ids": ["7", "9", "404"]},
    {"job_ids": {"lab": ["7"], WORKSPACE: ["8"]}},
    {"job_ids": [f"{number}" for number in range(8, 1500)]},
    {"job_ids": []},
    {"results": ["FAILED"]},
    {"results": ["FAILED", "SUCCESS"]},
    {"results": [""]},
    {"states": ["QUEUED"]},
    {"states": ["QUEUED", "TERMINATED"]},
    {"since": at(1), "until": at(3)},
    {"job_ids": ["7"], "results": ["CANCELED"], "since": at(2)},
)


@pytest.mark.parametrize("wanted", FILTERS, ids=str)
def test_pages(reader: Reader, wanted: dict[str, Any]) -> None:
    """Whatever is asked for, pages of any size are the same list as filtering everything by hand, newest first."""
    every = reader.runs(limit=1000).runs

    def fits(workspace: str, job_id: str) -> bool:
        job_ids = wanted.get("job_ids")
        of_workspace = job_ids.get(workspace, ()) if isinstance(job_ids, dict) else job_ids
        return of_workspace is None or job_id in of_workspace

    expected = [
        (run.started, run.workspace, run.run_id)
        for run in every
        if fits(run.workspace, run.job_id)
        and run.result in wanted.get("results", (run.result,))
        and run.state in wanted.get("states", (run.state,))
        and wanted.get("since", run.started) <= run.started < wanted.get("until", at(99))
    ]
    assert 32 == len(every)
    assert sorted(expected, reverse=True) == expected
    for workspace, limit in product((None, WORKSPACE), (1, 3, 100)):
        own = [place for place in expected if workspace in {None, place[1]}]
        assert own == walk(reader, workspace, limit, **wanted)


def test_a_run(stores: Stores, writer: Writer) -> None:
    """A run is shown as it was last seen, with its attempts in order, and each as it was counted."""
    first = make_attempt(started=at(0), ended=at(60), result="FAILED")
    second = make_attempt(started=at(600), ended=at(630))
    observe(
        writer,
        make_run(
            first, second, history=True, message="in the end", creator="ada", queue=timedelta(seconds=5)
        ),
    )

    run = stores.reader().run("1")

    assert run
    assert ("SUCCESS", "TERMINATED", "in the end", "ada") == (run.result, run.state, run.message, run.creator)
    assert (at(0), at(630), False, at(100)) == (run.started, run.ended, run.active, run.seen)
    assert timedelta(seconds=90) == run.duration
    assert (
        AttemptRecord(
            started=at(0),
            ended=at(60),
            duration=timedelta(seconds=60),
            queue=timedelta(seconds=5),
            result="FAILED",
            termination_code="RUN_EXECUTION_ERROR",
            termination_type="CLIENT_ERROR",
            measured=True,
        )
        == run.attempts[0]
    )
    assert "SUCCESS" == run.attempts[1].result


def test_a_run_of_one_of_the_workspaces(reader: Reader) -> None:
    """Run ids are unique within a workspace only; without one the first that has the run answers."""
    found = [reader.run("100", workspace) for workspace in (WORKSPACE, "lab", None, "elsewhere")]

    assert [WORKSPACE, "lab", "lab", None] == [run and run.workspace for run in found]
    assert reader.run("404") is None


def test_details(stores: Stores, writer: Writer) -> None:
    """Details are kept as they were read, also when a later look brings none."""
    observe(writer, make_run(make_attempt(), history=True, details=DETAILS))
    repaired = (make_attempt(), make_attempt(started=at(90), ended=at(95)))
    observe(writer, make_run(*repaired), now=200)

    run = stores.reader().run("1")

    assert run
    assert (DETAILS, at(100), 2) == (run.details, run.details_seen, len(run.attempts))


def test_details_that_count_nothing(stores: Stores, writer: Writer) -> None:
    """Details come with any change of a run, also one that no counter notices."""
    observe(writer, make_run(state="QUEUED"))
    observe(writer, make_run(state="RUNNING", history=True, details=DETAILS))

    run = stores.reader().run("1")

    assert run
    assert DETAILS == run.details


def test_details_are_of_their_workspace(stores: Stores, writer: Writer) -> None:
    """Two workspaces may have runs of the same id."""
    watch(writer, "lab")
    observe(writer, make_run(make_attempt(), history=True, details=DETAILS))
    observe(writer, make_run(make_attempt()), workspace="lab")

    run = stores.reader().run("1", "lab")

    assert run
    assert run.details is None


def test_details_of_another_program(stores: Stores) -> None:
    """Fields that a later program adds are passed over, and those that an earlier one did not know are empty."""
    later = {"tasks": [{"run_id": "1", "task_key": "main", "colour": "red"}], "weather": []}

    found = unpacked(zlib.compress(json.dumps(later).encode()))

    assert RunDetails(tasks=(TaskDetail(run_id="1", task_key="main"),)) == found


SPANS = st.integers(0, 10**12).map(lambda number: timedelta(milliseconds=number))
INSTANTS = st.none() | SPANS.map(lambda span: at(0) + span)


@given(
    st.builds(
        RunDetails,
        tasks=st.lists(
            st.builds(
                TaskDetail,
                started=INSTANTS,
                ended=INSTANTS,
                queue=SPANS,
                setup=SPANS,
                execution=SPANS,
                cleanup=SPANS,
            ),
            max_size=3,
        ).map(tuple),
        parameters=st.lists(st.builds(Parameter), max_size=3).map(tuple),
        repairs=st.lists(st.builds(RepairDetail, started=INSTANTS, ended=INSTANTS), max_size=2).map(tuple),
    )
)
@settings(max_examples=50, deadline=None)
def test_details_come_back(details: RunDetails) -> None:
    """Any details are read as they were written."""
    assert details == unpacked(packed(details))


def test_details_are_small() -> None:
    """A run with a hundred tasks takes a few kilobytes."""
    tasks = tuple(
        TaskDetail(
            run_id=f"{10**14 + n}",
            task_key=f"task_{n}",
            depends_on=(f"task_{n - 1}",),
            started=at(n),
            ended=at(n + 60),
        )
        for n in range(100)
    )

    assert 5_000 > len(packed(RunDetails(tasks=tasks)))


@pytest.mark.parametrize(("before", "left"), [(at(100), True), (at(101), False)])
def test_details_go_before_their_run(stores: Stores, writer: Writer, before: Any, left: bool) -> None:
    """Details have a shorter life than runs; the run stays."""
    observe(writer, make_run(make_attempt(), history=True, details=DETAILS))

    writer.prune(WORKSPACE, before=at(-9000), polls_before=at(-9000), details_before=before)

    run = stores.reader().run("1")
    assert run
    assert left == (run.details is not None)


def test_details_go_with_their_run(stores: Stores, writer: Writer) -> None:
    """No details outlive the run."""
    observe(writer, make_run(make_attempt(), history=True, details=DETAILS))

    writer.prune(WORKSPACE, before=at(61), polls_before=at(61))

    assert 0 == stores.reader().snapshot().rows["run_details"]
    assert stores.reader().run("1") is None
