"""Makes what a host says of the process of a run into a sign of its life."""

from __future__ import annotations

from collections.abc import Sequence

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
_ROW = 2
_MOST_JOBS = 20
_EXCERPT = 160
_UNKNOWN = {
    "odd": "{name} holds no process number",
    "unlisted": "the host does not list its processes",
    "lacking": "squeue is not on the PATH of the account that we use",
    "deaf": "squeue did not answer within 3 s",
    "no_shell": "by SFTP nobody can ask for a process",
    "hangs": "its host does not say; {path} hangs",
    "late": "there was no time left to ask in the last look at its host",
}


def sign(query: ProcessQuery, place: int, answer: Answer) -> Sign:
    """Return what the answer says at this place of the trip."""
    frames = [frame for frame in answer.processes if frame.run == place]
    if not frames:
        return _refused(query, place, answer)
    first = frames[0]
    if first.kind == "jobs":
        return _jobs(query, frames)
    if first.kind in {"pid", "pids"}:
        return _pid(query, first.text.split(), answer.clock) if first.kind == "pid" else _pids(first.text.split())
    if first.kind == "none":
        return Sign(Presence.ABSENT, _absent(query, first.text))
    said = redact(first.text.strip(", "))[:_EXCERPT] or "nothing, and failed"
    return Sign(Presence.UNKNOWN, _UNKNOWN.get(first.kind, f"squeue said: {said}").format(name=query.name))


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


def _pid(query: ProcessQuery, words: Sequence[str], clock: float | None) -> Sign:
    """A process that began after the file was written has got the number of one that is gone."""
    pid, start, up, written = words
    if clock is not None and up != "-":
        began = clock - float(up) + int(start) / _TICKS
        if began > float(written) + _STEPS:
            return Sign(Presence.ABSENT, _absent(query, pid))
    return Sign(Presence.ALIVE, f"process {pid}", processes=1, pids=pid)


def _pids(words: Sequence[str]) -> Sign:
    count, *pids = (int(word) for word in words)
    who = f"process {pids[0]}" if count == 1 else f"{count} processes"
    return Sign(Presence.ALIVE, who, processes=count, pids=_ranges(sorted(pids)))


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
    rows = [(row[0], row[1].split()[0]) for row in _rows(frames[0].text) if len(row) == _ROW and row[1]]
    alive = [job for job, state in rows if state not in _WAITING and state not in _ENDED]
    waiting = [job for job, state in rows if state in _WAITING]
    for presence, jobs in ((Presence.ALIVE, alive), (Presence.WAITING, waiting)):
        if jobs:
            return Sign(presence, f"Slurm job {_shown(jobs)}", jobs=",".join(_bases(jobs)))
    newest = max((_number(job) for job, _ in rows), default=0)
    told = [row for frame in frames[1:] for row in _rows(frame.text)]
    words = {state: "" for job, state in rows if _number(job) == newest}
    return _gone(query, told, words)


def _gone(query: ProcessQuery, told: Sequence[Sequence[str]], words: dict[str, str]) -> Sign:
    """Return how a job ended that is no longer there; accounting knows more than what is left of the job."""
    ends = {row[1].split()[0]: row for row in told if len(row) > _ROW + 1 and row[1]}
    if any(state not in _ENDED for state in ends):
        return Sign(Presence.UNKNOWN, f"Slurm has not yet written how job {query.jobs} ended")
    word = next((state for state in _ENDED if state in (ends or words)), "")
    who = f"Slurm job {query.jobs or query.name}" + (f" is {word}" if word else " is not there")
    if word not in ends:
        return Sign(Presence.ABSENT, who, word=word)
    times = [float(row[3]) for row in ends.values() if row[3].isdigit()]
    return Sign(Presence.ABSENT, who, word=word, exit_code=_exit_code(ends[word][2]), ended_at=max(times, default=None))


def _exit_code(text: str) -> int | None:
    """Read Slurm's `code:signal`."""
    code, _, signal = text.partition(":")
    if not code.isdigit() or not signal.isdigit():
        return None
    return _KILLED + int(signal) if int(signal) else int(code)


def _rows(text: str) -> list[list[str]]:
    return [row.split("|") for row in text.split(",") if "|" in row]


def _number(job: str) -> int:
    digits = job.partition("_")[0].partition("+")[0]
    return int(digits) if digits.isdigit() else 0


def _bases(jobs: Sequence[str]) -> list[str]:
    numbers = sorted({_number(job) for job in jobs}, reverse=True)
    return [str(number) for number in numbers[:_MOST_JOBS]]


def _shown(jobs: Sequence[str]) -> str:
    return jobs[0] if len(jobs) == 1 else _bases(jobs)[0]
