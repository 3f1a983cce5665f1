"""The control interface, `/simulator/…`: read the truth, move the clock, start and end runs, edit jobs, inject faults."""

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

from simulator import query
from simulator.content import tasks
from simulator.endings import named
from simulator.query import ApiError, invalid
from simulator.runs import Job, Phase, Run
from simulator.truth import job_of
from simulator.workspace import Workspace
from simulator.world import World

Json = dict[str, Any]
PREFIX = "/simulator/"
END_OF_TIME = 2**62
LIVELY_STATE = "RUNNING"


def control(workspace: Workspace, method: str, path: str, raw_query: str, body: Json) -> Json:
    """Carry out one request; what cannot be done is an ApiError."""
    subject, _, rest = path.removeprefix(PREFIX).partition("/")
    act = ACTIONS.get((method, subject))
    if act is None:
        raise ApiError(404, "ENDPOINT_NOT_FOUND", f"No control for '{method} {path}'.")
    try:
        return act(workspace, unquote(rest), raw_query, body)
    except (KeyError, TypeError, ValueError) as error:
        raise invalid(f"{type(error).__name__}: {error}") from error


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _truth(workspace: Workspace, _rest: str, raw_query: str, _body: Json) -> Json:
    window = query.parameters(raw_query, {"since_ms": query.integer, "until_ms": query.integer})
    until = window.integer("until_ms")
    return workspace.truth(window.integer("since_ms") or 0, END_OF_TIME if until is None else until)


def _requests(workspace: Workspace, _rest: str, raw_query: str, _body: Json) -> Json:
    reset = query.parameters(raw_query, {"reset": query.word("0", "1")}).text("reset") == "1"
    return workspace.ledger.summary(reset=reset)


# ── time and mood ────────────────────────────────────────────────────────────────────────────────────────────────


def _clock(workspace: Workspace, _rest: str, _query: str, body: Json) -> Json:
    workspace.clock.advance(round(float(body.get("advance_seconds", 0)) * 1000))
    with workspace.turn() as world:
        return {"now_ms": world.now_ms}


def _pause(workspace: Workspace, _rest: str, _query: str, _body: Json) -> Json:
    with workspace.turn():
        workspace.activity.pause(paused=True)
    return {"paused": True}


def _resume(workspace: Workspace, _rest: str, _query: str, _body: Json) -> Json:
    with workspace.turn():
        workspace.activity.pause(paused=False)
    return {"paused": False}


def _add_fault(workspace: Workspace, _rest: str, _query: str, body: Json) -> Json:
    fault = workspace.faults.add(body, workspace.credentials.accepted())
    return {"kind": fault.kind, "endpoint": fault.endpoint}


def _clear_faults(workspace: Workspace, _rest: str, _query: str, _body: Json) -> Json:
    workspace.faults.clear()
    return {}


def _credentials(workspace: Workspace, _rest: str, _query: str, body: Json) -> Json:
    workspace.credentials.replace(
        body.get("tokens"), body.get("clients"), expire=bool(body.get("expire_issued"))
    )
    return {}


# ── the SQL warehouse ────────────────────────────────────────────────────────────────────────────────────────────


def _show_warehouse(workspace: Workspace, _rest: str, raw_query: str, _body: Json) -> Json:
    reset = query.parameters(raw_query, {"reset": query.word("0", "1")}).text("reset") == "1"
    return workspace.warehouse.told(reset=reset)


def _change_warehouse(workspace: Workspace, _rest: str, _query: str, body: Json) -> Json:
    workspace.warehouse.change(body)
    return {}


def _change_rights(workspace: Workspace, rest: str, _query: str, body: Json) -> Json:
    rights = workspace.warehouse.engine.rights
    change = {"revoke": rights.revoke, "grant": rights.grant}[rest]
    change(body["privilege"], body.get("on", ""), body.get("principal", ""))
    return {}


def _table_truth(workspace: Workspace, rest: str, _query: str, _body: Json) -> Json:
    """What the system tables should give as of now."""
    engine = workspace.warehouse.engine
    return {"usage": engine.usage, "runs": engine.runs}[rest]()


# ── jobs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _create_job(workspace: Workspace, _rest: str, _query: str, body: Json) -> Json:
    settings = {"format": "MULTI_TASK", "max_concurrent_runs": 1} | body.get("settings", {})
    with workspace.turn() as world:
        job = Job(
            job_id=world.new_id(),
            created_ms=world.now_ms,
            creator="control@example.com",
            settings=settings | {"name": body["name"]},
            tasks=tasks(workspace.rng, int(body.get("tasks", 1))),
        )
        world.add_job(job)
    return {"job_id": job.job_id}


def _edit_job(workspace: Workspace, rest: str, _query: str, body: Json) -> Json:
    with workspace.turn() as world:
        job = _job(world, rest)
        name = {"name": body["name"]} if "name" in body else {}
        merged = job.settings | body.get("settings", {}) | name
        world.edit_job(job, {key: value for key, value in merged.items() if value is not None})
    return {"job_id": job.job_id}


def _delete_job(workspace: Workspace, rest: str, _query: str, _body: Json) -> Json:
    with workspace.turn() as world:
        job = _job(world, rest)
        world.delete_job(job)
    return {"job_id": job.job_id}


def _job(world: World, name: str) -> Job:
    job = world.live_job(name)
    if job is None:
        raise invalid(f"No job is named {name!r}.")
    return job


# ── runs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _runs(workspace: Workspace, rest: str, _query: str, body: Json) -> Json:
    """Start a run that does nothing by itself, or move on one that was started."""
    name, _, move = rest.rpartition("/")
    with workspace.turn() as world:
        if not rest:
            run = workspace.named[_free_name(workspace, body)] = _start(workspace, world, body)
        elif move in MOVES and name in workspace.named:
            run = workspace.named[name]
            MOVES[move](world, run, body)
        else:
            raise invalid(f"No run {name!r}, or no such thing as {move!r}: one of {', '.join(MOVES)}.")
        return _shown(world, run)


def _show_run(workspace: Workspace, rest: str, _query: str, _body: Json) -> Json:
    with workspace.turn() as world:
        return _shown(world, workspace.named[rest])


def _free_name(workspace: Workspace, body: Json) -> str:
    name = str(body["name"])
    if name in workspace.named:
        raise invalid(f"A run named {name!r} exists.")
    return name


def _start(workspace: Workspace, world: World, body: Json) -> Run:
    job = _job(world, body["job"]) if body.get("job") else None
    run_id = world.new_id()
    run = Run(
        run_id=run_id,
        job_id=job.job_id if job else world.new_id(),
        job=job,
        run_type=body.get("run_type", "JOB_RUN" if job else "SUBMIT_RUN"),
        trigger=body.get("trigger", "ONE_TIME"),
        name=job.name if job else body.get("run_name", "Untitled"),
        creator="control@example.com",
        started_ms=world.now_ms,
        tasks=job.tasks if job else tasks(workspace.rng, 1),
        controlled=True,
    )
    world.start_held(run, Phase(world.now_ms, body.get("state", LIVELY_STATE), body.get("code", "")))
    return run


def _set_state(world: World, run: Run, body: Json) -> None:
    world.move(run, Phase(world.now_ms, body["state"], body.get("code", "")))


def _finish(world: World, run: Run, body: Json) -> None:
    ending = named(
        body.get("result", "SUCCESS"),
        code=body.get("code", ""),
        kind=body.get("type", ""),
        life_cycle=body.get("life_cycle", ""),
        message=body.get("message", ""),
    )
    world.settle(run, ending, int(body.get("retries", 0)))


def _repair(world: World, run: Run, body: Json) -> None:
    world.repair_held(run, body.get("state", LIVELY_STATE))


def _cancel(world: World, run: Run, _body: Json) -> None:
    world.cancel(run)


def _shown(world: World, run: Run) -> Json:
    return {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "counted_as": job_of(run),
        "state": run.phase(world.now_ms).state,
        "attempts": len(run.attempts),
    }


MOVES: Mapping[str, Callable[[World, Run, Json], None]] = {
    "state": _set_state,
    "finish": _finish,
    "repair": _repair,
    "cancel": _cancel,
}
Action = Callable[[Workspace, str, str, Json], Json]
ACTIONS: Mapping[tuple[str, str], Action] = {
    ("GET", "truth"): _truth,
    ("GET", "requests"): _requests,
    ("POST", "clock"): _clock,
    ("POST", "pause"): _pause,
    ("POST", "resume"): _resume,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "credentials"): _credentials,
    ("GET", "warehouse"): _show_warehouse,
    ("POST", "warehouse"): _change_warehouse,
    ("POST", "rights"): _change_rights,
    ("GET", "tables"): _table_truth,
    ("POST", "jobs"): _create_job,
    ("PATCH", "jobs"): _edit_job,
    ("DELETE", "jobs"): _delete_job,
    ("POST", "runs"): _runs,
    ("GET", "runs"): _show_run,
}
