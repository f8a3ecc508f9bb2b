"""Whether the database can be used, and will be tomorrow."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from monitor_core.errors import TrainstatusError
from monitor_core.model.views import Diagnosis, State
from monitor_core.store.database import file_of, open_copy

PART = "database"
_MOUNTS = Path("/proc/mounts")
# Their locks do not hold, or not between machines: https://www.sqlite.org/howtocorrupt.html#_file_locking_problems
_REMOTE = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "beegfs", "ceph", "gpfs", "lustre", "fuse.sshfs"}
)
_LITTLE, _SOME = 100 * 2**20, 2**30  # bytes
_BUSY = 10.0  # seconds
_DAMAGED = frozenset({sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT})


def examine(url: str) -> Iterator[Diagnosis]:
    """Find out whether the database can be written, has a schema that we know, room, and a disk of its own."""
    file = file_of(url).absolute()
    folder = next(parent for parent in file.parents if parent.exists())
    writing = _writing(file, folder)
    yield writing
    if writing.state is State.OK:
        yield from _schema(url, file)
    yield room(shutil.disk_usage(folder).free, folder)
    if _MOUNTS.exists():
        yield from disk(folder.resolve(), _MOUNTS.read_text(errors="replace"))


def room(free: int, folder: Path) -> Diagnosis:
    """Judge how many bytes are free where the database lies."""
    what, fix = f"{free / 2**30:.1f} GiB are free in {folder}", "make room there, or move the database"
    state = State.FAIL if free < _LITTLE else State.WARN if free < _SOME else State.OK
    return Diagnosis(PART, state, what, "" if state is State.OK else fix)


def disk(folder: Path, mounts: str) -> Iterator[Diagnosis]:
    """Object to a file system of other machines; `mounts` is the text of /proc/mounts."""
    entries = [line.split() for line in mounts.splitlines() if line.count(" ") > 1]
    places = [(Path(place.replace("\\040", " ")), kind) for _, place, kind, *_ in entries]
    held = [(len(place.parts), kind) for place, kind in places if folder.is_relative_to(place)]
    kind = max(held, default=(0, ""))[1]
    if kind in _REMOTE:
        fix = "name a file on a disk of this machine under `database`: SQLite's locks do not hold there"
        yield Diagnosis(PART, State.FAIL, f"{folder} lies on another machine ({kind})", fix)


def _writing(file: Path, folder: Path) -> Diagnosis:
    fix = f"let this account write {file} and its folder"
    if file.is_dir():
        return Diagnosis(PART, State.FAIL, f"{file} is a folder", "name a file under `database`")
    try:
        if not file.exists():
            if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
                return Diagnosis(PART, State.FAIL, f"{file} cannot be made in {folder}", fix)
            if not file.parent.exists():
                what = f"{file.parent} does not exist; it will be made at the first start"
                return Diagnosis(PART, State.WARN, what, "check the path under `database`")
            return Diagnosis(PART, State.OK, f"{file} will be made at the first start")
        with closing(sqlite3.connect(f"{file.as_uri()}?mode=rw", uri=True, timeout=_BUSY, isolation_level=None)) as own:
            own.execute("BEGIN IMMEDIATE").close()
            own.execute("ROLLBACK").close()
    except (OSError, sqlite3.Error) as error:
        if getattr(error, "sqlite_errorcode", None) in _DAMAGED:
            fix = "name another file under `database`, or put a backup in its place"
        return Diagnosis(PART, State.FAIL, f"{file} cannot be written: {error}", fix)
    return Diagnosis(PART, State.OK, f"{file} can be written")


def _schema(url: str, file: Path) -> Iterator[Diagnosis]:
    if not file.exists():
        return
    try:
        open_copy(url).dispose()
    except TrainstatusError as error:
        yield Diagnosis(PART, State.FAIL, str(error), "use the trainstatus that wrote it, or name another file")
    else:
        yield Diagnosis(PART, State.OK, "its schema is known")
