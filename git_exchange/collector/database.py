"""The tables of the inbox, and the door to the database that holds them: SQLite, or PostgreSQL for several machines."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from git_exchange.errors import ConfigurationError, InboxUnavailable

_BUSY_SECONDS = 5.0

TABLES = sa.MetaData()

# One row per delivery. Times are seconds since 1970 of the machines' clocks.
ARRIVALS = sa.Table(
    "arrivals",
    TABLES,
    sa.Column("delivery", sa.Text, primary_key=True),
    sa.Column("course_id", sa.Text, nullable=False),
    sa.Column("project_id", sa.BigInteger, nullable=False),
    sa.Column("ref", sa.Text, nullable=False),
    sa.Column("commit_id", sa.Text, nullable=False),
    sa.Column("received", sa.Double, nullable=False),
    sa.Column("state", sa.Text, nullable=False),  # waiting, leased, done, superseded, dead
    sa.Column("due", sa.Double, nullable=False),  # not to be worked on before
    sa.Column("tries", sa.Integer, nullable=False),  # failures
    sa.Column("looks", sa.Integer, nullable=False),  # how often it was looked at without a settled time
    sa.Column("alone", sa.Boolean, nullable=False),  # failed together with others: not in a batch again
    sa.Column("owner", sa.Text, nullable=False),  # the token of the lease
    sa.Column("until", sa.Double, nullable=False),  # when the lease ends
    sa.Column("outcome", sa.Text, nullable=False),  # "recorded", "not ours", why it failed, ...
    sa.Column("ended", sa.Double, nullable=False),
    sa.Index("arrivals_by_state", "state", "due"),
    sa.Index("arrivals_by_seat", "project_id", "ref", "state"),
)
# Projects whose hooks sign what they send: from then on nothing unsigned is taken for theirs.
SIGNING = sa.Table("signing", TABLES, sa.Column("project_id", sa.BigInteger, primary_key=True, autoincrement=False))
# Attempts that are on record and of which the student was told.
TOLD = sa.Table(
    "told",
    TABLES,
    sa.Column("project_id", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("ref", sa.Text, primary_key=True),
    sa.Column("commit_id", sa.Text, primary_key=True),
    sa.Column("course_id", sa.Text, nullable=False),
    sa.Column("at", sa.Double, nullable=False),
    sa.Index("told_by_time", "at"),
)
# When something last happened ("hook", "sweep"), and how often, per course ("" for all of them).
MARKS = sa.Table(
    "marks",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("course_id", sa.Text, primary_key=True),
    sa.Column("at", sa.Double, nullable=False),
    sa.Column("note", sa.Text, nullable=False),
    sa.Column("number", sa.Integer, nullable=False),
)
# What only one process at a time may do.
LEASES = sa.Table(
    "leases",
    TABLES,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("until", sa.Double, nullable=False),
)


class Database:
    """The tables behind transactions that either happen or raise InboxUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        # SQLite has one writer at a time, and whoever finds it busy looks again ever more seldom: our threads queue up.
        self._turn = threading.Lock() if engine.dialect.name == "sqlite" else None

    @classmethod
    def open(cls, url: str) -> Database:
        """Open the database of an SQLAlchemy URL and make its tables if they are missing.

        Raise ConfigurationError for a URL that names none, InboxUnavailable if it does not answer.
        """
        try:
            parsed = sa.make_url(url)
            if parsed.get_backend_name() == "sqlite":
                engine = _sqlite(parsed)
            else:
                # A connection that died with the server is noticed before it is used.
                engine = sa.create_engine(parsed, pool_pre_ping=True, pool_size=10, pool_timeout=_BUSY_SECONDS)
        except sa.exc.ArgumentError as error:
            raise ConfigurationError(
                "The database of the collector's [storage] is no SQLAlchemy URL.",
                hint="For example sqlite:////var/lib/git-exchange/inbox.db or postgresql+psycopg://user@host/name.",
            ) from error
        except (ModuleNotFoundError, sa.exc.NoSuchModuleError) as error:
            raise ConfigurationError(
                "The database of the collector's [storage] needs a driver that is not installed.",
                hint="pip install 'git-exchange[collector]', and postgresql+psycopg:// as the URL's beginning.",
            ) from error
        database = cls(engine)
        with _translated():
            try:
                TABLES.create_all(engine)
            except sa.exc.DBAPIError:
                TABLES.create_all(engine)  # another process was making them at this moment
        return database

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Return a connection for reading: it does not wait for who writes."""
        with _translated(), self._engine.connect() as connection:
            yield connection.execution_options(git_exchange_reads=True)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Return a connection in a transaction, which is kept when the block ends well."""
        with _translated(), self._in_turn(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _in_turn(self) -> Iterator[None]:
        if self._turn is None:
            yield
            return
        if not self._turn.acquire(timeout=_BUSY_SECONDS):
            raise InboxUnavailable("The collector's inbox cannot be used: it is busy.")
        try:
            yield
        finally:
            self._turn.release()

    @staticmethod
    def add(connection: Connection, table: sa.Table, **values: object) -> bool:
        """Add a row, unless another transaction has added one of this key; return whether it is ours."""
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(table).values(**values))
        except sa.exc.IntegrityError:
            return False
        return True

    def close(self) -> None:
        """Give the connections back."""
        self._engine.dispose()


def _sqlite(url: sa.URL) -> Engine:
    if url.database and url.database != ":memory:":
        try:
            # Nobody but us reads who submitted when; SQLite gives its other files the same mode.
            os.close(os.open(Path(url.database), os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise ConfigurationError(f"The inbox {url.database} cannot be opened: {error.strerror}.") from error
    engine = sa.create_engine(url, connect_args={"timeout": _BUSY_SECONDS})

    @event.listens_for(engine, "connect")
    def configure(connection: object, _: object) -> None:
        connection.isolation_level = None  # type: ignore[attr-defined]  # we begin transactions ourselves, below
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # what was answered with 202 is still there after a power cut
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A transaction that reads first and writes then would fail, not wait, if another wrote between.
        reads = connection.get_execution_options().get("git_exchange_reads")
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except (sa.exc.SQLAlchemyError, UnicodeError) as error:
        original = getattr(error, "orig", None)
        raise InboxUnavailable(f"The collector's inbox cannot be used: {type(original or error).__name__}.") from error
