"""The Jobs API half refuses what the real one refuses."""

from datetime import timedelta

import pytest

from tests.simulator.raw import JOB, JOBS, RUN, RUNS, ask, ask_text, walk


@pytest.mark.parametrize(
    "target",
    [
        f"{RUNS}?limit=26",
        f"{RUNS}?limit=-1",
        f"{RUNS}?limit=ten",
        f"{RUNS}?limit=",
        f"{RUNS}?limit=5&limit=5",
        f"{RUNS}?order=desc",
        f"{RUNS}?active_only=True",
        f"{RUNS}?active_only=1",
        f"{RUNS}?active_only=true&completed_only=true",
        f"{RUNS}?run_type=ALL",
        f"{RUNS}?start_time_from=2026-11-23",
        f"{RUNS}?start_time_from=1.5",
        f"{RUNS}?start_time_from=9223372036854775808",
        f"{RUNS}?start_time_from=2&start_time_to=1",
        f"{RUNS}?offset=10001",
        f"{RUNS}?page_token=nonsense",
        f"{RUNS}?job_id=12",
        f"{RUNS}?include_history=true",
        f"{RUN}",
        f"{RUN}?run_id=12",
        f"{RUN}?run_id=twelve",
        f"{JOBS}?limit=0",
        f"{JOBS}?limit=101",
        f"{JOBS}?offset=1001",
        f"{JOBS}?page_token=!",
        f"{JOB}?job_id=12",
        "/api/2.0/sql/warehouses?limit=1",
    ],
)
def test_what_is_not_documented_is_refused(quiet, target):
    """A parameter that the reference does not allow is a 400 with the usual body, never a guess."""
    answer = ask_text(quiet, target)

    assert (400, "INVALID_PARAMETER_VALUE") == (answer.status, answer.json["error_code"])
    assert answer.json["message"]


def test_a_missing_run_says_so(quiet):
    """The message for a missing run is the one from which clients recognise it."""
    assert "Run 12 does not exist." == ask(quiet, RUN, run_id=12).json["message"]


@pytest.mark.parametrize("token", ["", "wrong"])
def test_without_a_valid_token_nothing_is_answered(quiet, token):
    """A missing or foreign token is a 401, whatever is asked."""
    assert [401, 401] == [ask(quiet, RUNS, token=token).status, ask(quiet, "/api/9.9/x", token=token).status]


def test_other_versions_and_methods_are_not_served(quiet):
    """Only the endpoints of the reference exist."""
    assert 404 == ask(quiet, "/api/2.1/jobs/runs/list").status


def test_an_empty_answer_lacks_the_list(quiet):
    """Without runs there is no `runs` key and no token, as on the real thing."""
    assert {} == ask(quiet, RUNS).json


@pytest.mark.parametrize(("limit", "expected"), [({}, 20), ({"limit": 0}, 25), ({"limit": 7}, 7)])
def test_page_sizes(lively, limit, expected):
    """A page holds 20 runs by default, and a limit of 0 means the most there may be."""
    assert expected == len(ask(lively, RUNS, **limit).json["runs"])


def test_pages_follow_one_another_newest_first(lively):
    """All pages together are all runs of the last sixty days, by falling start time, each once."""
    runs = walk(lively, limit=25)

    starts = [run["start_time"] for run in runs]
    assert sorted(starts, reverse=True) == starts
    assert lively.truth()["totals"]["runs"] == len({run["run_id"] for run in runs}) == len(runs)


def test_a_token_leads_back_as_well(lively):
    """`prev_page_token` of the second page gives the first."""
    first = ask(lively, RUNS).json
    second = ask(lively, RUNS, page_token=first["next_page_token"]).json

    assert "prev_page_token" not in first
    assert first["runs"] == ask(lively, RUNS, page_token=second["prev_page_token"]).json["runs"]


def test_no_token_is_ever_empty(lively):
    """The last page has no `next_page_token` at all, for an empty one makes clients loop."""
    total = lively.truth()["totals"]["runs"]

    last = ask(lively, RUNS, limit=25, offset=total - 1).json

    assert "next_page_token" not in last
    assert 1 == len(last["runs"])


def test_a_token_belongs_to_its_parameters(lively):
    """A page token with other parameters, or at another endpoint, is refused."""
    token = ask(lively, RUNS, limit=5).json["next_page_token"]

    assert 200 == ask(lively, RUNS, limit=5, page_token=token).status
    assert 400 == ask(lively, RUNS, limit=6, page_token=token).status
    assert 400 == ask(lively, RUNS, limit=5, active_only="true", page_token=token).status
    assert 400 == ask(lively, JOBS, limit=5, page_token=token).status


def test_tokens_expire(make_simulator):
    """A page token that is too old is refused."""
    sim = make_simulator(page_token_lifetime=-1.0)
    token = ask(sim, RUNS).json["next_page_token"]

    assert "expired" in ask(sim, RUNS, page_token=token).json["message"]


def test_tokens_are_positions_in_a_living_list(quiet, control):
    """A run that ends between two pages of active runs makes the next page skip one: readers must expect it."""
    for name in "abc":
        control.start(name)
        control.advance(1)
    first = ask(quiet, RUNS, active_only="true", limit=1).json
    control.finish("c")

    second = ask(quiet, RUNS, active_only="true", limit=1, page_token=first["next_page_token"]).json

    assert [control.run("c")["run_id"]] == [run["run_id"] for run in first["runs"]]
    assert [control.run("a")["run_id"]] == [run["run_id"] for run in second["runs"]]


def test_windows_compare_start_times_and_include_their_ends(lively):
    """`start_time_from` and `start_time_to` both include the instant they name."""
    starts = [run["start_time"] for run in walk(lively)]
    newest, third = starts[0], starts[2]

    window = walk(lively, start_time_from=third, start_time_to=newest)

    assert [start for start in starts if third <= start <= newest] == [run["start_time"] for run in window]


def test_filters_split_the_runs(lively):
    """Active and completed runs, and the three run types, are each the whole between them."""
    ids = {run["run_id"] for run in walk(lively)}
    types = ("JOB_RUN", "SUBMIT_RUN", "WORKFLOW_RUN")

    by_state = [walk(lively, **{state: "true"}) for state in ("active_only", "completed_only")]
    by_type = [walk(lively, run_type=run_type) for run_type in types]

    assert ids == {run["run_id"] for part in by_state for run in part}
    assert ids == {run["run_id"] for part in by_type for run in part}
    assert len(ids) == sum(map(len, by_state)) == sum(map(len, by_type))
    assert [True, True] == [bool(part) for part in by_state]


def test_a_job_lists_its_own_runs(lively):
    """`job_id` gives the runs of one job, also with a state filter."""
    job_id = walk(lively, completed_only="true", run_type="JOB_RUN")[0]["job_id"]
    expected = [run["run_id"] for run in walk(lively, completed_only="true") if run["job_id"] == job_id]

    assert expected == [run["run_id"] for run in walk(lively, job_id=job_id, completed_only="true")]


def test_runs_disappear_after_sixty_days(quiet, control):
    """A run is neither listed nor found sixty days after it ended."""
    run_id = control.start("old")["run_id"]
    control.finish("old")
    control.advance(59 * 86_400)
    before = (len(walk(quiet)), ask(quiet, RUN, run_id=run_id).status)

    control.advance(2 * 86_400)

    assert (1, 200) == before
    assert (0, 400) == (len(walk(quiet)), ask(quiet, RUN, run_id=run_id).status)


def test_states_can_be_left_out_of_the_active_list(make_simulator):
    """`hidden_states` gives the narrow reading of `active_only`, which the reference leaves open."""
    sim = make_simulator(jobs=0, active_runs=0, hidden_states=frozenset({"WAITING"}))
    run = sim.control.start("alpha", state="WAITING")

    assert [] == walk(sim, active_only="true")
    assert [run["run_id"]] == [item["run_id"] for item in walk(sim)]


def test_history_reaches_as_far_as_it_should(make_simulator):
    """The runs of the history end before the start and begin within the span."""
    sim = make_simulator(jobs=10, active_runs=3, history=timedelta(hours=2), history_runs=50)

    oldest = walk(sim, completed_only="true")[-1]["start_time"]

    assert 7_200_000 >= sim.workspace.clock.now_ms() - oldest > 0
