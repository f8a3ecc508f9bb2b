"""The program that a host's shell runs for one trip, the same over SSH and on this machine.

Its functions stand in read.sh, trace.sh and process.sh; what is asked comes after them as calls. What it answers is
described in `frames`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from importlib.resources import files

from monitor_core.collect.questions import BUDGET, MAX_FILES, Ask, Hole, Question, Roll, Trace, is_glob, parts
from monitor_core.model.records import KnownBy, LogCursor, ProcessQuery

_IDENTITY = re.compile(r"\d+:(\d+)")
# Comments, empty lines and indentation stay at home: it travels with each trip.
_IDLE = re.compile(r"^ *(?:#.*)?\n|^ +", re.MULTILINE)


def program(token: str, asked: Sequence[Ask]) -> bytes:
    """Return the program that answers: what it says bears the token and the place of the question.

    Everything stands in one compound command: a shell that got only part of it runs nothing.
    """
    questions = [each for each in asked if isinstance(each, Question)]
    share = BUDGET // max(1, len(questions))
    cases = [_case(each.run, path, cursor) for each in questions for path, cursor in each.cursors.items()]
    hung = {path for each in questions for path in each.hung}
    lines = [
        "{",
        _READ,
        *(text for kinds, text in _SELDOM if any(isinstance(each, kinds) for each in asked)),
        *["cursor() {", "known= offset=0 kept=0", "case $1 in", *cases, "esac", "}"],
        f"token={token} most={MAX_FILES} hung={_listed(hung)}",
        "say clock $(date +%s.%N)",
        *(line for each in asked for line in _calls(each, share)),
        *["say done", "exit 0", "}", ""],
    ]
    return "\n".join(lines).encode()


def _functions(name: str) -> str:
    return _IDLE.sub("", files(__package__).joinpath(name).read_text())


_READ = _functions("read.sh")
_SELDOM = (((Trace, Hole), _functions("trace.sh")), (Roll, _functions("process.sh")))
_JOB_NUMBER = re.compile(r"\d+(?:_\d+|\+\d+)?")


def _calls(ask: Ask, share: int) -> list[str]:
    if isinstance(ask, Question):
        return _look(ask, share)
    if isinstance(ask, Trace):
        return [_trace(ask)]
    if isinstance(ask, Roll):
        return [f"by_{ask.query.by} {ask.run} {_process(ask.query)}"]
    return [f"text {ask.run} {ask.start} {shlex.quote(ask.paths[0])}"]


def _look(question: Question, share: int) -> list[str]:
    """Return the lines that look for files; before a glob is followed, which may hang, they say which."""
    run, lines = question.run, ["set --"]
    for place, pattern in enumerate(question.patterns):
        if is_glob(pattern) and not question.exact:
            lines.append(f"say at {run} {place}")
        lines.append(f'set -- "$@" {shlex.quote(pattern) if question.exact else _word(pattern)}')
    lines.append(f"seen={_listed(question.skip)}")
    lines.append(f'look {run} {question.limit} {share} "$@"')
    return lines


def _trace(trace: Trace) -> str:
    cursor = trace.cursor
    known = _IDENTITY.fullmatch(cursor.identity)
    kept = len(cursor.fingerprint)
    paths = " ".join(map(shlex.quote, (cursor.real_path or cursor.path, *trace.paths)))
    return f"trace {trace.run} {known[1] if known else 0} {cursor.offset - kept} {kept} {paths}"


def _process(query: ProcessQuery) -> str:
    if query.by is KnownBy.PID_FILE:
        return _word(query.name)
    if query.by is KnownBy.COMMAND:
        return shlex.quote(_expression(query.name))
    option = f"--jobs={query.name}" if _JOB_NUMBER.fullmatch(query.name) else f"--name={query.name}"
    return f"{shlex.quote(option)} {shlex.quote(query.jobs)}"


def _expression(pattern: str) -> str:
    """Return the basic regular expression for a part of a command line, which does not match itself."""
    text = ".*".join(re.sub(r"[][.^$\\]", r"\\\g<0>", part) for part in pattern.split("*"))
    return re.sub(r"[A-Za-z0-9]", r"[\g<0>]", text, count=1)


def _listed(paths: Iterable[str]) -> str:
    return "".join(["$newline", *(f"{shlex.quote(path)}$newline" for path in sorted(paths))])


def _word(pattern: str) -> str:
    """Return the shell word for a path or glob, of which only `*`, `?` and `[]` mean anything to the shell."""
    return '"$HOME"/' + _quote(pattern[2:]) if pattern.startswith("~/") else _quote(pattern)


def _quote(pattern: str) -> str:
    return "".join(part if is_glob(part) else shlex.quote(part) for part in parts(pattern))


def _case(run: int, path: str, cursor: LogCursor) -> str:
    known = cursor.identity if _IDENTITY.fullmatch(cursor.identity) else "unknown"
    return f"{run}:{shlex.quote(path)}) known={known} offset={cursor.offset} kept={len(cursor.fingerprint)} ;;"
