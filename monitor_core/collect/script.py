"""The program that a host's shell runs for one read, the same over SSH and on this machine.

It is POSIX sh and needs GNU `stat` and `dd`. What is asked comes after it as calls of its function `look`; what it
answers is described in `frames`.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from monitor_core.model.records import LogCursor

# More files than this of one run are not read in one trip; the newest are.
MAX_FILES = 64
# New bytes of one trip, shared fairly by its runs and their files: what bounds memory and time.
BUDGET = 16 * 2**20

_WILDCARD = re.compile(r"(\*|\?|\[!?[\w.,:=+@%-]+\])", re.ASCII)
_IDENTITY = re.compile(r"\d+:\d+")

# Everything stands in one compound command, so that a shell that got only part of it runs nothing. A redirection that
# fails must not be on `exec`: it would end the shell.
_PROGRAM = """\
{
exec 2>/dev/null </dev/null
LC_ALL=C
export LC_ALL
newline='
'
say() { printf '\\n%s %s\\n' "$token" "$*"; }

newest() {
  for path; do
    case $path in *"$newline"*) ;; *) printf '%s\\0' "$path" ;; esac
  done | xargs -0 stat -L -c '%Y %n' -- | sort -rn | head -n "$most_files" | cut -d ' ' -f 2-
}

look() {
  run=$1 backfill=$2 limit=$3 share=$4
  shift 4
  if [ $# -gt "$most_files" ]; then
    IFS=$newline; set -f
    set -- $(newest "$@")
    set +f; unset IFS
  fi
  [ $# -gt 0 ] || return
  fair=$((share / $#))
  [ "$limit" -le "$fair" ] || limit=$fair
  seen=$newline
  for path; do
    case $path in *"$newline"*) continue ;; esac
    case $seen in *"$newline$path$newline"*) continue ;; esac
    seen=$seen$path$newline
    [ -f "$path" ] && { send; } 3<"$path" || refuse
  done
}

send() {
  set -- $(stat -L -c '%d:%i %s %Y %.Y' - <&3)
  [ $# -eq 4 ] || return 1
  cursor "$run:$path"
  how=anew start=0
  if [ -z "$known" ]; then
    kept=0
    [ "$2" -le "$backfill" ] || start=$(($2 - backfill - 1))
  elif [ "$known" = "$1" ] && [ "$2" -ge "$offset" ]; then
    how=on start=$((offset - kept))
  else
    kept=0
  fi
  count=$(($2 - start))
  [ "$count" -le $((kept + limit)) ] || count=$((kept + limit))
  say file "$run" "$how" "$1" "$2" "$3" "$4" "$start" "$count" "$path"
  dd bs=64k iflag=skip_bytes,count_bytes,fullblock skip="$start" count="$count" status=none <&3 || return 1
  say end
}

refuse() {
  if [ -d "$path" ]; then why=directory
  elif [ -f "$path" ] && [ -r "$path" ]; then why=failed
  elif [ -f "$path" ]; then why=denied
  elif [ -e "$path" ]; then why=special
  else
    case $(stat -L -- "$path" 2>&1) in *'Permission denied'*) why=denied ;; *) why=missing ;; esac
  fi
  say refused "$run" "$why" "$path"
}
"""
# It travels with each read.
_INDENT = re.compile(r"\n +")


@dataclass(frozen=True, slots=True)
class Question:
    """What to look for in one trip: shell words that name files, and how far each has been read.

    `run` is the place of the request in the trip. The words are safe to stand in a program: see `words`.
    """

    run: int
    words: tuple[str, ...]
    backfill: int
    limit: int
    cursors: Mapping[str, LogCursor] = field(default_factory=dict)


def words(patterns: Iterable[str]) -> tuple[str, ...]:
    """Return paths and globs as shell words of which only `*`, `?` and `[]` mean anything to the shell.

    One that begins with `~/` is in the home folder; one that is no path (see `is_path`) has no word.
    """
    return tuple(_word(pattern) for pattern in patterns if is_path(pattern))


def is_path(pattern: str) -> bool:
    """Say whether a pattern names files: it is absolute or in the home folder, and without line feed and NUL."""
    return pattern.startswith(("/", "~/")) and "\n" not in pattern and "\0" not in pattern


def literal(path: str) -> str:
    """Return the shell word that names just this file."""
    return shlex.quote(path)


def is_glob(pattern: str) -> bool:
    """Say whether a pattern may name several files."""
    return _WILDCARD.search(pattern) is not None


def program(token: str, questions: Sequence[Question]) -> bytes:
    """Return the program that answers the questions, marking what it says with the token."""
    share = BUDGET // max(1, len(questions))
    cursors = [_case(each.run, path, cursor) for each in questions for path, cursor in each.cursors.items()]
    looks = [
        f"look {question.run} {question.backfill} {question.limit} {share} {' '.join(question.words)}"
        for question in questions
    ]
    lines = [
        f"token={token} most_files={MAX_FILES}",
        "cursor() {",
        "known= offset=0 kept=0",
        "case $1 in",
        *cursors,
        "esac",
        "}",
        "say clock $(date +%s.%N)",
        *looks,
        "say done",
        "exit 0",
        "}",
        "",
    ]
    return (_INDENT.sub("\n", _PROGRAM) + "\n".join(lines)).encode()


def _word(pattern: str) -> str:
    return '"$HOME"/' + _quote(pattern[2:]) if pattern.startswith("~/") else _quote(pattern)


def _quote(pattern: str) -> str:
    parts = _WILDCARD.split(pattern)
    return "".join(part if is_glob(part) else shlex.quote(part) for part in parts if part)


def _case(run: int, path: str, cursor: LogCursor) -> str:
    known = cursor.identity if _IDENTITY.fullmatch(cursor.identity) else "unknown"
    return f"{run}:{shlex.quote(path)}) known={known} offset={cursor.offset} kept={len(cursor.fingerprint)} ;;"
