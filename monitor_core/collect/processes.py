"""Makes what a host says of the process of a run into a sign of its life."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from monitor_core.collect.frames import Answer, ProcessFrame
from monitor_core.collect.reading import reason
from monitor_core.model.records import Presence, ProcessQuery, Sign
from monitor_core.redact import redact

# Steps of the host's clock, and of that of the disk with the pid file, are smaller than this, in seconds.
_STEPS = 60.0
# What Linux tells of times to programs is in hundredths of a second on all machines that train.
_TICKS = 100
# Slurm's states of the jobs that will run, or run again; and of those that have ended, worst first.
_WAITING = frozenset(
    {"PENDING", "REQUEUED", "REQUEUE_FED", "REQUEUE_HOLD", "RESV_DEL_HOLD", "SPECIAL_EXIT", "CONFIGURING"}
)
_ENDED = (
    "OUT_OF_MEMORY",
    "NODE_FAIL",
    "BOOT_FAIL",
    "FAILED",
    "TIMEOUT",
    "DEADLINE",
    "PREEMPTED",
    "CANCELLED",
    "REVOKED",
    "COMPLETED",
)
_KILLED = 128
_MOST_JOBS = 20
_EXCERPT = 160
_PID = re.compile(r"(\d+) (?:(\d+) (\d+\.?\d*)|\S+ -) (\d+)", re.ASCII)
_PIDS = re.compile(r"(\d+)((?: \d+)+)", re.ASCII)
# A job of squeue, `4711_[3,5-9]|PENDING`, or of sacct: `4711+0|CANCELLED by 1000|0:15|1795513955`.
_JOB = re.compile(r"(\d+)([^|;]*)\|([A-Z_]+)[^|;]*(?:\|(\d+):(\d+)\|(\d*)[^|;]*)?(?=;|$)", re.ASCII)
_UNKNOWN = {
    "odd": "{name} holds no process number",
    "unlisted": "the host does not list its processes",
    "lacking": "squeue is not on the PATH of the account that we use",
    "deaf": "squeue did not answer within 3 s",
    "no_shell": "by SFTP nobody can ask for a process",
    "hangs": "its host does not say; {path} hangs",
    "late": "there was no time left to ask in the last look at its host",
}


@dataclass(frozen=True, slots=True)
class _Job:
    """A job, or a part of one; `ended_at` is None, and the exit code too, where only squeue told of it."""

    number: int
    part: str
    state: str
    exit_code: int | None = None
    ended_at: float | None = None


def sign(query: ProcessQuery, place: int, answer: Answer) -> Sign:
    """Return what the answer says at this place of the trip."""
    frames = [frame for frame in answer.processes if frame.run == place]
    if not frames:
        return _refused(query, place, answer)
    first = frames[0]
    if first.kind == "jobs":
        return _jobs(query, frames)
    if first.kind == "none":
        return Sign(Presence.ABSENT, _absent(query, first.text))
    if first.kind == "pid" and (pid := _PID.fullmatch(first.text)):
        return _pid(query, pid, answer.clock)
    if first.kind == "pids" and (pids := _PIDS.fullmatch(first.text)):
        return _pids(pids)
    return Sign(Presence.UNKNOWN, _why(query, first))


def _why(query: ProcessQuery, frame: ProcessFrame) -> str:
    if frame.kind in _UNKNOWN:
        return _UNKNOWN[frame.kind].format(name=query.name)
    said = redact(frame.text.strip("; "))[:_EXCERPT] or "nothing, and failed"
    return f"squeue said: {said}"


def _refused(query: ProcessQuery, place: int, answer: Answer) -> Sign:
    refusal = next((each for each in answer.refusals if each.run == place), None)
    if refusal is None:
        return Sign(Presence.UNKNOWN, "its host did not say")
    if refusal.why in _UNKNOWN:
        return Sign(Presence.UNKNOWN, _UNKNOWN[refusal.why].format(path=refusal.path))
    presence = Presence.ABSENT if refusal.why == "missing" else Presence.UNKNOWN
    return Sign(presence, reason(refusal.why, query.name))


def _absent(query: ProcessQuery, pid: str) -> str:
    return f"process {pid} is not there" if pid else f"no command line has {query.name} in it"


def _pid(query: ProcessQuery, told: re.Match[str], clock: float | None) -> Sign:
    """A process that began after the file was written has got the number of one that is gone."""
    pid, start, up, written = told.groups()
    if clock is not None and up is not None and clock - float(up) + int(start) / _TICKS > int(written) + _STEPS:
        return Sign(Presence.ABSENT, f"process {pid} is younger than {query.name}")
    return Sign(Presence.ALIVE, f"process {pid}", processes=1, pids=pid)


def _pids(told: re.Match[str]) -> Sign:
    count, pids = int(told[1]), sorted(map(int, told[2].split()))
    who = f"process {pids[0]}" if count == 1 else f"{count} processes"
    return Sign(Presence.ALIVE, who, processes=count, pids=_ranges(pids))


def _ranges(numbers: Sequence[int]) -> str:
    """Write numbers in short: `12, 88213 to 88220`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return ", ".join(str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}" for run in runs)


def _jobs(query: ProcessQuery, frames: Sequence[ProcessFrame]) -> Sign:
    """Judge a job by all its parts (tasks of an array, components): one that runs is enough.

    Of several jobs with one name those that run count, then those that wait, then the newest.
    """
    listed = _read(frames[0].text)
    if not listed and frames[0].text.strip("; "):
        return Sign(Presence.UNKNOWN, _why(query, frames[0]))
    alive = [job for job in listed if job.state not in _WAITING and job.state not in _ENDED]
    waiting = [job for job in listed if job.state in _WAITING]
    for presence, jobs in ((Presence.ALIVE, alive), (Presence.WAITING, waiting)):
        if jobs:
            return Sign(presence, _named(jobs), jobs=_numbers(jobs))
    newest = max((job.number for job in listed), default=0)
    told = [job for frame in frames[1:] for job in _read(frame.text)]
    return _gone(query, told or [job for job in listed if job.number == newest])


def _gone(query: ProcessQuery, ends: Sequence[_Job]) -> Sign:
    """Return how a job ended that is no longer there: the worst of its parts, at the end of the last."""
    if any(job.state not in _ENDED for job in ends):
        return Sign(Presence.UNKNOWN, f"Slurm has not yet written how job {query.jobs} ended")
    who = f"Slurm job {query.jobs or query.name}"
    if not ends:
        return Sign(Presence.ABSENT, f"{who} is not there")
    worst = min(ends, key=lambda job: _ENDED.index(job.state))
    ended_at = max((job.ended_at for job in ends if job.ended_at is not None), default=None)
    said = f"{who} is {worst.state}"
    return Sign(Presence.ABSENT, said, word=worst.state, exit_code=worst.exit_code, ended_at=ended_at)


def _read(text: str) -> list[_Job]:
    return [_job(*told.groups()) for told in _JOB.finditer(text)]


def _job(number: str, part: str, state: str, code: str | None, signal: str | None, end: str | None) -> _Job:
    if code is None or signal is None:
        return _Job(int(number), part, state)
    return _Job(int(number), part, state, _KILLED + int(signal) if int(signal) else int(code), float(end or 0) or None)


def _named(jobs: Sequence[_Job]) -> str:
    """Name the newest job, and which part of it if that is the only one."""
    newest = max(job.number for job in jobs)
    return f"Slurm job {newest}{jobs[0].part if len(jobs) == 1 else ''}"


def _numbers(jobs: Sequence[_Job]) -> str:
    return ",".join(str(number) for number in sorted({job.number for job in jobs}, reverse=True)[:_MOST_JOBS])
