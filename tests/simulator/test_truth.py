"""The truth is what a full walk of the API shows, and the content covers what the reference names."""

from collections import Counter, defaultdict
from datetime import timedelta

from simulator import endings
from tests.simulator.conftest import START
from tests.simulator.raw import JOBS, RUN, ask, walk

ONE_TIME = {"SUBMIT_RUN", "WORKFLOW_RUN"}
ACTIVE_STATES = ("QUEUED", "PENDING", "BLOCKED", "RUNNING", "WAITING", "TERMINATING", "RESUMING")
TRIGGERS = [
    "CONTINUOUS",
    "CONTINUOUS_RESTART",
    "FILE_ARRIVAL",
    "JOB_COMPLETION",
    "MODEL",
    "ONE_TIME",
    "PERIODIC",
    "RETRY",
    "RUN_JOB_TASK",
    "TABLE",
]
PHASES = ("setup", "execution", "cleanup")


def details(sim, run_id):
    """The run with its history and all pages of its tasks."""
    query = {"run_id": run_id, "include_history": "true"}
    first = page = ask(sim, RUN, **query).json
    while token := page.get("next_page_token"):
        page = ask(sim, RUN, **query, page_token=token).json
        first["tasks"] += page.get("tasks", [])
    return first


def attempts(run):
    """Every finished attempt of the run with its task runs."""
    entries = run.get("repair_history", [run])
    for place, entry in enumerate(entries):
        if entry["end_time"]:
            ids = entry.get("task_run_ids")
            tasks = [task for task in run["tasks"] if ids is None or task["run_id"] in ids]
            yield place, entry, tasks


def word(entry):
    state = entry["state"]
    return state.get("result_state", state["life_cycle_state"])


def test_the_truth_is_what_the_api_shows(lively):
    """Counting every attempt that the API shows gives the truth, number by number."""
    finished, terminations, started = defaultdict(Counter), Counter(), Counter()
    durations, phases = defaultdict(lambda: [0, 0]), defaultdict(Counter)
    repairs, retries = Counter(), Counter()
    for item in walk(lively, limit=25):
        run = details(lively, item["run_id"])
        job = "" if run["run_type"] in ONE_TIME else str(run["job_id"])
        started[f"{run['trigger']}/{run['run_type']}"] += 1
        for place, entry, tasks in attempts(run):
            details_of_end = entry["status"]["termination_details"]
            finished[job][word(entry)] += 1
            terminations[f"{details_of_end['code']}/{details_of_end['type']}"] += 1
            durations[job][0] += entry["end_time"] - entry["start_time"]
            durations[job][1] += 1
            phases[job]["queue"] += 0 if place else run["queue_duration"]
            for phase in PHASES:
                phases[job][phase] += sum(task[f"{phase}_duration"] for task in tasks)
            repairs[job] += place > 0
            retries[job] += len(tasks) - len({task["task_key"] for task in tasks})

    truth = lively.truth()

    assert truth["runs_finished"] == {job: dict(counts) for job, counts in finished.items()}
    assert truth["terminations"] == terminations
    assert truth["runs_started"] == started
    assert {job: [d["sum"], d["count"]] for job, d in truth["durations_ms"].items()} == durations
    assert truth["phases_ms"] == phases
    assert truth["repairs"] == {job: number for job, number in repairs.items() if number}
    assert truth["task_retries"] == {job: number for job, number in retries.items() if number}
    assert sum(truth["repairs"].values()) > 0
    assert sum(truth["task_retries"].values()) > 0


def test_active_states_are_what_the_list_shows(lively):
    """The truth's active runs are those of `active_only`, state by state."""
    states = Counter(run["status"]["state"] for run in walk(lively, active_only="true"))

    assert lively.truth()["active"] == states


def test_run_durations_are_the_sum_of_the_attempts(lively):
    """`run_duration` covers all attempts and none of the time between them."""
    for item in walk(lively, completed_only="true"):
        run = details(lively, item["run_id"])
        own = sum(entry["end_time"] - entry["start_time"] for _, entry, _ in attempts(run))
        last = max(entry["end_time"] for _, entry, _ in attempts(run))

        assert (own, last) == (run["run_duration"], run["end_time"])


def test_task_runs_lie_within_their_attempts(lively):
    """No task run begins before its attempt or ends after it, and the phases of each add up to its time."""
    for item in walk(lively, completed_only="true"):
        for _, entry, tasks in attempts(details(lively, item["run_id"])):
            for task in tasks:
                assert entry["start_time"] <= task["start_time"] <= task["end_time"] <= entry["end_time"]
                length = task["end_time"] - task["start_time"]
                assert length == sum(task[f"{phase}_duration"] for phase in PHASES)


def test_truth_of_a_window(quiet, control):
    """Only what ended, or started, in the window is counted; what is known of jobs is of all time."""
    control.create_job("nightly")
    control.start("alpha", job="nightly")
    control.advance(10)
    control.finish("alpha", "FAILED", retries=2)
    middle = control.advance(1)
    control.start("beta", job="nightly")
    control.advance(20)
    control.finish("beta", "FAILED", code="DRIVER_ERROR")
    job = str(control.run("beta")["job_id"])

    early, late = control.truth(until_ms=middle), control.truth(since_ms=middle)

    assert ({job: {"FAILED": 1}}, {job: 2}) == (early["runs_finished"], early["task_retries"])
    assert {"DRIVER_ERROR/CLIENT_ERROR": 1} == late["terminations"]
    assert {job: {"sum": 20_000, "count": 1}} == late["durations_ms"]
    assert {"FAILED": {"sum": 20_000, "count": 1}} == late["durations_by_result_ms"]
    assert ({"ONE_TIME/JOB_RUN": 1}, {}) == (late["runs_started"], late["task_retries"])
    assert (2, middle) == (
        late["jobs"][job]["consecutive_failures"],
        late["jobs"][job]["last_start_ms"],
    )


def test_failures_in_a_row(quiet, control):
    """Cancelled runs are passed over, a success ends the row, and its end is remembered."""
    control.create_job("nightly")
    ends = {}
    for name, result in (("a", "SUCCESS"), ("b", "FAILED"), ("c", "CANCELED"), ("d", "TIMEDOUT")):
        control.start(name, job="nightly")
        ends[name] = control.advance(5)
        control.finish(name, result)

    (job,) = control.truth()["jobs"].values()

    assert ("TIMEDOUT", 2, ends["a"], ends["d"]) == (
        job["last_result"],
        job["consecutive_failures"],
        job["last_success_ms"],
        job["last_end_ms"],
    )


def test_the_same_seed_gives_the_same_workspace(make_simulator):
    """Seed, start and clock decide everything, in however many steps the clock moves."""

    def story(*hours: float, seed: int = 3) -> tuple[object, object]:
        sim = make_simulator(jobs=30, active_runs=6, seed=seed, history_runs=100)
        for step in hours:
            sim.advance(timedelta(hours=step))
        runs = [{**run, "run_page_url": ""} for run in walk(sim, limit=25)]
        return sim.truth(), (runs, walk(sim, JOBS, "jobs"))

    first = story(2)

    assert first == story(0.5, 1.5)
    assert first != story(2, seed=4)


def test_everything_the_reference_names_happens(make_simulator):
    """In a day of a busy workspace every way to end, trigger, run type and active state occurs."""
    sim = make_simulator(jobs=60, active_runs=20, failure_rate=0.5, skip_rate=0.15, future_rate=0.05)
    phases = Counter()
    for _ in range(100):
        sim.advance(timedelta(minutes=10))
        world = sim.world
        phases.update(world.runs[run_id].phase(world.now_ms)[1:] for _, run_id in world.active.keys)

    truth = sim.truth()

    ends = {f"{ending.code}/{ending.kind}" for ending in endings.ALL}
    started = [pair.split("/") for pair in truth["runs_started"]]
    assert ends == set(truth["terminations"])
    assert {ending.word for ending in endings.ALL} == set().union(*truth["runs_finished"].values())
    assert set(ACTIVE_STATES) == {state for state, _ in phases}
    assert {"", *endings.WORKSPACE_QUEUE_CODES} == {code for _, code in phases}
    assert set(TRIGGERS) == {trigger for trigger, _ in started}
    assert {"JOB_RUN", *ONE_TIME} == {run_type for _, run_type in started}


def test_repairs_and_runs_can_be_shorter_than_three_seconds(make_simulator):
    """There are runs, and repairs, that no poll of five seconds sees active."""
    sim = make_simulator(jobs=30, active_runs=20, failure_rate=0.4, repair_rate=0.6)
    sim.advance(timedelta(hours=6))

    spans = Counter()
    for run, attempt in sim.world.finished:
        spans["repair" if attempt.repair_id else "original"] += 0 < attempt.own_ms < 3000
        spans["again"] += len(run.attempts) > 2

    assert all(spans[what] > 3 for what in ("repair", "original", "again"))


def test_scheduled_jobs_start_when_they_are_due(make_simulator):
    """A job of a schedule starts at its due times, to the millisecond."""
    sim = make_simulator(jobs=60, active_runs=10, job_changes_per_hour=0)
    sim.advance(timedelta(hours=6))
    job = next(
        job for job in sim.world.jobs.values() if job.due and job.kind == "schedule" and not job.paused
    )
    starts = [run["start_time"] for run in walk(sim, job_id=job.job_id) if run["trigger"] == "PERIODIC"]

    due = job.due.latest(len(starts), 0, sim.workspace.clock.now_ms())

    assert list(reversed(due)) == starts
    assert starts


def test_jobs_come_and_go_and_change_their_names(make_simulator):
    """Over days jobs are created, renamed and deleted; the runs of a deleted one stay, and end."""
    sim = make_simulator(jobs=30, active_runs=6, job_changes_per_hour=4, history_runs=50)
    names = {job["job_id"]: job["settings"]["name"] for job in walk(sim, JOBS, "jobs")}
    sim.advance(timedelta(days=1))
    later = {job["job_id"]: job["settings"]["name"] for job in walk(sim, JOBS, "jobs")}
    gone = names.keys() - later.keys()

    assert later.keys() - names.keys()
    assert [job for job in names.keys() & later.keys() if names[job] != later[job]]
    assert any(walk(sim, job_id=job) for job in gone)
    assert not any(walk(sim, job_id=job, active_only="true") for job in gone)


def test_a_limit_on_runs(make_simulator):
    """After `max_runs` nothing new starts, and what runs ends."""
    sim = make_simulator(
        jobs=10, active_runs=5, max_runs=40, long_rate=0.0, history=timedelta(0), repair_rate=0.0
    )
    sim.advance(timedelta(days=2))

    totals = sim.truth()["totals"]

    assert (40, 40, 0) == (totals["runs"], totals["attempts_finished"], totals["active"])


def test_ids_are_beyond_floats(lively):
    """Run and job ids have more digits than a float holds."""
    runs = walk(lively)

    assert all(int(float(run["run_id"])) >= 2**54 and run["run_id"] < 2**63 for run in runs)
    assert any(int(float(run["run_id"])) != run["run_id"] for run in runs)


def test_the_clock_of_a_manual_workspace_stands_still(quiet):
    """Without control no time passes."""
    before = quiet.now()
    quiet.advance(timedelta(seconds=90))

    assert (START, timedelta(seconds=90)) == (before, quiet.now() - before)
