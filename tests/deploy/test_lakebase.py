"""The store of a Databricks App: where it is, how it is signed in to, and that nothing is lost when the app restarts."""

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from collector.config import ConfigError, load
from collector.config.lakebase import Lakebase
from collector.sources.password import DatabasePassword
from collector.sources.source import Refused, SourceError
from collector.store.engine import StoreError, open_store
from collector.store.reader import Reader
from simulator import Options, Simulator
from tests.deploy.servers import CLIENT_ID, CLIENT_SECRET, ENDPOINT, SigningWorkspace, serving
from tests.end_to_end.program import POLLING, Program, ended, started
from tests.postgres import Cluster

PLATFORM: Mapping[str, str] = {
    "DATABRICKS_APP_NAME": "databricks-jobs-exporter",
    "DATABRICKS_APP_PORT": "8000",
    "DATABRICKS_HOST": "dbc-a1b2c3d4-e5f6.cloud.databricks.com",
    "DATABRICKS_WORKSPACE_ID": "4711",
    "DATABRICKS_CLIENT_ID": CLIENT_ID,
    "DATABRICKS_CLIENT_SECRET": CLIENT_SECRET,
}
DATABASE: Mapping[str, str] = {
    "PGHOST": "ep-1.database.cloud.databricks.com",
    "PGPORT": "5432",
    "PGDATABASE": "databricks_postgres",
    "PGUSER": CLIENT_ID,
    "PGSSLMODE": "require",
    "PGAPPNAME": "jobs exporter",
}
LAKEBASE = {"DJE_STORE_URL": "lakebase"}
KILLED_AFTER_S = 15.0
"""What the platform waits between SIGTERM and SIGKILL."""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path) -> Iterator[None]:
    """No configuration file lies in the working directory."""
    with chdir(tmp_path):
        yield


def mistakes(environ: Mapping[str, str]) -> tuple[str, ...]:
    """What is wrong with an environment."""
    with pytest.raises(ConfigError) as caught:
        load(None, environ)
    return caught.value.mistakes


# ── what the platform's environment means ────────────────────────────────────────────────────────────────────────


def test_the_store_is_the_database_among_the_resources() -> None:
    """`lakebase` is the address that the platform gives, with TLS, and with a schema that is ours alone."""
    store = load(None, PLATFORM | DATABASE | LAKEBASE).store

    assert (
        f"postgresql+psycopg://{CLIENT_ID}@ep-1.database.cloud.databricks.com:5432/databricks_postgres"
        "?sslmode=require&application_name=jobs+exporter&schema=databricks_jobs_exporter"
    ) == store.url
    assert Lakebase(endpoint=None) == store.lakebase


def test_the_endpoint_of_an_autoscaling_database_is_known() -> None:
    """Its credential is the password; the host name that a Provisioned one has there instead is none."""
    stores = [
        load(None, PLATFORM | DATABASE | LAKEBASE | {"LAKEBASE_ENDPOINT": given}).store
        for given in (ENDPOINT, DATABASE["PGHOST"])
    ]

    assert [Lakebase(endpoint=ENDPOINT), Lakebase(endpoint=None)] == [store.lakebase for store in stores]


def test_without_a_database_the_app_says_what_is_missing() -> None:
    """Nobody has to guess from a failing connection that the app has no database."""
    (said,) = mistakes(PLATFORM | LAKEBASE)

    assert (
        'DJE_STORE_URL: "lakebase" finds no database, because the platform does not set PGHOST, PGDATABASE, PGUSER; '
        "add a Lakebase database to the resources of the app and deploy it again"
    ) == said


def test_an_app_keeps_no_store_on_its_disk() -> None:
    """State that would be lost at the next restart is refused, also when nobody chose it."""
    lost = (
        "a SQLite file is lost, and the counters with it, whenever a Databricks App restarts; "
        'add a Lakebase database to the resources of the app and write "lakebase"'
    )

    assert (f"config.toml: [store] url: {lost}",) == mistakes(PLATFORM)
    assert (f"DJE_STORE_URL: {lost}",) == mistakes(PLATFORM | {"DJE_STORE_URL": "sqlite:////tmp/jobs.db"})


def test_an_app_may_use_another_postgresql() -> None:
    """An address of its own is taken as it is."""
    store = load(None, PLATFORM | {"DJE_STORE_URL": "postgresql+psycopg://me@db/jobs"}).store

    assert ("postgresql+psycopg://me@db/jobs", None) == (store.url, store.lakebase)


def test_the_app_listens_where_the_platform_sends_requests() -> None:
    """The port comes from the platform; who names an address by variable means it."""
    environ = PLATFORM | DATABASE | LAKEBASE

    chosen = load(None, environ).server
    named = load(None, environ | {"DJE_SERVER_LISTEN": "127.0.0.1:9000"}).server

    assert ("0.0.0.0", 8000) == (chosen.host, chosen.port)
    assert ("127.0.0.1", 9000) == (named.host, named.port)


# ── passwords that expire ────────────────────────────────────────────────────────────────────────────────────────


def test_a_password_is_asked_for_again_before_it_is_old() -> None:
    """Connections of the same minutes share one token, later ones get a new one."""
    clock = [0.0]
    with serving(SigningWorkspace()) as workspace:
        signed_in = {"host": workspace.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        password = DatabasePassword(lambda: signed_in, kept_s=300, monotonic=lambda: clock[0])
        first = [password(), password()]
        workspace.token = "token-2"
        clock[0] = 299
        kept = password()
        clock[0] = 300
        renewed = password()
        asked = workspace.asked["/oidc/v1/token"]

    assert ["token-1", "token-1"] == first
    assert "token-1" == kept
    assert "token-2" == renewed
    assert 2 == asked


def test_the_password_of_an_endpoint_is_its_credential() -> None:
    """The token is exchanged for it."""
    with serving(SigningWorkspace()) as workspace:
        signed_in = {"host": workspace.url, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
        password = DatabasePassword(lambda: signed_in, ENDPOINT)()

    assert "credential-1" == password


@pytest.mark.parametrize(
    ("settings", "endpoint", "kind"),
    [
        ({"client_id": CLIENT_ID, "client_secret": "wrong-secret"}, None, Refused),
        ({"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}, "projects/of/somebody", Refused),
        ({"username": "me", "password": "wrong-secret"}, None, SourceError),
    ],
)
def test_a_password_that_is_not_given_is_an_error_without_secrets(
    settings: Mapping[str, str], endpoint: str | None, kind: type[SourceError]
) -> None:
    """Wrong credentials, a foreign database and a sign-in without tokens are told apart from a dead network."""
    with serving(SigningWorkspace()) as workspace:
        password = DatabasePassword(lambda: {"host": workspace.url} | dict(settings), endpoint)
        with pytest.raises(kind) as caught:
            password()

    assert not any(secret in str(caught.value) for secret in ("wrong-secret", CLIENT_SECRET, "token-1"))


# ── a real PostgreSQL ────────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def database_of_app(cluster: Cluster, password: str) -> Iterator[dict[str, str]]:
    """The platform's variables of a new database, in which the app may connect and create, and nothing else."""
    name = cluster.new_database()
    role = f"app-{name}"
    cluster.execute(f"CREATE ROLE \"{role}\" LOGIN PASSWORD '{password}'")
    cluster.execute(f'GRANT CONNECT, CREATE ON DATABASE {name} TO "{role}"')
    yield {
        "PGHOST": "127.0.0.1",
        "PGPORT": str(cluster.port),
        "PGDATABASE": name,
        "PGUSER": role,
        "PGSSLMODE": "disable",
        "PGAPPNAME": "databricks-jobs-exporter",
    }
    cluster.execute(f"DROP DATABASE {name} WITH (FORCE)")
    cluster.execute(f'DROP ROLE "{role}"')


def test_new_connections_use_the_password_of_their_time(postgres_cluster: Cluster) -> None:
    """A store that outlives its password goes on with the next one, without being opened again."""
    passwords = ["token-1"]
    with database_of_app(postgres_cluster, "token-1") as variables:
        url = load(None, PLATFORM | variables | LAKEBASE).store.url
        engine = open_store(url, password=lambda: passwords[-1])
        reader = Reader(engine)
        before = reader.revision()
        postgres_cluster.execute(f"ALTER ROLE \"{variables['PGUSER']}\" PASSWORD 'token-2'")
        open_connection = reader.revision()
        engine.dispose()
        with pytest.raises(StoreError, match=r"password authentication failed"):
            reader.revision()
        passwords.append("token-2")
        renewed = reader.revision()
        engine.dispose()

    assert before == open_connection == renewed


def test_an_app_makes_a_schema_of_its_own(postgres_cluster: Cluster) -> None:
    """It may create nothing in the schema that all share; programs that start at once agree, and readers find it."""
    with database_of_app(postgres_cluster, "token-1") as variables:
        url = load(None, PLATFORM | variables | LAKEBASE).store.url
        with ThreadPoolExecutor(4) as threads:
            engines = list(threads.map(lambda _: open_store(url, password=lambda: "token-1"), range(4)))
        engines.append(open_store(url, read_only=True, password=lambda: "token-1"))
        revisions = [Reader(engine).revision() for engine in engines]
        for engine in engines:
            engine.dispose()
        with pytest.raises(StoreError, match=r"permission denied for schema public"):
            open_store(url.replace("&schema=databricks_jobs_exporter", ""), password=lambda: "token-1")

    assert 1 == len(set(revisions))


def test_a_reader_makes_no_schema(postgres_cluster: Cluster) -> None:
    """Before anything was collected it says so."""
    with database_of_app(postgres_cluster, "token-1") as variables:
        url = load(None, PLATFORM | variables | LAKEBASE).store.url
        with pytest.raises(StoreError, match=r"nothing was collected yet"):
            open_store(url, read_only=True, password=lambda: "token-1")


def test_a_schema_is_a_plain_name() -> None:
    """Nothing else gets into a statement."""
    with pytest.raises(StoreError, match=r"its schema is not a name"):
        open_store('postgresql+psycopg://me@127.0.0.1:1/jobs?schema=x";drop')


# ── the app as a whole ───────────────────────────────────────────────────────────────────────────────────────────

FAST = {f"DJE_POLLING_{name.upper()}": str(value) for name, value in POLLING.items()}
LOCAL = {"DJE_SERVER_LISTEN": "127.0.0.1:0"}
QUIET = Options(jobs=0, active_runs=0, history=timedelta(0), tokens=("token-1",))
FINISHED = "databricks_job_runs_finished_total"


def living(program: Program) -> Program:
    """The program, once it has looked at the workspace."""
    program.wait_for(1, "databricks_exporter_collector_up", collector="live")
    return program


def test_an_app_counts_on_after_a_restart(tmp_path: Path, postgres_cluster: Cluster) -> None:
    """With the platform's variables alone it collects and serves, ends in time, and starts anew on an empty disk
    with the counters that it had.
    """
    with (
        Simulator(QUIET) as simulator,
        serving(SigningWorkspace(simulator.url)) as workspace,
        database_of_app(postgres_cluster, "credential-1") as database,
    ):
        control = simulator.control
        control.create_job("orders", max_concurrent_runs=10)
        environ = {**PLATFORM, **database, **LAKEBASE, **FAST, **LOCAL}
        environ |= {"DATABRICKS_HOST": workspace.url, "LAKEBASE_ENDPOINT": ENDPOINT}
        (tmp_path / "first").mkdir()
        (tmp_path / "second").mkdir()
        with started(tmp_path / "first", "run", environ=environ) as program:
            control.start("one", "orders")
            living(program).wait_for(1, "databricks_active_runs")
            control.finish("one", "FAILED")
            program.wait_for(1, FINISHED, result="FAILED")
            code, seconds = program.stop()
            said = program.said
        control.start("two", "orders")
        control.finish("two", "FAILED")
        with started(tmp_path / "second", "run", environ=environ) as program:
            program.wait_for(2, FINISHED, result="FAILED")
            said += program.said
        left = [path.name for folder in ("first", "second") for path in (tmp_path / folder).glob("*.db*")]

    assert 0 == code
    assert seconds < KILLED_AFTER_S
    assert [] == left
    assert "level=error" not in said
    assert not any(secret in said for secret in (CLIENT_SECRET, "credential-1"))


def test_an_app_that_is_not_signed_in_says_so(tmp_path: Path) -> None:
    """A store whose password cannot be had ends the program with one line, which holds no secret."""
    with serving(SigningWorkspace()) as workspace:
        environ = PLATFORM | DATABASE | LAKEBASE | {"DATABRICKS_HOST": workspace.url}
        code, _, said = ended(
            tmp_path, "run", environ=environ | {"DATABRICKS_CLIENT_SECRET": "wrong-secret-1"}
        )

    assert 1 == code
    assert "the store's password is a token that cannot be had" in said
    assert "wrong-secret-1" not in said
    assert "Traceback" not in said
