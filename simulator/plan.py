"""Plans attempts: which task runs when, what fails, what is retried, and through which states the run passes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from simulator.clock import SECOND_MS
from simulator.endings import (
    FAILED,
    FUTURE_STATE,
    PARTIAL,
    SUCCESS,
    TIMED_OUT,
    UPSTREAM_FAILED,
    Ending,
)
from simulator.revise import cut
from simulator.runs import Attempt, NewId, Phase, TaskRun, TaskSpec, unstarted

LONGEST_CLEANUP_MS = 20 * SECOND_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What an attempt shall become."""

    started_ms: int
    length_ms: int
    """From leaving the queue to the end, about: retries make it longer, interruptions shorter."""
    ending: Ending = SUCCESS
    queue_ms: int = 0
    queue_code: str = ""
    blocked_ms: int = 0
    timeout_ms: int = 0
    """0 means never."""
    retry_rate: float = 0.0
    future_state: bool = False
    repair_id: int = 0
    numbers: Mapping[str, int] = field(default_factory=dict)
    """How often each task has run before."""


@dataclass(frozen=True, slots=True)
class _Draft:
    """Task runs as far as they are planned."""

    wish: Wish
    rng: Random
    new_id: NewId
    tasks: list[TaskRun] = field(default_factory=list)
    waits: list[Phase] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)
    """Tasks whose dependents do not run."""


def attempt(wish: Wish, specs: Sequence[TaskSpec], rng: Random, new_id: NewId) -> Attempt:
    """An attempt that runs the tasks layer by layer."""
    draft = _Draft(wish, rng, new_id)
    begin = ended = wish.started_ms + wish.queue_ms + wish.blocked_ms
    layers = [[spec for spec in specs if spec.layer == layer] for layer in sorted({s.layer for s in specs})]
    culprit = _culprit(wish.ending, layers, rng)
    weights = [rng.uniform(0.5, 1.5) for _ in layers]
    for layer, weight in zip(layers, weights, strict=True):
        share = max(1, int(wish.length_ms * weight / sum(weights)))
        ended = _plan_layer(draft, layer, ended, share, culprit)
    planned = Attempt(
        started_ms=wish.started_ms,
        ended_ms=ended,
        phases=tuple(sorted([*_opening(wish, begin), *_body(draft, ended)], key=lambda phase: phase.at_ms)),
        ending=wish.ending,
        tasks=tuple(draft.tasks),
        repair_id=wish.repair_id,
    )
    if wish.timeout_ms and ended > begin + wish.timeout_ms:
        return cut(planned, begin + wish.timeout_ms, TIMED_OUT)
    if wish.ending.interrupted:
        return cut(planned, begin + max(1, int((ended - begin) * rng.uniform(0.2, 0.95))), wish.ending)
    return planned


def skipped(at_ms: int, specs: Sequence[TaskSpec], ending: Ending, new_id: NewId) -> Attempt:
    """An attempt that ends when it starts."""
    tasks = tuple(unstarted(spec, at_ms, 0, ending, new_id()) for spec in specs)
    phases = (Phase(at_ms, "PENDING"),)
    return Attempt(started_ms=at_ms, ended_ms=at_ms, phases=phases, ending=ending, tasks=tasks)


def _opening(wish: Wish, begin_ms: int) -> list[Phase]:
    phases = []
    if wish.queue_ms:
        phases.append(Phase(wish.started_ms, "QUEUED", wish.queue_code))
    if wish.blocked_ms:
        phases.append(Phase(wish.started_ms + wish.queue_ms, "BLOCKED"))
    return [*phases, Phase(begin_ms, "PENDING")]


def _body(draft: _Draft, ended_ms: int) -> list[Phase]:
    """The phases after PENDING: running, waiting between retries, terminating."""
    running_ms = min(task.running_ms for task in draft.tasks)
    last = max(draft.tasks, key=lambda task: (task.ended_ms, task.cleanup_ms))
    phases = [Phase(running_ms, "RUNNING"), *draft.waits]
    if draft.wish.future_state:
        phases.append(Phase((running_ms + ended_ms) // 2, FUTURE_STATE))
    if running_ms < last.cleanup_ms < ended_ms:
        phases.append(Phase(last.cleanup_ms, "TERMINATING"))
    return phases


def _culprit(ending: Ending, layers: Sequence[Sequence[TaskSpec]], rng: Random) -> TaskSpec | None:
    """The task whose failure makes the attempt end like this."""
    if ending.interrupted or ending is SUCCESS:
        return None
    return rng.choice(layers[0] if ending is PARTIAL else rng.choice(layers))


def _plan_layer(
    draft: _Draft, layer: Sequence[TaskSpec], at_ms: int, share_ms: int, culprit: TaskSpec | None
) -> int:
    """Plans the tasks of one layer and returns when the last of them ends."""
    ended = at_ms
    for spec in layer:
        if draft.broken.intersection(spec.depends_on):
            draft.broken.add(spec.key)
            number = draft.wish.numbers.get(spec.key, 0)
            draft.tasks.append(unstarted(spec, at_ms, number, UPSTREAM_FAILED, draft.new_id()))
            continue
        full = spec is layer[0] or spec is culprit
        length = share_ms if full else int(share_ms * draft.rng.uniform(0.3, 1))
        alone = len(layer) == 1
        ended = max(ended, _plan_task(draft, spec, at_ms, length, fails=spec is culprit, alone=alone))
    return ended


def _plan_task(draft: _Draft, spec: TaskSpec, at_ms: int, length_ms: int, *, fails: bool, alone: bool) -> int:
    """Plans one task with its retries and returns when it ends."""
    wish = draft.wish
    failure = wish.ending if wish.ending.failed else FAILED
    retried = spec.max_retries > 0 and draft.rng.random() < wish.retry_rate
    retries = spec.max_retries if fails else int(retried)
    begin_ms, visible_ms = at_ms, wish.started_ms
    for number in range(retries + 1):
        last = number == retries
        setup = int(length_ms * draft.rng.uniform(0.02, 0.3))
        ended_ms = begin_ms + length_ms
        draft.tasks.append(
            TaskRun(
                spec=spec,
                run_id=draft.new_id(),
                number=wish.numbers.get(spec.key, 0) + number,
                visible_ms=visible_ms,
                setup_ms=begin_ms,
                running_ms=begin_ms + setup,
                cleanup_ms=ended_ms - min(int(length_ms * 0.03), LONGEST_CLEANUP_MS),
                ended_ms=ended_ms,
                ending=SUCCESS if last and not fails else failure,
            )
        )
        begin_ms = visible_ms = ended_ms + spec.retry_interval_ms
        if alone and not last:
            draft.waits.extend([Phase(ended_ms, "WAITING"), Phase(begin_ms, "RUNNING")])
    if fails and wish.ending is not PARTIAL:
        draft.broken.add(spec.key)
    return ended_ms
