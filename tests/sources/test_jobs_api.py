"""What each question of a poll brings, and how many requests it costs."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from collector.core.model import Run
from collector.core.plan import LONG_WALK, PAGE, Window
from collector.sources.budget import Budget
from collector.sources.client import PARALLEL
from collector.sources.source import Absence, Refused, SourceError, Unreachable, Unreadable
from simulator import Control, Simulator
from tests.sources.scripted import scripted
from tests.sources.workspace import START, connection_to, quiet

CONFIG = "/.well-known/databricks-config"
LIST = "/api/2.2/jobs/runs/list"
GET = "/api/2.2/jobs/runs/get"
EVERYTHING = (Window(),)
SINCE_START = Window(START)


def start(control: Control, *names: str, seconds: float = 1) -> dict[str, str]:
    """Start runs of the job one after another; name by run id."""
    ids = {}
    for name in names:
        ids[str(control.start(name, "orders")["run_id"])] = name
        control.advance(seconds)
    return ids


def finish(control: Control, *names: str, result: str = "SUCCESS") -> None:
    """End runs now."""
    for name in names:
        control.finish(name, result)


def numbered(count: int) -> list[str]:
    """Names of so many runs."""
    return [f"run {number}" for number in range(count)]


def to_the_end(_: Sequence[Run]) -> bool:
    """Never stop."""
    return False


def api_requests(control: Control) -> int:
    """Requests to the API that the workspace has counted since the last reset."""
    counted = control.requests(reset=True)["since_reset"]
    return sum(sum(codes.values()) for endpoint, codes in counted.items() if " /api/" in endpoint)


def body(run_id: int, **given: Any) -> dict[str, Any]:
    """A successful run of a minute as a list shows it."""
    start_ms = round(START.timestamp() * 1000)
    return {
        "run_id": run_id,
        "job_id": 7,
        "run_type": "JOB_RUN",
        "start_time": start_ms,
        "end_time": start_ms + 60_000,
        "state": {"life_cycle_state": "TERMINATED", "result_state": "SUCCESS"},
        **given,
    }


# ── lists ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_active_runs_are_read_to_the_last_page(source, control) -> None:
    """No run is left on a page that nobody asked for, and the tally is what the workspace counted."""
    ids = start(control, *numbered(2 * PAGE + 1))
    control.requests(reset=True)

    runs = tuple(source.active(EVERYTHING))

    assert ids.keys() == {run.run_id for run in runs}
    assert 3 == api_requests(control)
    assert {("jobs/runs/list", "200"): 3} == source.take_tally().requests


def test_windows_side_by_side_show_each_run_once(source, control) -> None:
    """Cutting the time into windows neither loses a run nor shows it twice."""
    ids = start(control, *numbered(40))
    cuts = [START + timedelta(seconds=second) for second in (10, 20, 30)]
    since, until = [None, *cuts], [*(cut - timedelta(milliseconds=1) for cut in cuts), None]
    control.requests(reset=True)

    runs = tuple(source.active([Window(*bounds) for bounds in zip(since, until, strict=True)]))

    assert sorted(ids) == sorted(run.run_id for run in runs)
    assert 4 == api_requests(control)


def test_the_rest_of_a_long_list_is_read_side_by_side(source, control) -> None:
    """Thousands of runs that nobody has seen yet are cut into windows while they are read, and none is lost."""
    ids = start(control, *numbered((LONG_WALK + 2) * PAGE))
    control.requests(reset=True)

    runs = tuple(source.active(EVERYTHING))

    assert sorted(ids) == sorted(run.run_id for run in runs)
    assert LONG_WALK + 2 < api_requests(control) < 3 * LONG_WALK
    finish(control, *ids.values())
    assert ids.keys() == {run.run_id for run in source.all_completed(SINCE_START)}


def test_a_list_that_ends_after_a_long_walk_is_done(source, control) -> None:
    """What has no further page is not cut any more."""
    ids = start(control, *numbered(LONG_WALK * PAGE))
    control.requests(reset=True)

    runs = tuple(source.active(EVERYTHING))

    assert ids.keys() == {run.run_id for run in runs}
    assert LONG_WALK == api_requests(control)


def test_runs_that_start_at_once_cannot_be_told_apart_by_windows(source, control) -> None:
    """A list without end at one instant is read to its end by one reader."""
    ids = start(control, *numbered((LONG_WALK + 1) * PAGE), seconds=0)
    control.requests(reset=True)

    runs = tuple(source.active(EVERYTHING))

    assert ids.keys() == {run.run_id for run in runs}
    assert LONG_WALK + 1 == api_requests(control)


def test_finished_runs_come_newest_first_and_no_further_than_wanted(source, control) -> None:
    """The page at which the caller has enough is the last that is asked for."""
    ids = start(control, *numbered(3 * PAGE))
    finish(control, *ids.values())
    control.requests(reset=True)
    pages: list[Sequence[Run]] = []

    def second_page(page: Sequence[Run]) -> bool:
        pages.append(page)
        return len(pages) == 2

    runs = list(source.completed(SINCE_START, second_page))

    assert 2 * PAGE == len(runs)
    assert sorted((run.started for run in runs), reverse=True) == [run.started for run in runs]
    assert 2 == api_requests(control)


def test_a_run_that_ends_between_two_pages_hides_no_other(source, control) -> None:
    """Pages that shift while they are read repeat a run at their edge instead of losing one."""
    ids = start(control, *numbered(PAGE + 10))
    finish(control, *(name for name in ids.values() if name != "run 34"))
    pages = source.completed(SINCE_START, to_the_end)

    first = [next(pages).run_id for _ in range(PAGE)]
    finish(control, "run 34")
    rest = [run.run_id for run in pages]

    assert first[-1] == rest[0]
    assert {run_id for run_id, name in ids.items() if name != "run 34"} == {*first, *rest}


def test_windows_of_a_look_back_bring_their_own_runs(source, control) -> None:
    """Each window comes with what started in it, empty ones too."""
    ids = start(control, "early", "late", seconds=60)
    finish(control, *ids.values())
    early = Window(START, START + timedelta(seconds=59))
    late = Window(START + timedelta(seconds=60), START + timedelta(seconds=119))
    empty = Window(START - timedelta(hours=1), START - timedelta(seconds=1))

    found = [
        (left, [ids[run.run_id] for run in runs])
        for left, runs in source.completed_windows([early, late, empty])
    ]

    assert [2, 1, 0] == [left for left, _ in found]
    assert [[], ["early"], ["late"]] == sorted(names for _, names in found)


def test_an_empty_page_token_is_the_end(make_source) -> None:
    """Only a token that leads somewhere is followed; the run's own pages end the same way."""
    whole = body(1, tasks=[], next_page_token="")
    with scripted({CONFIG: [{}], LIST: [{"runs": [body(1)], "next_page_token": ""}], GET: [whole]}) as server:
        source = make_source(connection_to(server.url))

        active = tuple(source.active(EVERYTHING))
        histories = dict(source.histories(["1"]))

        assert ["1"] == [run.run_id for run in active]
        assert ["1"] == list(histories)
        assert {CONFIG: 1, LIST: 1, GET: 1} == server.asked


def test_a_page_token_that_expires_fails_the_poll_and_not_the_next(make_source) -> None:
    """A walk that took too long begins anew with the next poll."""
    with Simulator(quiet(page_token_lifetime=0.0)) as simulator:
        simulator.control.create_job("orders")
        start(simulator.control, *numbered(PAGE + 1))
        source = make_source(connection_to(simulator.url))
        pages = source.completed(SINCE_START, to_the_end)
        finish(simulator.control, *numbered(PAGE + 1))

        first = [next(pages) for _ in range(PAGE)]
        with pytest.raises(Unreadable, match="expired"):
            next(pages)

    assert PAGE == len(first)


@pytest.mark.parametrize("answer", [b"[]", b'"text"', b"17", b'{"runs": {}}'])
def test_an_answer_of_another_form_is_unreadable(make_source, answer: bytes) -> None:
    """What is JSON and yet no list of runs is never taken for an empty one."""
    with scripted({CONFIG: [{}], LIST: [answer]}) as server:
        source = make_source(connection_to(server.url))

        with pytest.raises(SourceError) as failure:
            source.active(EVERYTHING)

    assert Unreadable.reason == failure.value.reason


def test_runs_that_cannot_be_read_are_set_aside_and_counted(make_source) -> None:
    """One broken item does not cost the others."""
    items = [body(1), body(2, start_time="yesterday"), "not an object", body(3)]
    with scripted({CONFIG: [{}], LIST: [{"runs": items}]}) as server:
        source = make_source(connection_to(server.url))

        runs = tuple(source.active(EVERYTHING))

    assert ["1", "3"] == [run.run_id for run in runs]
    assert 2 == source.take_tally().unreadable


def test_all_definitions_are_read(workspace, control, source) -> None:
    """A hundred jobs a page, to the end, each once."""
    names = {"orders", *(f"job {number}" for number in range(100))}
    for name in sorted(names - {"orders"}):
        control.create_job(name)
    control.requests(reset=True)

    jobs = tuple(source.jobs())

    assert names == {job.name for job in jobs}
    assert 2 == api_requests(control)


# ── single runs ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_history_has_all_its_tasks(workspace, control, source) -> None:
    """More than a hundred tasks come on several pages, and a repair shows its own."""
    control.create_job("wide", tasks=130)
    run_id = str(control.start("wide run", "wide")["run_id"])
    control.advance(60)
    control.finish("wide run", "FAILED")
    control.advance(60)
    control.repair("wide run")
    control.advance(60)
    control.finish("wide run")
    control.requests(reset=True)

    history = dict(source.histories([run_id]))[run_id].history

    assert ["FAILED", "SUCCESS"] == [attempt.result for attempt in history]
    assert 130 == len(history[0].tasks)
    assert 2 <= api_requests(control)


def test_a_run_that_is_gone_is_told_from_one_that_is_hidden(workspace, control, source) -> None:
    """Both are answers; only the first is final."""
    ids = [*start(control, "hidden")]
    control.fault("forbidden", endpoint=GET)

    hidden = dict(source.histories(ids))
    control.clear_faults()
    gone = dict(source.histories(["123456789"]))

    assert {ids[0]: Absence.HIDDEN} == hidden
    assert {"123456789": Absence.GONE} == gone


def test_a_token_that_ends_in_mid_poll_costs_a_handful_of_requests(workspace, control, source) -> None:
    """Many runs that are forbidden at once are hidden, none is gone, and the rest is left to the next poll."""
    ids = [*start(control, *numbered(40))]
    control.fault("forbidden", endpoint=GET)

    found = dict(source.histories(ids))

    assert dict.fromkeys(ids[:16], Absence.HIDDEN) == found


@pytest.mark.parametrize("tasks", [None, {}, 17])
def test_pages_of_a_history_that_lack_a_list_are_joined(make_source, tasks: object) -> None:
    """A first page without tasks does not spoil those of the second."""
    first = body(1, tasks=tasks, next_page_token="more")
    second = body(1, tasks=[{"run_id": 2, "task_key": "load", **body(2)}])
    with scripted({CONFIG: [{}], GET: [first, second]}) as server:
        source = make_source(connection_to(server.url))

        run = dict(source.histories(["1"]))["1"]

    assert isinstance(run, Run)
    assert run.history
    assert ["2"] == [task.run_id for task in run.history[0].tasks]


def test_a_history_that_cannot_be_read_does_not_cost_the_others(make_source) -> None:
    """Whatever is wrong with one answer, the poll keeps the rest."""
    absurd = body(1, repair_history=[{"type": "REPAIR", **body(1), "end_time": 2**62}])
    with scripted({CONFIG: [{}], GET: [absurd, body(2)]}) as server:
        source = make_source(connection_to(server.url))

        found = dict(source.histories(["1"])) | dict(source.histories(["2"]))

    assert ["2"] == list(found)
    assert 1 == source.take_tally().unreadable


def test_one_run_that_cannot_be_had_does_not_hide_the_others(workspace, control, source) -> None:
    """It is left out, so that the poll knows that it is not complete."""
    ids = [*start(control, *numbered(4))]
    control.fault("error", status=500, endpoint=GET, count=3)

    found = dict(source.histories(ids[:1])) | dict(source.histories(ids[1:]))

    assert ids[1:] == list(found)


def test_after_a_few_failures_details_are_left_to_the_next_poll(workspace, control, source) -> None:
    """A broken endpoint costs one handful of requests a poll, not one for each run."""
    ids = [*start(control, *numbered(40))]
    control.fault("error", status=500, endpoint=GET)
    control.requests(reset=True)

    found = dict(source.histories(ids, next_lists=5))

    assert {} == found
    assert 3 * PARALLEL == api_requests(control)


def test_details_leave_the_budget_that_lists_need(workspace, control, make_source) -> None:
    """With a short budget only the first few are asked for, and none while the workspace wants a pause."""
    ids = [*start(control, *numbered(20))]
    budget = Budget(4, monotonic=lambda: 0.0)
    source = make_source(connection_to(workspace.url, budget))
    for _ in range(4):
        source.active(EVERYTHING)

    found = dict(source.histories(ids, next_lists=0))
    budget.throttled(5)
    during_pause = dict(source.histories(ids, next_lists=5))

    assert ids[: 20 - 4 - 4] == list(found)
    assert {} == during_pause


def test_slow_details_end_before_the_deadline_does(workspace, control, make_source) -> None:
    """Details take the time that lists leave, and what takes too long is left out."""
    ids = [*start(control, *numbered(30))]
    source = make_source(connection_to(workspace.url))
    source.active(EVERYTHING)
    control.fault("slow", seconds=0.3, endpoint=GET)
    source.start_deadline(0.5)

    found = dict(source.histories(ids, next_lists=5))

    assert ids[:PARALLEL] == list(found)


def test_details_that_hang_are_left_out_at_the_deadline(workspace, control, make_source) -> None:
    """The lists of the poll are kept, and the next poll works."""
    ids = [*start(control, "one")]
    source = make_source(connection_to(workspace.url))
    source.active(EVERYTHING)
    control.fault("slow", seconds=8, endpoint=GET, count=1)
    source.start_deadline(0.3)

    found = dict(source.histories(ids, next_lists=5))

    assert {} == found
    source.start_deadline(5)
    assert ids == list(dict(source.histories(ids, next_lists=5)))


def test_a_look_back_leaves_budget_to_live_polls(workspace, control, make_source) -> None:
    """While a look back has used up its share, a live poll still sends at once."""
    budget = Budget(2)
    connection = connection_to(workspace.url, budget)
    live, back = make_source(connection, 30), make_source(connection, 30)
    hours = [
        Window(START - timedelta(hours=hour), START - timedelta(hours=hour, milliseconds=-3_599_999))
        for hour in range(8)
    ]
    windows = back.completed_windows(hours)
    for _ in range(4):
        next(windows)

    wait = budget.take()

    assert 0 == wait.own
    assert () == live.active(EVERYTHING)


def test_a_look_back_may_go_on_as_long_as_it_gets_on(workspace, control, make_source) -> None:
    """Its deadline is for standing still: each window that is read gives the others the whole time again."""
    source = make_source(connection_to(workspace.url))
    source.active(EVERYTHING)
    control.fault("slow", seconds=0.2, endpoint=LIST)
    source.start_deadline(0.6)
    windows = [
        Window(START + timedelta(hours=hour), START + timedelta(hours=hour, minutes=59)) for hour in range(20)
    ]

    assert len(windows) == len(list(source.completed_windows(windows)))


def test_refusals_of_lists_are_not_hidden(workspace, control, source) -> None:
    """Only single runs may be hidden from us; a list that is refused fails the poll."""
    control.fault("forbidden", endpoint=LIST)

    with pytest.raises(Refused):
        next(iter(source.completed(SINCE_START, to_the_end)))


def test_a_failed_window_fails_the_look_back(workspace, control, source) -> None:
    """A look back that lost a window is not a look back."""
    control.fault("error", status=500, endpoint=LIST)

    with pytest.raises(Unreachable):
        tuple(source.completed_windows([SINCE_START]))
