"""Signing in as a service principal: tokens that expire or are revoked, and credentials that come to be accepted."""

import time
from datetime import timedelta
from pathlib import Path

from collector.config import load
from collector.wiring import collectors
from simulator import Options, Simulator
from tests.end_to_end.collecting import FAST, failures, round_of, wait_until
from tests.end_to_end.program import configured

TOKEN = "POST /oidc/v1/token"


def options(lifetime: float) -> Options:
    """A small workspace whose tokens live so many seconds."""
    return Options(jobs=3, active_runs=0, history=timedelta(0), token_lifetime=lifetime)


def configuration(folder: Path, simulator: Simulator) -> Path:
    """A workspace that is signed in to as a service principal."""
    secret = folder / "secret"
    secret.write_text(simulator.client_secret, encoding="utf-8")
    signed_in = {"client_id": simulator.client_id, "client_secret_file": str(secret)}
    return configured(folder, {"name": "production", "host": simulator.url, **signed_in}, polling=FAST)


def tokens(simulator: Simulator) -> int:
    """How many tokens were issued."""
    return int(simulator.control.requests()["total"].get(TOKEN, {}).get("200", 0))


def test_tokens_that_expire_are_renewed_before_anybody_notices(tmp_path: Path) -> None:
    """Over two lifetimes of a token no poll fails."""
    lifetime = 2.0
    with (
        Simulator(options(lifetime)) as simulator,
        collectors(load(configuration(tmp_path, simulator), {})) as built,
    ):
        failed: set[tuple[str, str]] = set()
        enough = time.monotonic() + 2 * lifetime

        def lived_on() -> bool:
            failed.update(failures(round_of(built)))
            return time.monotonic() > enough

        wait_until(lived_on, 30)
        issued = tokens(simulator)

    assert set() == failed
    assert issued > 2


def test_revoked_tokens_cost_no_poll(tmp_path: Path) -> None:
    """When the workspace revokes what it issued, the next poll signs in anew."""
    with (
        Simulator(options(3600)) as simulator,
        collectors(load(configuration(tmp_path, simulator), {})) as built,
    ):
        round_of(built)
        issued = tokens(simulator)
        simulator.control.credentials(expire_issued=True)
        after = failures(round_of(built))
        issued_after = tokens(simulator)

    assert set() == after
    assert issued < issued_after


def test_a_client_that_is_refused_recovers_when_it_is_accepted(tmp_path: Path) -> None:
    """A wrong secret is a refusal with a reason, and needs no restart once the workspace knows it."""
    with (
        Simulator(options(3600)) as simulator,
        collectors(load(configuration(tmp_path, simulator), {})) as built,
    ):
        known = dict(simulator.options.clients)
        simulator.control.credentials(clients={"somebody": "else"})
        refused = [poll.error for poll in round_of(built)]
        simulator.control.credentials(clients=known)
        accepted = failures(round_of(built))

    assert {"refused"} == set(refused)
    assert set() == accepted
