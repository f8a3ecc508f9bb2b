"""Real logs and labelled runs, kept outside the repository: which there are, and what is true of them."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path

from monitor_core.model.incidents import ENDINGS, Kind
from monitor_core.replay.recording import Piece, read
from tests.support.truth import rows

ROOT = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared"))
_TRUTH = Path(__file__).parents[1] / "data" / "shared_logs_truth.tsv"
_TOLD = {
    "stuck": (Kind.STUCK,),
    "slow": (Kind.SLOW,),
    "nan": (Kind.LOSS_NAN,),
    "loss_spike": (Kind.LOSS_SPIKE, Kind.DIVERGED),
    "crash": (Kind.FAILED,),
    "killed": (Kind.FAILED, Kind.STOPPED),
    "time_limit": (Kind.STOPPED,),
}
_HICCUP = "single slow iteration"
# A block of lines, and the looks after it.
_SLACK = 10.0
# Launches that failed before the run that the truth is about.
_ALSO_RIGHT = {"nanochat/jh_speedrun_stops.log": {Kind.FAILED}}
# What a person says is the root cause of a crash, by the case; several are right where the log shows no more.
_CAUSES = {
    "disk_full_at_checkpoint": {"disk_full", "write_failed"},
    "exception": {"exception"},
    "exception_rank1": {"exception"},
    "host_oom_memoryerror": {"host_oom"},
    "rank_hang_timeout": {"collective_timeout", "nccl_timeout", "gloo_timeout", "exception"},
    "rank_hang_then_sigkill": {"sigkill"},
    "rank_sigkill": {"sigkill"},
}


@dataclass(frozen=True)
class Log:
    """A real log: its recording, how its run ended by what a person read in it, and the root cause if it has one."""

    name: str
    recording: object
    state: str
    cause: str

    @property
    def right(self):
        """Return the kinds that are right to tell of it."""
        ending = {Kind(self.state)} if self.state in ENDINGS else set()
        return ending | _ALSO_RIGHT.get(self.name, set())

    @property
    def healthy(self):
        """Whether nothing was wrong with it, as far as it goes, and it tells progress."""
        return self.state in {"finished", "stopped", "training"} and bool(self.recording.progress)


@dataclass(frozen=True)
class Event:
    """What was injected into a run, as labelled, and the kinds that tell of it."""

    kind: str
    since: float
    until: float
    right: tuple[Kind, ...]

    def meets(self, alarm):
        """Whether an alarm is about the time of the event."""
        return alarm.since <= self.until + _SLACK and alarm.at >= self.since


@dataclass(frozen=True)
class Run:
    """A labelled run: its recording, what was injected, when the machine was busy, and which endings are right."""

    name: str
    recording: object
    events: list[Event] = field(default_factory=list)
    busy: list[Event] = field(default_factory=list)
    states: frozenset[str] = field(default=frozenset())
    causes: frozenset[str] = field(default=frozenset())


def logs():
    """Return the real logs that are no excerpts of documents; none without the shared data."""
    index = ROOT / "logs" / "INDEX.tsv"
    if not index.exists():
        return []
    whole = {row["file"] for row in rows(index) if not row["whole_or_excerpt"].startswith("excerpt")}
    known = [row for row in rows(_TRUTH) if row["file"] in whole]
    return [Log(r["file"], read(ROOT / "logs" / r["file"], None, "auto"), r["state"], r["cause"]) for r in known]


def runs():
    """Return the labelled runs; none without the shared data."""
    return [_run(label) for label in sorted((ROOT / "runs").glob("*/*/label.json"))]


def _run(path):
    label, folder = json.loads(path.read_text(encoding="utf-8")), path.parent
    log = folder / "train.log"
    log = log if log.exists() else folder / "train.log.1"
    recording = read(log, folder / "arrivals.tsv", "auto")
    # The arrivals do not say when the process ended, only that it did; and a log may have stayed empty.
    pieces = recording.pieces or (Piece(label["started_at"], b""),)
    recording = replace(recording, pieces=pieces, exited=(label["ended_at"], label["exit_code"]))
    events = [_event(event, label["ended_at"]) for event in label["events"] if _is_fault(event)]
    busy = [_event({**window, "kind": "contention"}, label["ended_at"]) for window in label["contention"]]
    states, causes = _states(label), frozenset(_CAUSES.get(folder.name, ()))
    return Run(f"{folder.parent.name}/{folder.name}", recording, events, busy, states, causes)


def _is_fault(event):
    return event["kind"] in _TOLD and not event.get("detail", "").startswith(_HICCUP)


def _event(event, ended_at):
    until = event["to"] if event["to"] is not None else ended_at
    return Event(event["kind"], event["from"], until, _TOLD.get(event["kind"], ()))


def _states(label):
    """Return the endings that are right, from the label alone: `unknown` is right where the file tells no more."""
    events = {event["kind"]: event["detail"] for event in label["events"]}
    unseen = {"unknown"} if "rotated" in events else set()
    if label["complete"]:
        return frozenset({"finished", *unseen})
    if "time_limit" in events or "SIGTERM" in events.get("killed", ""):
        return frozenset({"stopped"})
    if label["exit_code"]:
        return frozenset({"failed"})
    # It left without an error before its last step.
    return frozenset({"stopped", "unknown"})
