"""The database as a file: what it gives back to the disk, whether it is still there, and its backup."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine

from monitor_core.errors import TrainstatusError
from monitor_core.store.database import existing, reading

_PRIVATE = 0o600


def give_back(engine: Engine, pages: int) -> bool:
    """Give up to so many free pages back to the disk; return whether there were as many."""
    with _cursor(engine) as cursor:
        free = _number(cursor, "freelist_count")
        # `execute` would stop after the first page: this pragma has to be asked again for each.
        cursor.executescript(f"PRAGMA incremental_vacuum({pages})")
        return free - _number(cursor, "freelist_count") >= pages


def empty_wal(engine: Engine) -> None:
    """Bring what the write-ahead log holds into the database, and cut it to nothing unless somebody reads just now.

    Most of that is done while others write; nobody has to wait for a long reader, such as a backup.
    """
    with _cursor(engine) as cursor:
        patience = _number(cursor, "busy_timeout")
        cursor.execute("PRAGMA busy_timeout=0")
        try:
            for mode in ("PASSIVE", "TRUNCATE"):
                cursor.execute(f"PRAGMA wal_checkpoint({mode})")
        finally:
            cursor.execute(f"PRAGMA busy_timeout={patience}")


def identity(file: Path) -> tuple[int, int] | None:
    """Return what tells a file from another of the same name; None if there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def backup(url: str, target: Path) -> None:
    """Copy a database, as it is at this moment, to a new file that only its owner can read; the monitor may run on.

    Raises TrainstatusError if there is no database, if the target exists, or if the copy fails; then none is left.
    """
    file = existing(url)
    try:
        os.close(os.open(target, os.O_CREAT | os.O_EXCL, _PRIVATE))
    except FileExistsError as error:
        raise TrainstatusError(f"backup {target}: it exists, and is not overwritten; choose another name") from error
    except OSError as error:
        raise TrainstatusError(f"backup {target}: {error.strerror}") from error
    try:
        with reading(file) as source, closing(sqlite3.connect(target)) as copy:
            source.backup(copy)
            # One file is all there is of it: it can be read where nothing can be written.
            copy.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error as error:
        target.unlink()
        raise TrainstatusError(f"backup {target}: {error}; nothing was kept") from error


@contextmanager
def _cursor(engine: Engine) -> Iterator[sqlite3.Cursor]:
    """Yield a cursor outside of any transaction."""
    with closing(engine.raw_connection()) as connection:
        cursor: sqlite3.Cursor = connection.cursor()  # type: ignore[assignment] # SQLAlchemy does not know that it is sqlite3's
        yield cursor


def _number(cursor: sqlite3.Cursor, pragma: str) -> int:
    return int(cursor.execute(f"PRAGMA {pragma}").fetchone()[0])
