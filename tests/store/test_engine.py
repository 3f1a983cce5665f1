"""Opening a store: what serves is opened, what does not is refused in words, and nothing is overwritten."""

import os
import sqlite3
import tempfile
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import event, text

from collector.store.engine import StoreError, open_store
from collector.store.reader import Reader
from collector.store.writer import Writer
from tests.make import at, make_attempt, make_run
from tests.postgres import Cluster
from tests.store.conftest import WORKSPACE, Stores, observe, watch


@pytest.fixture
def not_root() -> Iterator[Path]:
    """A folder with a store, `made.db`, where file permissions count, for root becomes nobody meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        # made by root, with whatever is read or imported for it: nobody may not be able to read this project
        open_store(f"sqlite:///{folder}/made.db").dispose()
        if os.geteuid() != 0:
            yield folder
            return
        for path in (folder, *folder.iterdir()):
            os.chown(path, 65534, 65534)
        os.seteuid(65534)
        try:
            yield folder
        finally:
            os.seteuid(0)


def refusal(url: str, *, read_only: bool = False) -> str:
    """The message with which the store is refused."""
    with pytest.raises(StoreError) as caught:
        open_store(url, read_only=read_only)
    return str(caught.value)


def test_sqlite_writes_ahead(sqlite_stores: Stores) -> None:
    """A SQLite store is in WAL mode, synchronised as that allows."""
    engine = sqlite_stores.engine()

    with engine.connect() as connection:
        mode = connection.execute(text("PRAGMA journal_mode")).scalar_one()
        synchronous = connection.execute(text("PRAGMA synchronous")).scalar_one()

    assert ("wal", 1) == (mode, synchronous)


def test_any_path_serves(tmp_path: Path) -> None:
    """A file name may hold what has a meaning in an address."""
    stores = Stores(f"sqlite:///{tmp_path}/50%25 of%3Fmode=ro%231 ü.db")

    stores.writer()
    stores.reader().snapshot()
    stores.close()

    assert (tmp_path / "50% of?mode=ro#1 ü.db").stat().st_size


def test_readers_cannot_write(stores: Stores, writer: Writer) -> None:
    """An engine opened read-only refuses to write."""
    engine = stores.engine(read_only=True)

    with pytest.raises(Exception, match=r"readonly|read-only"), engine.begin() as connection:
        connection.execute(text("UPDATE workspaces SET host = 'elsewhere'"))

    assert ["https://dbc.example"] == [found.host for found in stores.reader().snapshot().workspaces]


def test_missing_directory(tmp_path: Path) -> None:
    """A missing directory is named, and not made."""
    message = refusal(f"sqlite:///{tmp_path}/data/store.db")

    assert f"the directory {tmp_path}/data does not exist; create it or change store.url" in message
    assert not (tmp_path / "data").exists()


def test_directory_as_file(tmp_path: Path) -> None:
    """A directory is no store."""
    assert f"{tmp_path} is a directory; name a file in it" in refusal(f"sqlite:///{tmp_path}")


def test_directory_without_permission(not_root: Path) -> None:
    """A directory that may not be written is an error that names the store."""
    not_root.chmod(0o500)

    message = refusal(f"sqlite:///{not_root}/store.db")

    assert f"store sqlite:///{not_root}/store.db: unable to open database file" == message


def test_file_without_permission(not_root: Path) -> None:
    """A store that may not be written is an error, and stays as it is."""
    url = f"sqlite:///{not_root}/made.db"
    before = (not_root / "made.db").read_bytes()
    (not_root / "made.db").chmod(0o400)

    message = refusal(url)

    assert f"store {url}: attempt to write a readonly database" == message
    assert before == (not_root / "made.db").read_bytes()


def test_file_of_another_kind(tmp_path: Path) -> None:
    """A file that is no database is refused and stays as it is."""
    content = b"dear diary, " * 200
    (tmp_path / "store.db").write_bytes(content)

    message = refusal(f"sqlite:///{tmp_path}/store.db")

    assert f"store sqlite:///{tmp_path}/store.db: file is not a database" == message
    assert content == (tmp_path / "store.db").read_bytes()


def test_database_of_another_program(tmp_path: Path) -> None:
    """A database with somebody else's tables is refused and stays as it is."""
    with sqlite3.connect(tmp_path / "store.db") as connection:
        connection.execute("CREATE TABLE diary (entry TEXT)")
    connection.close()
    before = (tmp_path / "store.db").read_bytes()

    message = refusal(f"sqlite:///{tmp_path}/store.db")

    assert "holds tables of another program (diary); point store.url to a database of its own" in message
    assert before == (tmp_path / "store.db").read_bytes()


def test_shared_postgresql_database(postgres_cluster: Cluster) -> None:
    """On PostgreSQL other tables are no obstacle, tables of the same names are."""
    diaries, marathons = postgres_cluster.new_database(), postgres_cluster.new_database()
    postgres_cluster.execute("CREATE TABLE diary (entry text)", diaries)
    postgres_cluster.execute("CREATE TABLE runs (marathon text)", marathons)

    open_store(postgres_cluster.url(diaries)).dispose()
    message = refusal(postgres_cluster.url(marathons))

    assert "holds tables of another program (runs);" in message


def test_newer_store(new_stores: Stores) -> None:
    """A store of a newer program is refused by writers and readers, and stays as it is."""
    new_stores.writer().register(WORKSPACE, host="", workspace_id="", now=at(0))
    with new_stores.engine().begin() as connection:
        connection.execute(text("UPDATE store_revision SET version_num = '9999'"))

    messages = {refusal(new_stores.url), refusal(new_stores.url, read_only=True)}

    assert 1 == len(messages)
    assert (
        "made by a newer version (revision 9999); upgrade the exporter or point store.url elsewhere"
        in messages.pop()
    )
    with new_stores.engines[0].connect() as connection:
        assert 1 == connection.execute(text("SELECT count(*) FROM workspaces")).scalar_one()


def test_reader_before_collector(tmp_path: Path) -> None:
    """A reader of a store that does not exist says so, and does not make one."""
    message = refusal(f"sqlite:///{tmp_path}/store.db", read_only=True)

    assert "there is no store yet; start the collector first" in message
    assert not (tmp_path / "store.db").exists()


def test_reader_of_empty_database(tmp_path: Path, postgres_url: str) -> None:
    """A reader of a database without tables says that nothing was collected."""
    (tmp_path / "store.db").touch()

    messages = [refusal(url, read_only=True) for url in (f"sqlite:///{tmp_path}/store.db", postgres_url)]

    assert all("nothing was collected yet; start the collector first" in message for message in messages)


def test_full_disk(sqlite_stores: Stores) -> None:
    """A poll that finds the disk full fails as a whole, and what was before can still be read."""
    engine = sqlite_stores.engine()
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count = 60"))
    engine.dispose()
    writer = Writer(engine)
    watch(writer)
    observe(writer, make_run(make_attempt()))
    reader = sqlite_stores.reader()
    before = reader.snapshot()

    with pytest.raises(StoreError, match=r"database or disk is full"):
        observe(
            writer,
            *(make_run(make_attempt(), run_id=str(number), message="x" * 500) for number in range(2, 999)),
        )

    assert before == reader.snapshot()


def test_postgresql_out_of_reach(postgres_cluster: Cluster) -> None:
    """A server that does not answer is an error without the password."""
    url = postgres_cluster.url("postgres").replace(str(postgres_cluster.port), "1")

    message = refusal(url)

    assert message.startswith("store postgresql+psycopg://exporter:***@127.0.0.1:1/postgres: ")
    assert "refused" in message
    assert "sesame" not in message


def test_wrong_password(postgres_cluster: Cluster) -> None:
    """A wrong password is an error that does not show it, wherever the address holds it."""
    secret = "hunter2"
    wrong = postgres_cluster.url("postgres", secret)
    as_parameter = f"{wrong.replace(f':{secret}', '')}?password={secret}"

    messages = [refusal(wrong), refusal(as_parameter)]

    assert all("password authentication failed" in message for message in messages)
    assert not any(secret in message for message in messages)


def test_expiring_password(postgres_url: str) -> None:
    """A password that is asked for takes the place of the one in the address."""
    expired = postgres_url.replace("open%20sesame", "expired")

    open_store(expired, password=lambda: "open sesame").dispose()

    assert "password authentication failed" in refusal(expired)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("store.db", "store.url cannot be read; write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME"),
        (
            "postgresql+psycopg://exporter:sesame@host:port/x",
            "store.url cannot be read; write sqlite:///FILE or postgresql+psycopg://USER@HOST/NAME",
        ),
        ("mysql://root@localhost/x", "store.url: mysql is not supported; use sqlite or postgresql+psycopg"),
        (
            "sqlite://",
            "store.url: a store in memory is lost at every restart; name a file, as in sqlite:///FILE",
        ),
        (
            "sqlite:///:memory:",
            "store.url: a store in memory is lost at every restart; name a file, as in sqlite:///FILE",
        ),
    ],
)
def test_unusable_address(url: str, message: str) -> None:
    """An address that cannot be a store is refused with what to write instead, and without its password."""
    with pytest.raises(StoreError) as caught:
        open_store(url)

    assert message == str(caught.value)
    assert "sesame" not in "".join(traceback.format_exception(caught.value)).replace(
        f"open_store({url!r})", ""
    )


def test_short_postgresql_address(postgres_url: str) -> None:
    """The address may leave out the driver."""
    engine = open_store(postgres_url.replace("postgresql+psycopg", "postgres"))
    engine.dispose()

    assert "psycopg" == engine.dialect.driver


def test_opening_at_once(new_stores: Stores) -> None:
    """Programs that open a new store at the same time all find it made."""
    with ThreadPoolExecutor(6) as threads:
        engines = list(threads.map(lambda _: open_store(new_stores.url), range(6)))
    new_stores.engines.extend(engines)

    Writer(engines[0]).register(WORKSPACE, host="", workspace_id="", now=at(0))

    assert [1] * 6 == [Reader(engine).snapshot().revision for engine in engines]


def test_database_goes_away(postgres_cluster: Cluster) -> None:
    """A failing read and a failing write are both errors of the store."""
    database = postgres_cluster.new_database()
    stores = Stores(postgres_cluster.url(database))
    writer, reader = stores.writer(), stores.reader()
    postgres_cluster.execute(f"DROP DATABASE {database} WITH (FORCE)")

    with pytest.raises(StoreError, match=r"does not exist"):
        watch(writer, since=0)
    with pytest.raises(StoreError, match=r"does not exist"):
        reader.snapshot()
    stores.close()
