"""What is read: log cursors, new bytes, and the facts that a parser finds in them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

# So many of the newest progress lines of a run are kept at most, before they are thinned.
MOST_POINTS = 20_000


@dataclass(frozen=True, slots=True)
class LogCursor:
    """How far one log file has been read.

    `identity` is `device:inode` on the host, 0 for what it does not tell; `offset` counts bytes from the start of the
    file; `fingerprint` holds the up to 64 bytes before `offset`, since an inode number alone can belong to a new file;
    `partial` is the unfinished last line (its bytes are already counted in `offset`). By `mtime` (then, by the host's
    clock) and `real_path` (where the log was without symbolic links, empty if not known) its rest is found after a
    rotation.
    """

    path: str
    identity: str
    offset: int
    fingerprint: bytes = b""
    partial: bytes = b""
    mtime: float = 0.0
    real_path: str = ""


class KnownBy(StrEnum):
    """By what the process of a run is known on its host."""

    PID_FILE = "pid_file"
    COMMAND = "command"
    SLURM = "slurm"


@dataclass(frozen=True, slots=True)
class ProcessQuery:
    """Whose life is asked for: the path of a pid file, a part of a command line, or the number or name of a Slurm job.

    `jobs` are those whose end Slurm is asked for as soon as they are no longer there, with commas; none if it has told.
    """

    by: KnownBy
    name: str
    jobs: str = ""

    @property
    def of(self) -> str:
        """Return the process as the configuration names it."""
        return f"{self.by} {self.name}"


class Presence(StrEnum):
    """What a look says of a process; WAITING: its job is in the queue."""

    ALIVE = "alive"
    WAITING = "waiting"
    ABSENT = "not found"
    UNKNOWN = "not known"


@dataclass(frozen=True, slots=True)
class Sign:
    """What one look says of the process of a run; `of` is the process, as the configuration names it.

    `who` names it, or says why it was not found or is not known. `processes` and `pids` are told where they are known.
    `jobs` are the numbers of its Slurm jobs, with commas. Where its scheduler told how it ended, `word` is its word for
    it, with the exit code (128 and the signal of one that was killed) and the time (seconds since 1970, the host's
    clock) where it told them.
    """

    presence: Presence
    who: str = ""
    of: str = ""
    processes: int | None = None
    pids: str = ""
    jobs: str = ""
    word: str = ""
    exit_code: int | None = None
    ended_at: float | None = None


@dataclass(frozen=True, slots=True)
class LogRequest:
    """What to read for one run: paths or globs on its host, and how far each file has been read.

    A file without a cursor is read from `size - backfill` on. At most `limit` bytes of each file come at once.
    `process`: whether its process is there is asked in the same trip.
    """

    run: str
    patterns: tuple[str, ...]
    cursors: Mapping[str, LogCursor] = field(default_factory=dict)
    backfill: int = 16 * 2**20
    limit: int = 4 * 2**20
    process: ProcessQuery | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """New bytes of one log file, cut into whole lines.

    `lines` is empty or ends in a line feed; other line ends and control sequences are gone. `cursor` is where the
    next read goes on. `size` and `mtime` (seconds since 1970, the host's clock) are the file's at the time of the read.
    `fresh`: the file was seen for the first time, replaced or truncated. `more`: the file has bytes that did not fit.
    """

    cursor: LogCursor
    lines: bytes
    size: int
    mtime: float
    fresh: bool = False
    more: bool = False


class LogTrouble(StrEnum):
    """Why a run's log could not be read though its host answers."""

    MISSING = "log_missing"
    UNREADABLE = "log_unreadable"


@dataclass(frozen=True, slots=True)
class LogReading:
    """The answer for one `LogRequest`: a chunk for each file, or why there is none (`detail` is for people).

    `sign` tells of its process, if that was asked for.
    """

    run: str
    chunks: tuple[Chunk, ...] = ()
    trouble: LogTrouble | None = None
    detail: str = ""
    sign: Sign | None = None


@dataclass(frozen=True, slots=True)
class HostReading:
    """One trip to a host. `clock` is the host's own clock (seconds since 1970) half-way through it, None if unknown."""

    clock: float | None
    logs: tuple[LogReading, ...]

    def skew(self, at: float) -> float:
        """Return how far the host's clock was ahead of ours, which showed `at`; 0 if it is unknown."""
        return 0.0 if self.clock is None else self.clock - at


# Not frozen, though nobody changes one: that would take seven times as long to make, and a log has a million of them.
@dataclass(slots=True)
class Progress:
    """A progress line.

    `counted`: the log tells no iteration, and this is the number of the line. `timestamp` is the printed date and time
    read as if it were UTC (seconds since 1970), or None where the line has none. `loss` is None where the line has no
    loss field (Megatron drops it when the loss is not finite). `skipped` and `nan_iterations` are how many of the
    iterations that the line covers changed no weight, and had a loss that is not finite; `loss_scale` is what the loss
    is multiplied by, `sequence_length` in tokens.
    """

    iteration: int
    total: int | None = None
    ms_per_iteration: float | None = None
    loss: float | None = None
    grad_norm: float | None = None
    learning_rate: float | None = None
    throughput: float | None = None
    batch_size: int | None = None
    sequence_length: int | None = None
    loss_scale: float | None = None
    skipped: int | None = None
    nan_iterations: int | None = None
    timestamp: float | None = None
    counted: bool = False


@dataclass(frozen=True, slots=True)
class Detail:
    """What a line of its own adds to the progress of an iteration; None for what it lacks."""

    iteration: int
    loss: float | None = None
    grad_norm: float | None = None
    learning_rate: float | None = None
    throughput: float | None = None
    timestamp: float | None = None


# A tuple, since a first sight brings thousands, which go into the database as they are.
class Point(NamedTuple):
    """A progress line as it is kept: when it was written (seconds since 1970, our clock), and what it said.

    `ms` is the time per iteration in milliseconds. `loss` is None where the line has none, and where it is no number.
    `first`: it is the first one of a launch. `before` tells what else was read since the line before (`track.marks`).
    """

    at: float
    iteration: int
    ms: float | None
    loss: float | None
    first: bool
    before: str = ""


class MarkerKind(StrEnum):
    """What a line other than progress says about the phase of a run.

    LAST_ITERATION: the last iteration was reached, in a format that has no word for the end. REVISED: what was taken
    for progress so far was that of something else; the training's own begins now.
    """

    START = "start"
    CHECKPOINT_START = "checkpoint_start"
    CHECKPOINT_END = "checkpoint_end"
    EVALUATION = "evaluation"
    EVALUATION_END = "evaluation_end"
    LAST_ITERATION = "last_iteration"
    TRAINING_DONE = "training_done"
    EXITING = "exiting"
    SETTING = "setting"
    REVISED = "revised"


@dataclass(frozen=True, slots=True)
class Marker:
    """A line that says what a run is doing.

    `total` is how many iterations there were to be, where only the end tells it. For SETTING, `name` and `value` are an
    entry of the start-up dump.
    """

    kind: MarkerKind
    iteration: int | None = None
    timestamp: float | None = None
    text: str = ""
    name: str = ""
    value: str = ""
    total: int | None = None


class Role(StrEnum):
    """How much a failure line says about the cause: it is the cause, follows from one, or is only context."""

    ROOT = "root"
    CASCADE = "cascade"
    CONTEXT = "context"


@dataclass(frozen=True, slots=True)
class Failure:
    """A line that tells of an error; `signature` is its id in the catalogue, `text` the line itself (redacted).

    `rank`, `host` and `exit_code` are those of the process it speaks of, where it names them. `frame` is the deepest
    line of the user's own code in its traceback: `train.py:88 in step`. `timestamp` is its printed date and time read
    as if it were UTC (seconds since 1970); where the year is not printed it is 1972.
    """

    signature: str
    role: Role
    text: str
    rank: str = ""
    timestamp: float | None = None
    line_number: int = 0
    host: str = ""
    frame: str = ""
    exit_code: int | None = None


Record = Progress | Detail | Marker | Failure
