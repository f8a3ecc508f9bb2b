"""Opens the database: SQLite in WAL, one writer at a time, brought to the newest schema."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError as AlembicError
from sqlalchemy import URL, Connection, Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from monitor_core.errors import Retired, TrainstatusError

_BUSY_MS = 10_000
# The first pragma counts only before a database has its first page, or at a VACUUM: see `_make_returnable`.
_PRAGMAS = (
    "auto_vacuum=INCREMENTAL",
    f"busy_timeout={_BUSY_MS}",
    "journal_mode=WAL",
    f"journal_size_limit={4 * 2**20}",
    "wal_autocheckpoint=1000",
    "synchronous=NORMAL",
    "foreign_keys=ON",
)


class Database(Protocol):
    """What gives transactions: an engine, a lease, or a handle on one of them."""

    def begin(self) -> AbstractContextManager[Connection]:
        """Begin a transaction that is committed at the end, or rolled back if something is raised."""


@dataclass(slots=True)
class Handle:
    """A database for one user of it, who can be kept from writing what he has begun."""

    database: Database
    closed: bool = False

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Begin a transaction; raise Retired once the handle is closed."""
        with self.database.begin() as connection:
            # Transactions come one after the other: whoever closes the handle and then begins one sees all of this one.
            if self.closed:
                raise Retired("what began this is no longer to write")
            yield connection


def open_database(url: str, *, create: bool = True) -> Engine:
    """Return an engine on the newest schema; raise TrainstatusError with a sentence if the file cannot be used.

    `create`: whether a file that does not exist is made, with its folder; only its owner may then read it.

    Each transaction is BEGIN IMMEDIATE: with a plain BEGIN, a reader that turns writer fails at once when another
    process writes, whatever the busy timeout (https://www.sqlite.org/isolation.html).
    """
    file = file_of(url)
    if not create:
        existing(url)
    with _sentences(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        # SQLite gives the files beside it the same permissions.
        os.close(os.open(file, os.O_CREAT, 0o600))
        engine = create_engine(_only_if_there(url))
        event.listen(engine, "connect", _configure)
        event.listen(engine, "begin", _begin)
        _migrate(engine)
        _make_returnable(engine)
    return engine


def open_copy(url: str) -> Engine:
    """Return an engine on a copy in memory, empty if there is no database: the file is read and never touched.

    Raises TrainstatusError with a sentence if the file cannot be read.
    """
    file = file_of(url)
    # The one connection is the copy: threads take turns with it.
    shared = {"check_same_thread": False}
    engine = create_engine("sqlite://", poolclass=QueuePool, pool_size=1, max_overflow=0, connect_args=shared)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    with _sentences(file):
        if file.is_file():
            with reading(file) as source, closing(engine.raw_connection()) as copy:
                source.backup(copy.driver_connection)  # type: ignore[arg-type] # SQLAlchemy does not know that it is sqlite3's
        _migrate(engine)
    return engine


def file_of(url: str) -> Path:
    """Return the file of a database URL."""
    return Path(make_url(url).database or "")


def existing(url: str) -> Path:
    """Return the file of a database URL; raise TrainstatusError if there is none yet."""
    file = file_of(url)
    if not file.exists():
        raise TrainstatusError(
            f"database {file.absolute()}: there is none yet; `trainstatus run` makes it "
            "(if it is running, its configuration names another file)"
        )
    return file


@contextmanager
def busy_told(url: str) -> Iterator[None]:
    """Raise TrainstatusError with a sentence where the database refuses: locked for too long, disk full, damaged."""
    with _sentences(file_of(url)):
        yield


@contextmanager
def _sentences(file: Path) -> Iterator[None]:
    try:
        yield
    except AlembicError as error:
        raise TrainstatusError(f"database {file}: a newer trainstatus has written it; use that one") from error
    except (DBAPIError, sqlite3.Error, OSError) as error:
        reason = error.orig if isinstance(error, DBAPIError) else error
        raise TrainstatusError(f"database {file}: {reason}; check that it can be written and is ours") from error


@contextmanager
def reading(file: Path) -> Iterator[sqlite3.Connection]:
    """Yield a connection that only reads a database, whoever else writes it."""
    # Whoever only reads a WAL database that nobody has open leaves files behind, unless he says that it cannot change
    # (https://www.sqlite.org/wal.html#read_only_databases).
    still = not file.with_name(f"{file.name}-wal").exists()
    source = sqlite3.connect(f"file:{quote(str(file))}?mode=ro{'&immutable=1' if still else ''}", uri=True)
    with closing(source):
        yield source


def _only_if_there(url: str) -> URL:
    """A file that is gone is not to be made anew, empty, by a later connection."""
    return make_url(url).set(database=f"file:{quote(str(file_of(url)))}", query={"mode": "rw", "uri": "true"})


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, see below
    for pragma in _PRAGMAS:
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _migrate(engine: Engine) -> None:
    config = AlembicConfig()
    config.set_main_option("script_location", "monitor_core.store:migrations")
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _make_returnable(engine: Engine) -> None:
    """Let a database of an earlier version give back pages that it no longer needs: once, by writing it anew.

    Where others use it just now, or the disk has no room for a copy, the next start will do.
    """
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        if not cursor.execute("PRAGMA auto_vacuum").fetchone()[0]:
            with suppress(sqlite3.Error):
                cursor.execute("VACUUM")
