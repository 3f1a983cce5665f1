"""How requests end: faults of every kind, deadlines, throttling and credentials, through the unmodified SDK."""

import time
from pathlib import Path

import pytest

from collector.core.plan import Window
from collector.sources.budget import Budget
from collector.sources.connection import Connection
from collector.sources.jobs_api import JobsApi
from collector.sources.source import Refused, SourceError, Throttled, Unreachable, Unreadable
from collector.sources.translation import ATTEMPTS
from simulator import Control, Simulator
from tests.sources.scripted import scripted
from tests.sources.workspace import connection_to, source_over, token_in

EVERYTHING = (Window(),)
CONFIG = "/.well-known/databricks-config"
LIST = "/api/2.2/jobs/runs/list"
PASSING = [
    ({"kind": "error", "status": 500}, Unreachable, "500"),
    ({"kind": "error", "status": 502}, Unreachable, "5xx"),
    ({"kind": "error", "status": 503}, Unreachable, "503"),
    ({"kind": "error", "status": 504}, Unreachable, "504"),
    ({"kind": "html", "status": 502}, Unreachable, "5xx"),
    ({"kind": "html", "status": 200}, Unreadable, "error"),
    ({"kind": "reset"}, Unreachable, "error"),
    ({"kind": "truncated"}, Unreachable, "error"),
    ({"kind": "invalid_json"}, Unreadable, "error"),
]
"""The fault, what it becomes when it stays, and the label of its requests."""


def failure_of(source: JobsApi) -> SourceError:
    """The error with which asking for active runs ends."""
    with pytest.raises(SourceError) as caught:
        source.active(EVERYTHING)
    return caught.value


def asked(control: Control) -> int:
    """Requests for lists of runs that the workspace has seen."""
    return sum(control.requests()["total"].get(f"GET {LIST}", {}).values())


# ── faults ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("fault", "error", "code"), PASSING)
def test_a_passing_failure_is_tried_again(
    source: JobsApi, control: Control, fault: dict[str, object], error: type[SourceError], code: str
) -> None:
    """What goes wrong twice and then works is an answer, and every try is in the tally."""
    control.start("one", "orders")
    control.fault(**fault, endpoint=LIST, count=ATTEMPTS - 1)

    runs = tuple(source.active(EVERYTHING))

    assert [str(control.run("one")["run_id"])] == [run.run_id for run in runs]
    assert {("jobs/runs/list", code): 2, ("jobs/runs/list", "200"): 1} == source.take_tally().requests


@pytest.mark.parametrize(("fault", "error", "code"), PASSING)
def test_a_lasting_failure_is_one_error_of_the_right_family(
    source: JobsApi, control: Control, fault: dict[str, object], error: type[SourceError], code: str
) -> None:
    """After as many tries as allowed it ends in one short line."""
    control.fault(**fault, endpoint=LIST)

    failure = failure_of(source)

    assert error is type(failure)
    assert 0 < len(str(failure)) <= 300
    assert str(failure).isprintable()
    assert "<" not in str(failure)
    assert ATTEMPTS == asked(control)
    assert {("jobs/runs/list", code): ATTEMPTS} == source.take_tally().requests


def test_a_missing_right_is_refused_at_once(source: JobsApi, control: Control) -> None:
    """403 does not pass by itself: but for one look at the credentials it is not tried again, and holds no token."""
    control.fault("forbidden", endpoint=LIST)

    failure = failure_of(source)
    asked_first = asked(control)
    failures = [failure_of(source) for _ in range(3)]

    assert {Refused} == {type(each).__mro__[1] for each in [failure, *failures]}
    assert "simulated-token" not in str(failure)
    assert (2, 2 + 3) == (asked_first, asked(control))


def test_a_request_that_the_api_does_not_understand_is_sent_once(workspace, make_source) -> None:
    """400 is our mistake or theirs; asking the same again brings the same."""
    source = make_source(connection_to(workspace.url))
    backwards = Window(workspace.now(), workspace.now().replace(year=2000))

    with pytest.raises(Unreadable, match="start_time_from"):
        source.active([backwards])

    assert {("jobs/runs/list", "400"): 1} == source.take_tally().requests


def test_a_host_without_a_jobs_api_is_unreadable(make_source) -> None:
    """404 for a list is an answer that nobody documents, and no accident of the program."""
    with scripted({CONFIG: [{}]}) as server:
        failure = failure_of(make_source(connection_to(server.url)))

    assert Unreadable.reason == failure.reason


def test_a_host_that_is_not_there_is_unreachable(make_source) -> None:
    """Nobody listens on the port: that is a matter of the network, whatever the way of authentication."""
    with scripted({}) as server:
        url = server.url

    by_token = make_source(connection_to(url), 5)
    by_client = make_source(connection_to(url, client_id="me", client_secret="hush-hush"), 5)

    assert isinstance(failure_of(by_token), Unreachable)
    assert isinstance(failure := failure_of(by_client), Unreachable)
    assert "hush-hush" not in str(failure)


# ── deadlines ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("credentials", ["token", "client"])
def test_a_slow_endpoint_ends_at_the_deadline(workspace, control, make_source, credentials: str) -> None:
    """The poll ends when it should, and the next one works although the slow answer is still to come."""
    client = {"client_id": workspace.client_id, "client_secret": workspace.client_secret}
    source = make_source(connection_to(workspace.url, **(client if credentials == "client" else {})))
    source.active(EVERYTHING)
    control.fault("slow", endpoint=LIST, seconds=8, count=1)
    source.start_deadline(0.3)
    begun = time.monotonic()

    failure = failure_of(source)

    assert isinstance(failure, Unreachable)
    assert time.monotonic() - begun < 3
    source.start_deadline(5)
    assert () == source.active(EVERYTHING)


def test_a_token_service_that_hangs_holds_up_one_poll(workspace, control, make_source) -> None:
    """The SDK waits for tokens without end; we do not, and the next poll asks anew."""
    control.fault("slow", endpoint="/oidc/v1/token", seconds=8, count=1)
    client = {"client_id": workspace.client_id, "client_secret": workspace.client_secret}
    source = make_source(connection_to(workspace.url, **client), 0.3)
    begun = time.monotonic()

    failure = failure_of(source)

    assert isinstance(failure, Unreachable)
    assert time.monotonic() - begun < 3
    source.start_deadline(5)
    assert () == source.active(EVERYTHING)


def test_while_one_waits_for_a_token_the_deadlines_of_others_hold(workspace, control, make_source) -> None:
    """Collectors share the client of their workspace, and none waits longer than it wants to."""
    control.fault("slow", endpoint=CONFIG, seconds=8, count=1)
    connection = connection_to(workspace.url)
    patient, hurried = make_source(connection, 8), make_source(connection, 0.3)
    waiting = patient._client.submit(patient._client.config)
    begun = time.monotonic()

    failure = failure_of(hurried)

    assert isinstance(failure, Unreachable)
    assert time.monotonic() - begun < 3
    assert not waiting.done()


def test_a_token_service_that_never_answers_holds_few_threads(workspace, control) -> None:
    """Each poll that it holds up waits longer before it asks another time."""
    control.fault("slow", endpoint=CONFIG, seconds=5)
    clock = [0.0]
    given = {"host": workspace.url, "auth_type": "pat", "token": "simulated-token"}
    made: list[float] = []

    def settings() -> dict[str, str]:
        made.append(clock[0])
        return given

    connection = Connection(settings, Budget(1000), monotonic=lambda: clock[0])
    for second in range(60):
        clock[0] = float(second)
        with pytest.raises(Unreachable):
            connection.client(0.001)
        connection.give_up()

    assert [0, 1, 7, 18, 39] == made


def test_what_is_left_of_a_failed_poll_sends_nothing_more(workspace, control, make_source) -> None:
    """A walk through the pages that outlives its poll stops at its next page."""
    for number in range(60):
        control.start(f"run {number}", "orders")
    source = make_source(connection_to(workspace.url))
    source._client.result(source._client.submit(source._client.config))
    control.fault("slow", endpoint=LIST, seconds=1.2, count=1)
    source.start_deadline(0.2)
    zombie = source._client.submit(source._walk, {"active_only": True}, Window(), 0.0)

    with pytest.raises(Unreachable):
        source._client.result(zombie)
    source.start_deadline(20)

    with pytest.raises(Unreachable):
        zombie.result(timeout=10)
    assert 1 == asked(control)


# ── throttling ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("retry_after", [{}, {"retry_after": 1}])
def test_429_pauses_and_goes_on(workspace, control, make_source, retry_after: dict[str, int]) -> None:
    """With or without Retry-After: a second without requests, half the rate, and then the answer."""
    budget = Budget(100)
    source = make_source(connection_to(workspace.url, budget))
    control.fault("throttled", endpoint=LIST, count=1, **retry_after)
    begun = time.monotonic()

    runs = source.active(EVERYTHING)

    assert () == runs
    assert 0.9 < time.monotonic() - begun < 3
    assert pytest.approx(50 * 1.02) == budget._rate
    assert {("jobs/runs/list", "429"): 1, ("jobs/runs/list", "200"): 1} == source.take_tally().requests


def test_a_pause_beyond_the_deadline_is_throttled_at_once(workspace, control, make_source) -> None:
    """Nobody sleeps for half a minute, and until the pause is over nothing is sent."""
    source = make_source(connection_to(workspace.url), 5)
    control.fault("throttled", endpoint=LIST, count=1, retry_after=30)
    begun = time.monotonic()

    first = failure_of(source)
    source.start_deadline(5)
    second = failure_of(source)

    assert [Throttled, Throttled] == [type(first), type(second)]
    assert time.monotonic() - begun < 2
    assert 1 == asked(control)


def test_no_single_429_stops_a_workspace_for_longer_than_five_minutes(
    workspace, control, make_source
) -> None:
    """A Retry-After of a day is a mistake, and nobody would notice its end."""
    budget = Budget(1000, monotonic=lambda: 0.0)
    source = make_source(connection_to(workspace.url, budget), 5)
    control.fault("throttled", endpoint=LIST, count=1, retry_after=86_400)

    failure = failure_of(source)

    assert isinstance(failure, Throttled)
    assert 300 == budget.take().imposed


def test_the_own_budget_does_not_eat_the_deadline(workspace, make_source, control) -> None:
    """Who must send slowly gets the time for it, also when reading many windows."""
    for number in range(3):
        control.start(f"run {number}", "orders")
        control.finish(f"run {number}")
    budget = Budget(8)
    source = make_source(connection_to(workspace.url, budget), 0.3)
    for _ in range(20):
        budget.take()

    windows = tuple(source.completed_windows([Window(workspace.now()) for _ in range(4)]))

    assert [3, 3, 3, 3] == [len(runs) for _, runs in windows]


# ── credentials ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rotated_token_file_is_read_again(workspace, control, make_source, tmp_path: Path) -> None:
    """A refused token is looked up anew once, without a restart and without a failed poll."""
    file = tmp_path / "token"
    file.write_text("simulated-token", encoding="utf-8")
    source = make_source(Connection(token_in(workspace.url, file), Budget(1000)))
    source.active(EVERYTHING)
    control.credentials(tokens=["rotated-token"])
    file.write_text("rotated-token", encoding="utf-8")
    source.take_tally()

    source.active(EVERYTHING)

    assert {("jobs/runs/list", "401"): 1, ("jobs/runs/list", "200"): 1} == source.take_tally().requests


def test_a_rotated_token_file_is_read_again_after_a_403(
    workspace, control, make_source, tmp_path: Path
) -> None:
    """Databricks answers 403, too, for a token that has expired; the poll goes on with the new one."""
    file = tmp_path / "token"
    file.write_text("simulated-token", encoding="utf-8")
    source = make_source(Connection(token_in(workspace.url, file), Budget(1000)))
    source.active(EVERYTHING)
    control.fault("forbidden", endpoint=LIST, count=1)
    control.credentials(tokens=["simulated-token", "rotated-token"])
    file.write_text("rotated-token", encoding="utf-8")
    source.take_tally()

    runs = source.active(EVERYTHING)

    assert () == runs
    assert "rotated-token" == source._client._connection.client(10).config.token
    assert {("jobs/runs/list", "403"): 1, ("jobs/runs/list", "200"): 1} == source.take_tally().requests


def test_requests_side_by_side_that_are_refused_share_one_new_client(workspace) -> None:
    """The first of them has it made, the others are told that there is one, also while it is not ready."""
    made: list[str] = []

    def settings() -> dict[str, str]:
        made.append("client")
        return {"host": workspace.url, "auth_type": "pat", "token": "simulated-token"}

    connection = Connection(settings, Budget(1000), monotonic=lambda: 0.0)
    refused = connection.client(10)

    before = [connection.renew(refused, after=60) for _ in range(3)]
    fresh = connection.client(10)
    afterwards = [connection.renew(refused, after=60), connection.renew(fresh, after=60)]

    assert [True, True, True] == before
    assert [True, False] == afterwards
    assert 2 == len(made)


def test_a_403_makes_a_new_client_once_a_minute(workspace) -> None:
    """A right that is missing for good does not cost a sign-in with each request."""
    clock = [0.0]
    given = {"host": workspace.url, "auth_type": "pat", "token": "simulated-token"}
    connection = Connection(lambda: given, Budget(1000), monotonic=lambda: clock[0])
    renewed = []

    for second in (0, 1, 59, 60, 61):
        clock[0] = float(second)
        renewed.append(connection.renew(connection.client(10), after=60))

    assert [True, False, False, True, False] == renewed


def test_a_revoked_oauth_token_is_replaced(workspace, control, make_source) -> None:
    """The SDK believes its token to be good for an hour; the workspace knows better."""
    client = {"client_id": workspace.client_id, "client_secret": workspace.client_secret}
    source = make_source(connection_to(workspace.url, **client))
    source.active(EVERYTHING)
    control.credentials(expire_issued=True)

    source.active(EVERYTHING)

    assert 2 == control.requests()["total"]["POST /oidc/v1/token"]["200"]


def test_a_wrong_token_is_refused_after_one_more_look(source: JobsApi, control: Control) -> None:
    """401 that stays costs two requests a poll, and nobody reads the token in the message."""
    control.credentials(tokens=["another-token"])

    failure = failure_of(source)

    assert isinstance(failure, Refused)
    assert "simulated-token" not in str(failure)
    assert str(failure).isprintable()
    assert 2 == asked(control)


def test_a_wrong_client_secret_is_refused(workspace, control, make_source) -> None:
    """A token service that says no is a refusal, and no request was sent to the API."""
    source = make_source(connection_to(workspace.url, client_id=workspace.client_id, client_secret="wrong!"))

    failure = failure_of(source)

    assert isinstance(failure, Refused)
    assert "wrong!" not in str(failure)
    assert not source.take_tally().requests
    assert 0 == asked(control)


def test_a_missing_token_is_refused_and_looked_for_again(workspace, make_source, tmp_path: Path) -> None:
    """A secret that is mounted late is found by the next poll."""
    file = tmp_path / "token"

    def settings() -> dict[str, str]:
        if not file.exists():
            raise ValueError("the file with the token cannot be read")
        return dict(token_in(workspace.url, file)())

    source = make_source(Connection(settings, Budget(1000)))

    failure = failure_of(source)

    assert isinstance(failure, Refused)
    assert "the file with the token cannot be read" in str(failure)
    file.write_text("simulated-token", encoding="utf-8")
    source.start_deadline(5)
    assert () == source.active(EVERYTHING)


# ── identity ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_workspace_says_who_it_is(workspace: Simulator, source: JobsApi) -> None:
    """Discovery knows the id; nothing of the API is asked."""
    identity = source.identity()

    assert (workspace.url, "4711") == (identity.host, identity.workspace_id)
    assert not source.take_tally().requests


def test_without_discovery_the_id_is_asked_for_once(workspace, control, make_source) -> None:
    """The id comes in a header, through the same budget and tally as everything."""
    control.fault("error", endpoint=CONFIG, status=500)
    source = make_source(connection_to(workspace.url))

    identities = [source.identity() for _ in range(3)]

    assert ["4711"] * 3 == [identity.workspace_id for identity in identities]
    assert {("scim/v2/Me", "200"): 1} == source.take_tally().requests


def test_an_id_that_is_not_to_be_had_is_empty(workspace, control, make_source) -> None:
    """A service principal that may not look at itself still polls."""
    control.fault("error", endpoint=CONFIG, status=500)
    control.fault("forbidden", endpoint="/scim/")
    source = make_source(connection_to(workspace.url))

    assert "" == source.identity().workspace_id


def test_a_closed_source_asks_nothing_more(workspace, control) -> None:
    """What is still polling then gets an error that it knows."""
    source = source_over(connection_to(workspace.url))
    source.close()

    with pytest.raises(Unreachable):
        source.active(EVERYTHING)

    assert 0 == asked(control)


def test_close_ends_waiting_at_once(workspace, control) -> None:
    """The program stops in the middle of a pause."""
    source = source_over(connection_to(workspace.url), 60)
    control.fault("throttled", endpoint=LIST, retry_after=20)
    waiting = source._client.submit(source._walk, {"active_only": True}, Window(), 0.0)
    while asked(control) == 0:
        time.sleep(0.01)

    source.close()

    with pytest.raises(Unreachable):
        waiting.result(timeout=5)
