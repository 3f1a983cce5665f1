"""The system tables have the columns of the reference and tell the same story as the Jobs API half."""

from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

import pytest

from simulator import Options, Simulator
from simulator.clock import DAY_MS, HOUR_MS, epoch_ms
from simulator.warehouse import schema
from simulator.warehouse.slices import hours
from tests.simulator.conftest import START
from tests.simulator.warehouse import connected, rows

OWN = "workspace_id = '4711'"
SLICES = f"""
SELECT job_id, run_id, period_start_time AS since, period_end_time AS until, result_state, termination_code, trigger_type
FROM system.lakeflow.job_run_timeline WHERE {OWN} ORDER BY run_id, period_end_time, period_start_time
"""
MERGED = f"""
SELECT run_id, SUM(unix_millis(period_end_time) - unix_millis(period_start_time)) AS duration_ms,
       COUNT(result_state) AS attempts, MAX_BY(result_state, period_end_time) FILTER (WHERE result_state IS NOT NULL) AS result_state,
       MIN(unix_millis(period_start_time)) AS start_ms, MAX(unix_millis(period_end_time)) AS end_ms
FROM system.lakeflow.job_run_timeline WHERE {OWN} GROUP BY run_id
"""
NET = f"""
SELECT COALESCE(u.usage_metadata.job_id, '') AS job_id, u.billing_origin_product AS product, u.sku_name AS sku,
       u.usage_unit AS unit, CAST(u.usage_date AS STRING) AS day, p.pricing.effective_list.default AS price,
       SUM(u.usage_quantity) AS quantity
FROM system.billing.usage u
LEFT JOIN system.billing.list_prices p
  ON u.sku_name = p.sku_name AND u.cloud = p.cloud AND u.usage_unit = p.usage_unit
 AND u.usage_end_time >= p.price_start_time
 AND (p.price_end_time IS NULL OR u.usage_end_time < p.price_end_time)
WHERE {OWN.replace("workspace_id", "u.workspace_id")} GROUP BY ALL
"""
RESULTS = {"SUCCEEDED", "FAILED", "SKIPPED", "CANCELLED", "TIMED_OUT", "ERROR", "BLOCKED"}
COLUMNS = {
    schema.RUNS: "account_id string, workspace_id string, job_id string, run_id string, period_start_time timestamp, "
    "period_end_time timestamp, trigger_type string, run_type string, run_name string, compute_ids array, "
    "result_state string, termination_code string, job_parameters map, source_task_run_id string, "
    "root_task_run_id string, compute array, termination_type string, setup_duration_seconds bigint, "
    "queue_duration_seconds bigint, run_duration_seconds bigint, cleanup_duration_seconds bigint, "
    "execution_duration_seconds bigint",
    schema.TASK_RUNS: "account_id string, workspace_id string, job_id string, run_id string, job_run_id string, "
    "parent_run_id string, period_start_time timestamp, period_end_time timestamp, task_key string, compute_ids array, "
    "result_state string, termination_code string, compute array, termination_type string, task_parameters map, "
    "setup_duration_seconds bigint, cleanup_duration_seconds bigint, execution_duration_seconds bigint",
    schema.JOBS: "account_id string, workspace_id string, job_id string, name string, description string, "
    "creator_id string, creator_user_name string, run_as string, run_as_user_name string, tags map, "
    "change_time timestamp, delete_time timestamp, create_time timestamp, trigger struct, trigger_type string, "
    "paused boolean, timeout_seconds bigint, health_rules array, deployment struct",
    schema.JOB_TASKS: "account_id string, workspace_id string, job_id string, task_key string, depends_on_keys array, "
    "change_time timestamp, delete_time timestamp, timeout_seconds bigint, health_rules array",
    schema.USAGE: "account_id string, workspace_id string, record_id string, sku_name string, cloud string, "
    "usage_start_time timestamp, usage_end_time timestamp, usage_date date, custom_tags map, usage_unit string, "
    "usage_quantity decimal, usage_metadata struct, identity_metadata struct, record_type string, "
    "ingestion_date date, billing_origin_product string, product_features struct, usage_type string",
    schema.PRICES: "account_id string, price_start_time timestamp, price_end_time timestamp, sku_name string, "
    "cloud string, currency_code string, usage_unit string, pricing struct",
    schema.WORKSPACES: "account_id string, workspace_id string, workspace_name string, workspace_url string, "
    "create_time timestamp, status string",
}


@pytest.fixture(scope="module")
def busy():
    """Days of a workspace in which everything happens, all runs of which have arrived; for reading only."""
    options = Options(
        manual=True,
        start=START,
        jobs=25,
        active_runs=5,
        history=timedelta(days=3),
        history_runs=150,
        long_rate=0.05,
        failure_rate=0.3,
        repair_rate=0.6,
        job_changes_per_hour=3,
        correction_rate=0.2,
    )
    with Simulator(options) as sim:
        sim.advance(timedelta(hours=2))
        _, job_id = sim.world.listed.keys[0]
        sim.control.delete_job(sim.world.jobs[job_id].name)
        sim.control.pause()
        sim.advance(timedelta(days=5))
        yield sim


@pytest.mark.parametrize("table", COLUMNS)
def test_tables_have_the_columns_of_the_reference(quiet, table):
    """Each table has exactly these columns, of these types, in this order; DESCRIBE says the same names."""
    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT * FROM system.{table} LIMIT 0")
        told = [f"{column[0]} {column[1]}" for column in cursor.description]
        described = [row.col_name for row in cursor.execute(f"DESCRIBE TABLE system.{table}").fetchall()]

    assert COLUMNS[table].split(", ") == told
    assert [column.split()[0] for column in told] == described


def test_money_has_eighteen_decimals(quiet):
    """Quantities and prices are DECIMAL(38,18)."""
    statement = """
        SELECT u.usage_quantity, p.pricing.default, p.pricing.promotional.default, p.pricing.effective_list.default
        FROM system.billing.usage u, system.billing.list_prices p LIMIT 0
    """
    with connected(quiet) as connection, connection.cursor() as cursor:
        cursor.execute(statement)

        assert [("decimal", 38, 18)] * 4 == [(c[1], c[4], c[5]) for c in cursor.description]


@pytest.mark.parametrize(
    ("seed", "start"),
    [
        (3, datetime(2026, 10, 25, 4, tzinfo=UTC)),  # clocks go back in Europe at 01:00 UTC
        (7, datetime(2026, 12, 1, 6, tzinfo=UTC)),  # a month has ended
    ],
)
def test_timelines_merge_to_the_truth(make_simulator, seed, start):
    """Grouped by run, slices give each run's attempts, last result and the sum of its attempts' lengths."""
    sim = make_simulator(
        seed=seed, start=start, jobs=25, active_runs=5, history=timedelta(hours=40), history_runs=150,
        long_rate=0.08, failure_rate=0.3, repair_rate=0.6,
    )  # fmt: skip
    sim.control.pause()
    sim.advance(timedelta(days=3))
    lengths, attempts, ends = Counter(), Counter(), defaultdict(int)
    for run, attempt in sim.world.finished:
        lengths[str(run.run_id)] += attempt.own_ms
        attempts[str(run.run_id)] += 1
        ends[str(run.run_id)] = max(ends[str(run.run_id)], attempt.ended_ms)

    found = {row.run_id: row for row in rows(sim, MERGED)}

    finished = {run_id: row for run_id, row in found.items() if row.attempts}
    assert lengths == {
        run_id: row.duration_ms for run_id, row in finished.items() if row.duration_ms or attempts[run_id]
    }
    assert attempts == {run_id: row.attempts for run_id, row in finished.items()}
    assert ends == {run_id: row.end_ms for run_id, row in finished.items()}
    assert any(length > 3 * HOUR_MS for length in lengths.values())
    assert any(number > 1 for number in attempts.values())
    told = sim.control.table_runs()
    assert {run_id: (known["attempts"], known["result_state"]) for run_id, known in told.items()} == {
        run_id: (row.attempts, row.result_state) for run_id, row in found.items()
    }


def test_slices_are_cut_at_clock_hours_and_carry_the_result_at_the_end(busy):
    """No slice crosses a clock hour, those of an attempt follow without a gap, and only the last has a result."""
    by_run = defaultdict(list)
    for row in rows(busy, SLICES):
        by_run[row.run_id].append(row)

    for found in by_run.values():
        attempt_is_open = False
        for before, row in zip([None, *found], found, strict=False):
            since, until = epoch_ms(row.since), epoch_ms(row.until)
            assert since // HOUR_MS == max(since, until - 1) // HOUR_MS
            if attempt_is_open:
                assert (before.until, since % HOUR_MS) == (row.since, 0)
            assert (row.result_state is None) == (row.termination_code is None)
            attempt_is_open = row.result_state is None
    assert max(len(found) for found in by_run.values()) > 3


def test_words_are_those_of_the_tables(busy):
    """Results and triggers are spelled as in the system tables, and never as in the Jobs API where both differ."""
    found = rows(busy, SLICES)

    results = {row.result_state for row in found} - {None, "ROLLED_BACK"}
    assert results <= RESULTS
    assert {"SUCCEEDED", "FAILED", "TIMED_OUT", "CANCELLED", "SKIPPED"} <= results
    assert {"CRON", "ONETIME"} <= {row.trigger_type for row in found}
    assert not {"ONE_TIME", "RETRY", "CONTINUOUS_RESTART"} & {row.trigger_type for row in found}


def test_a_run_of_more_than_a_day_is_seen_while_it_runs(quiet, control):
    """Full hours of a running run appear without a result; the repair adds a second result row."""
    control.create_job("long")
    control.start("alpha", job="long")
    control.advance(30 * 3600 + 1800)

    running = rows(quiet, SLICES)
    control.finish("alpha", "FAILED")
    control.advance(7 * 3600)
    failed = rows(quiet, SLICES)
    control.repair("alpha")
    control.advance(60)
    control.finish("alpha", "SUCCESS")
    control.advance(86_400)
    repaired = rows(quiet, SLICES)
    (merged,) = rows(quiet, MERGED)

    assert (30, {None}) == (len(running), {row.result_state for row in running})
    assert ["FAILED"] == [row.result_state for row in failed if row.result_state]
    assert running == failed[: len(running)]
    assert ["FAILED", "SUCCEEDED"] == [row.result_state for row in repaired if row.result_state]
    assert ((30 * 3600 + 1860) * 1000, 2, "SUCCEEDED") == (
        merged.duration_ms,
        merged.attempts,
        merged.result_state,
    )


def test_a_skipped_run_has_one_empty_slice(quiet, control):
    """A run that ended when it started is one row without length."""
    control.create_job("nightly")
    control.start("alpha", job="nightly")
    control.finish("alpha", "SKIPPED", life_cycle="SKIPPED")
    control.advance(36_000)

    (row,) = rows(quiet, SLICES)

    assert (row.since, "SKIPPED") == (row.until, row.result_state)


def test_rows_arrive_late_and_never_change(make_simulator):
    """A pass sees what has arrived; later passes see the same rows and more, some of them hours old."""
    sim = make_simulator(jobs=25, active_runs=8, history=timedelta(hours=3), late_rate=0.1)
    seen, youngest = [], []
    for _ in range(4):
        found = {tuple(row) for row in rows(sim, SLICES)}
        youngest.append(max(row[3] for row in found))
        seen.append(found)
        sim.advance(timedelta(hours=1))

    assert all(earlier < later for earlier, later in pairwise(seen))
    late = [row for row in seen[3] - seen[2] if row[3] < START + timedelta(hours=1)]
    assert late
    assert all(newest < START + timedelta(hours=hour) for hour, newest in enumerate(youngest))


def test_how_often_somebody_looks_changes_nothing(make_simulator):
    """One late look gives the same tables as many."""
    options = {
        "jobs": 20,
        "active_runs": 6,
        "history": timedelta(hours=5),
        "history_runs": 60,
        "long_rate": 0.1,
    }
    often, once = make_simulator(**options), make_simulator(**options)
    task_slices = SLICES.replace("job_run_timeline", "job_task_run_timeline").replace(
        "trigger_type", "task_key"
    )
    usage = "SELECT record_id, usage_quantity, ingestion_date FROM system.billing.usage ORDER BY record_id"
    for _ in range(5):
        often.advance(timedelta(minutes=97))
        rows(often, task_slices)
    once.advance(timedelta(minutes=5 * 97))

    for statement in (SLICES, task_slices, usage):
        assert rows(once, statement) == rows(often, statement)


def test_task_runs_are_those_of_the_truth(busy):
    """Every task run of a finished attempt has its length and one result row, retries and those never begun included."""
    expected = Counter()
    for _, attempt in busy.world.finished:
        for task in attempt.tasks:
            expected[str(task.run_id)] += task.ended_ms - task.setup_ms
    statement = (
        MERGED.replace("job_run_timeline", "job_task_run_timeline") + " HAVING COUNT(result_state) = 1"
    )

    assert expected == {row.run_id: row.duration_ms for row in rows(busy, statement)}


def test_another_workspace_has_the_same_ids(busy):
    """Without a filter by workspace another one's runs and jobs come under the same ids."""
    statement = "SELECT {0} FROM {1} WHERE workspace_id = '{2}'"
    own, other = (
        {
            row.run_id
            for row in rows(busy, statement.format("run_id", "system.lakeflow.job_run_timeline", ident))
        }
        for ident in ("4711", schema.NEIGHBOUR)
    )
    names = rows(busy, statement.format("name", "system.lakeflow.jobs", schema.NEIGHBOUR))

    assert other < own
    assert other
    assert all(row.name.startswith("neighbour of") for row in names)
    assert {"4711", "4712", "9001"} == {
        row.workspace_id for row in rows(busy, "SELECT workspace_id FROM system.access.workspaces_latest")
    }


def test_jobs_keep_their_history(busy):
    """The newest row of each job has its present name, deleted jobs have one that says when, old rows lack new columns."""
    statement = f"""
        SELECT * FROM system.lakeflow.jobs WHERE {OWN}
        QUALIFY ROW_NUMBER() OVER (PARTITION BY workspace_id, job_id ORDER BY change_time DESC) = 1
    """
    jobs = busy.world.jobs
    newest = {int(row.job_id): row for row in rows(busy, statement)}

    assert {job_id: job.name for job_id, job in jobs.items()} == {
        ident: row["name"] for ident, row in newest.items()
    }
    assert {job_id for job_id, job in jobs.items() if job.deleted} == {
        ident for ident, row in newest.items() if row.delete_time
    }
    assert len(newest) < rows(busy, f"SELECT COUNT(*) AS n FROM system.lakeflow.jobs WHERE {OWN}")[0].n
    assert {row.paused for row in newest.values() if row.change_time.year < 2025} == {None}
    recent = [row for row in newest.values() if row.change_time > START]
    assert {jobs[int(row.job_id)].paused == row.paused for row in recent} == {True}
    assert any(row.delete_time for row in newest.values())


def test_usage_sums_to_the_truth(busy):
    """Net usage by job, product, SKU and day, and its price, equal the truth to the last decimal."""
    net, cost = defaultdict(Decimal), defaultdict(Decimal)
    for row in rows(busy, NET):
        key = (row.job_id, row.product, row.sku, row.unit, row.day)
        net[key] += row.quantity
        if row.price is not None:
            cost[key] += row.quantity * row.price

    truth = busy.control.usage()

    names = ("job_id", "product", "sku", "unit", "day")
    expected = {tuple(row[name] for name in names): row for row in truth["rows"]}
    assert {key: Decimal(row["quantity"]) for key, row in expected.items()} == {
        k: v for k, v in net.items() if v
    }
    priced = {key: Decimal(row["cost"]) for key, row in expected.items() if row["cost"] is not None}
    assert priced == {key: cost[key] for key in priced}
    assert {key[2] for key in expected.keys() - priced.keys()} >= {"PREMIUM_GENIE_PREVIEW"}
    dbus = sum(v for k, v in net.items() if k[3] == "DBU")
    assert Decimal(truth["total"]["dbus"]) == dbus
    assert Decimal(truth["unattributed"]["dbus"]) == sum(
        v for k, v in net.items() if k[3] == "DBU" and not k[0]
    )
    assert 0 < Decimal(truth["unpriced"]["dbus"]) < dbus


def test_past_days_are_corrected(busy):
    """Some usage is taken back days later, alone or for a smaller amount, with everything but the quantity the same."""
    statement = f"""
        SELECT left(record_id, 35) AS usage, record_type, usage_quantity AS quantity, usage_date, ingestion_date, sku_name
        FROM system.billing.usage WHERE {OWN}
    """
    by_usage = defaultdict(dict)
    for row in rows(busy, statement):
        by_usage[row.usage][row.record_type] = row
    corrected = [found for found in by_usage.values() if "RETRACTION" in found]

    for found in corrected:
        assert found["ORIGINAL"].quantity + found["RETRACTION"].quantity == 0
        assert found["ORIGINAL"].ingestion_date < found["RETRACTION"].ingestion_date
        assert found["ORIGINAL"].usage_date == found["RETRACTION"].usage_date
    kinds = Counter("RESTATEMENT" in found for found in corrected)
    assert kinds[True] > 3
    assert kinds[False] > 3


def test_prices_change_and_a_promotion_ends(make_simulator):
    """A price has an end once the next begins; a promotion is what applies, beside the list price."""
    sim = make_simulator(jobs=1, active_runs=0, history=timedelta(0))
    statement = """
        SELECT price_start_time AS since, price_end_time AS until, pricing.default AS listed,
               pricing.promotional.default AS promotion, pricing.effective_list.default AS applies
        FROM system.billing.list_prices WHERE sku_name LIKE 'PREMIUM_JOBS_SERVERLESS%' ORDER BY since
    """

    during = rows(sim, statement)[-1]
    sim.advance(timedelta(days=3))
    promoted, after = rows(sim, statement)[-2:]

    assert (None, Decimal("0.35"), Decimal("0.175")) == (during.until, during.listed, during.applies)
    assert (during.since, after.since, Decimal("0.175")) == (
        promoted.since,
        promoted.until,
        promoted.promotion,
    )
    assert (Decimal("0.35"), None, None) == (after.applies, after.promotion, after.until)


def test_usage_covers_what_the_reference_warns_of(busy):
    """There is usage without job, without price, without workspace, of pipelines under a SKU of jobs, at most an hour long."""
    statement = """
        SELECT workspace_id, billing_origin_product AS product, sku_name AS sku, usage_metadata.job_id AS job,
               usage_metadata.job_run_id AS run, usage_date AS day,
               unix_millis(usage_end_time) - unix_millis(usage_start_time) AS length, usage_start_time AS since
        FROM system.billing.usage
    """
    found = rows(busy, statement)

    assert {"4711", "4712", "9001", None} == {row.workspace_id for row in found}
    assert {"JOBS", "DLT", "SQL", "ALL_PURPOSE", "DEFAULT_STORAGE", "NETWORKING", "GENIE"} == {
        row.product for row in found
    }
    assert {"DLT", "JOBS"} == {row.product for row in found if "JOBS_SERVERLESS" in row.sku}
    assert {row.product for row in found if row.job} == {"JOBS"}
    assert any(row.job and not row.run for row in found)
    assert all(0 < row.length <= HOUR_MS and row.since.date() == row.day for row in found)


def test_many_clients_ask_while_time_passes(make_simulator):
    """Clients side by side all get whole tables, also while rows arrive and prices change."""
    sim = make_simulator(jobs=10, active_runs=3, history=timedelta(hours=20), history_runs=50)
    counts = []

    def ask_again():
        with connected(sim) as connection, connection.cursor() as cursor:
            for _ in range(8):
                sim.advance(timedelta(hours=3))
                cursor.execute(
                    "SELECT (SELECT COUNT(*) FROM system.billing.list_prices) AS prices, COUNT(*) AS runs "
                    "FROM system.lakeflow.job_run_timeline"
                )
                counts.extend(cursor.fetchall())

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(ask_again) for _ in range(4)]:
            done.result(timeout=60)

    assert 32 == len(counts)
    assert {10, 11} >= {row.prices for row in counts}
    assert 100 < max(row.runs for row in counts)


def test_hours_cut_exactly():
    """A span that ends on the hour is not followed by an empty one; an empty span is one."""
    assert [(10, HOUR_MS)] == list(hours(10, HOUR_MS))
    assert [(10, HOUR_MS), (HOUR_MS, HOUR_MS + 1)] == list(hours(10, HOUR_MS + 1))
    assert [(5, 5)] == list(hours(5, 5))
    assert 24 == len(list(hours(0, DAY_MS)))
