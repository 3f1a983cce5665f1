"""Which runs a `runs/list` request selects, newest start first, and which of them are on the page."""

from collections.abc import Callable
from dataclasses import dataclass

from simulator.paging import Page
from simulator.query import Parameters, invalid, missing
from simulator.runs import Run
from simulator.world import RETENTION_MS, Index, World

END_OF_TIME = 2**62


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a request asks for."""

    active: bool
    completed: bool
    job_id: int | None
    run_type: str
    since_ms: int
    until_ms: int
    hidden_states: frozenset[str]
    """Active states that `active_only` does not show."""


def selection(parameters: Parameters, hidden_states: frozenset[str]) -> Selection:
    """What the parameters ask for; contradictions are an ApiError."""
    active, completed = parameters.flag("active_only"), parameters.flag("completed_only")
    since, until = parameters.integer("start_time_from"), parameters.integer("start_time_to")
    if active and completed:
        raise invalid("active_only and completed_only cannot both be true.")
    if since is not None and until is not None and since > until:
        raise invalid("start_time_from must not be later than start_time_to.")
    return Selection(
        active=active,
        completed=completed,
        job_id=parameters.integer("job_id"),
        run_type=parameters.text("run_type"),
        since_ms=max(0, since or 0),
        until_ms=END_OF_TIME if until is None else until,
        hidden_states=hidden_states,
    )


def page_of_runs(world: World, wanted: Selection, page: Page) -> tuple[list[Run], int]:
    """The runs on the page, and how many there are on all pages."""
    index = _index(world, wanted)
    since = wanted.since_ms
    if index is not world.active:
        since = max(since, world.now_ms - RETENTION_MS)
    first, last = index.between(since, wanted.until_ms)
    keep = _filter(world, wanted)
    if keep is None:
        end = max(first, last - page.offset)
        keys = index.keys[max(first, end - page.limit) : end]
        return [world.runs[run_id] for _, run_id in reversed(keys)], last - first
    runs = (world.runs[run_id] for _, run_id in reversed(index.keys[first:last]))
    kept = [run for run in runs if keep(run)]
    return kept[page.offset : page.offset + page.limit], len(kept)


def _index(world: World, wanted: Selection) -> Index:
    """The shortest list that holds everything wanted."""
    if wanted.job_id is not None:
        if wanted.job_id not in world.jobs and wanted.job_id not in world.by_job:
            raise missing("Job", wanted.job_id)
        return world.by_job.get(wanted.job_id, Index())
    if wanted.active:
        return world.active
    return world.completed if wanted.completed else world.every


def _filter(world: World, wanted: Selection) -> Callable[[Run], bool] | None:
    """What a run of that list must satisfy besides; None when all of it is wanted."""
    by_state = wanted.job_id is not None and (wanted.active or wanted.completed)
    hides = wanted.active and bool(wanted.hidden_states)
    if not by_state and not hides and not wanted.run_type:
        return None

    def keep(run: Run) -> bool:
        if wanted.run_type and run.run_type != wanted.run_type:
            return False
        if by_state and run.active != wanted.active:
            return False
        return not hides or run.phase(world.now_ms).state not in wanted.hidden_states

    return keep
