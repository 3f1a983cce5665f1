"""Faults spoil answers as the real thing does, where and as often as asked."""

import http.client
import json
import time
from urllib.request import Request, urlopen

import pytest

from tests.simulator.raw import JOBS, RUN, RUNS, ask


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ({"kind": "throttled"}, (429, "REQUEST_LIMIT_EXCEEDED")),
        ({"kind": "error", "status": 500}, (500, "INTERNAL_ERROR")),
        ({"kind": "error", "status": 502}, (502, "BAD_GATEWAY")),
        ({"kind": "error", "status": 503}, (503, "TEMPORARILY_UNAVAILABLE")),
        ({"kind": "error", "status": 504}, (504, "DEADLINE_EXCEEDED")),
        ({"kind": "forbidden"}, (403, "PERMISSION_DENIED")),
    ],
)
def test_a_fault_meets_the_requests_it_is_meant_for(quiet, control, fault, told):
    """It meets its endpoint, as often as its count says, and nothing else."""
    control.fault(**fault, endpoint="runs/list", count=2)

    answers = [ask(quiet, path) for path in (JOBS, RUNS, RUNS, RUNS)]

    assert [200, told[0], told[0], 200] == [answer.status for answer in answers]
    assert told[1] == answers[1].json["error_code"]


def test_retry_after_is_sent_when_asked_for(quiet, control):
    """Throttling comes with and without `Retry-After`."""
    control.fault("throttled", count=1, retry_after=7)
    control.fault("throttled", count=1)

    first, second = ask(quiet, RUNS), ask(quiet, RUNS)

    assert "7" == first.headers["Retry-After"]
    assert (429, False) == (second.status, "Retry-After" in second.headers)


@pytest.mark.parametrize("status", [200, 502])
def test_html_instead_of_json(quiet, control, status):
    """A proxy's page comes as HTML, with an error status or with 200."""
    control.fault("html", status=status)

    answer = ask(quiet, RUNS)

    assert (status, True) == (answer.status, answer.headers["Content-Type"].startswith("text/html"))


def test_a_reset_connection(quiet, control):
    """The connection ends without an answer, and the request is counted."""
    control.fault("reset", count=1)

    with pytest.raises(ConnectionError):
        ask(quiet, RUNS)

    assert {"reset": 1} == control.requests()["total"][f"GET {RUNS}"]
    assert 200 == ask(quiet, RUNS).status


def test_a_truncated_answer(lively):
    """The body ends before the length it announced."""
    lively.control.fault("truncated", count=1)

    with pytest.raises(http.client.IncompleteRead):
        ask(lively, RUNS)


def test_invalid_json(quiet, control):
    """The body has its length and is not JSON."""
    control.fault("invalid_json", count=1)

    answer = ask(quiet, RUNS)

    assert 200 == answer.status
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer.text)


def test_an_unreadable_run_among_readable_ones(lively):
    """One run of a page lacks its start time or has one that is no number; the others are as they were."""
    whole = ask(lively, RUNS).json["runs"]
    lively.control.fault("unreadable", count=1)

    spoiled = ask(lively, RUNS).json["runs"]

    assert [False] == [
        isinstance(run.get("start_time"), int)
        for run, before in zip(spoiled, whole, strict=True)
        if run != before
    ]


def test_an_unreadable_fault_waits_for_a_run(quiet, control):
    """An answer without runs does not use it up."""
    control.fault("unreadable", count=1)
    ask(quiet, RUNS)
    run = control.start("alpha")

    assert not isinstance(ask(quiet, RUN, run_id=run["run_id"]).json.get("start_time"), int)


def test_a_slow_answer(quiet, control):
    """The answer is right, and late."""
    control.fault("slow", seconds=0.2, count=1)
    began = time.monotonic()

    answer = ask(quiet, RUNS)

    assert 200 == answer.status
    assert time.monotonic() - began >= 0.2


def test_latency_is_for_every_answer(make_simulator):
    """With a latency each answer takes that long."""
    sim = make_simulator(jobs=1, active_runs=0, latency=0.1)
    began = time.monotonic()

    ask(sim, RUNS)

    assert time.monotonic() - began >= 0.1


def test_chance_decides_by_the_seed(make_simulator):
    """A fault with a probability meets the same requests whenever the seed is the same."""

    def statuses() -> list[int]:
        sim = make_simulator(jobs=1, active_runs=0)
        sim.control.fault("error", probability=0.5)
        return [ask(sim, RUNS).status for _ in range(20)]

    first = statuses()

    assert {200, 503} == set(first)
    assert first == statuses()


def test_refused_tokens_stay_refused_until_they_are_replaced(quiet, control):
    """`unauthorized` refuses the tokens of the moment; one that is set later works."""
    control.fault("unauthorized")
    refused = ask(quiet, RUNS).status
    control.credentials(tokens=["replaced"])

    assert [401, 401, 200] == [refused, ask(quiet, RUNS).status, ask(quiet, RUNS, token="replaced").status]


def test_faults_can_be_cleared(quiet, control):
    """After clearing nothing goes wrong."""
    control.fault("error")
    control.clear_faults()

    assert 200 == ask(quiet, RUNS).status


def test_connections_are_kept_and_ended_with_the_server(make_simulator):
    """Many requests share one connection, and an open connection does not hold up the end."""
    sim = make_simulator(jobs=1, active_runs=0)
    connection = http.client.HTTPConnection(sim.url.removeprefix("http://"), timeout=10)
    socket = None
    for _ in range(3):
        connection.request("GET", RUNS, headers={"Authorization": f"Bearer {sim.token}"})
        connection.getresponse().read()
        socket = socket or connection.sock
        assert socket is connection.sock
    began = time.monotonic()

    sim.__exit__(None, None, None)

    assert time.monotonic() - began < 3
    connection.close()


def test_discovery_follows_the_name_that_was_asked(quiet):
    """Token endpoints are on the host by which the workspace was reached, as behind a port mapping."""
    request = Request(quiet.url + "/.well-known/databricks-config", headers={"Host": "workspace.test:81"})

    with urlopen(request, timeout=10) as answer:
        assert "http://workspace.test:81/oidc" == json.load(answer)["oidc_endpoint"]
