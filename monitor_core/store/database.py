"""Opens the database: SQLite in WAL, one writer at a time, brought to the newest schema."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config as AlembicConfig
from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.exc import DatabaseError

from monitor_core.errors import TrainstatusError

_BUSY_MS = 10_000


def open_database(url: str) -> Engine:
    """Return an engine on the newest schema; raise TrainstatusError with a sentence if the file cannot be used.

    Each transaction is BEGIN IMMEDIATE: with a plain BEGIN, a reader that turns writer fails at once when another
    process writes, whatever the busy timeout (https://www.sqlite.org/isolation.html).
    """
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).expanduser().parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url)
    event.listen(engine, "connect", _configure)
    event.listen(engine, "begin", _begin)
    try:
        _migrate(engine)
    except DatabaseError as error:
        engine.dispose()
        raise TrainstatusError(
            f"database {database}: {error.orig}; check that it can be written and is ours"
        ) from error
    return engine


def _configure(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # SQLAlchemy says BEGIN itself, see below
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
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
