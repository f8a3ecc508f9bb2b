"""Opens the database: SQLite in WAL, one writer at a time, brought to the newest schema."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.util import CommandError as AlembicError
from sqlalchemy import Engine, QueuePool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError

from monitor_core.errors import TrainstatusError

_BUSY_MS = 10_000


def open_database(url: str) -> Engine:
    """Return an engine on the newest schema; raise TrainstatusError with a sentence if the file cannot be used.

    Each transaction is BEGIN IMMEDIATE: with a plain BEGIN, a reader that turns writer fails at once when another
    process writes, whatever the busy timeout (https://www.sqlite.org/isolation.html).
    """
    file = file_of(url)
    engine = create_engine(url)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    with _sentences(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        _migrate(engine)
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
            _copy(file, engine)
        _migrate(engine)
    return engine


def file_of(url: str) -> Path:
    """Return the file of a database URL."""
    return Path(make_url(url).database or "")


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


def _copy(file: Path, engine: Engine) -> None:
    # Whoever only reads a WAL database that nobody has open leaves files behind, unless he says that it cannot change
    # (https://www.sqlite.org/wal.html#read_only_databases).
    still = not file.with_name(f"{file.name}-wal").exists()
    source = sqlite3.connect(f"file:{quote(str(file))}?mode=ro{'&immutable=1' if still else ''}", uri=True)
    with closing(source), closing(engine.raw_connection()) as copy:
        source.backup(copy.driver_connection)  # type: ignore[arg-type] # SQLAlchemy does not know that it is sqlite3's


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, see below
    for pragma in (f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
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
