"""Understands what people type: names in any case, unique beginnings, patterns, the number of an incident.

What is not understood is a CommandError that says what may have been meant.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sqlalchemy import Connection

from monitor_core.errors import CommandError
from monitor_core.model.incidents import Incident, IncidentState, Kind, Subject, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.thresholds import CATALOGUE, Threshold
from monitor_core.units import utc_time

_ALL = "all"
_DIGITS = 18  # of the largest number that SQLite takes


@dataclass(frozen=True, slots=True)
class Targets:
    """The runs and hosts of a roster, by what people call them. Every method raises CommandError for no match."""

    roster: Roster

    def run(self, text: str) -> str:
        """Return the name of one run."""
        config = self.roster.config
        try:
            return _one(text, config.runs, "run")
        except CommandError:
            host = {name.lower(): name for name in config.hosts}.get(text.lower())
            if host is None:
                raise
        runs = self.roster.runs_of(Subject(SubjectKind.HOST, host))
        raise CommandError(f"{host} is a host; its runs: {', '.join(runs) or 'none'}.")

    def host(self, text: str) -> str:
        """Return the name of one host."""
        return _one(text, self.roster.config.hosts, "host")

    def runs(self, text: str) -> tuple[str, ...]:
        """Return the runs that a run, a host, `all` or a pattern covers."""
        subjects = self.subjects(text)
        if None in subjects:
            return tuple(self.roster.config.runs)
        return tuple(
            dict.fromkeys(run for subject in subjects if subject is not None for run in self.roster.runs_of(subject))
        )

    def subjects(self, text: str) -> list[Subject | None]:
        """Return what a run, a host, `all` (None) or a pattern names."""
        if text.lower() == _ALL:
            return [None]
        runs, hosts = self.roster.config.runs, self.roster.config.hosts
        if any(sign in text for sign in "*?["):
            found: list[Subject | None] = [Subject(SubjectKind.RUN, run) for run in runs if fnmatchcase(run, text)]
            found = found or [Subject(SubjectKind.HOST, host) for host in hosts if fnmatchcase(host, text)]
            if not found:
                raise CommandError(f"No run and no host matches {text}.")
            return found
        name = _one(text, (*runs, *hosts), "run or host")
        return [Subject(SubjectKind.RUN if name in runs else SubjectKind.HOST, name)]

    def meant(self, connection: Connection, text: str) -> list[Subject | None]:
        """Return what a name says, or what the incident of this number, not over yet, is about."""
        return [unresolved(connection, text).subject] if is_number(text) else self.subjects(text)

    def scope_of(self, target: str) -> str:
        """Return the scope that a run, a host or `all` stands for."""
        if target.lower() == _ALL:
            return _ALL
        name = _one(target, (*self.roster.config.runs, *self.roster.config.hosts), "run or host")
        return f"run {name}" if name in self.roster.config.runs else f"host {name}"

    def scope(self, text: str) -> str:
        """Return `all`, `run NAME` or `host NAME` with the full name."""
        kind, _, name = text.partition(" ")
        if kind == "run":
            return f"run {self.run(name)}"
        if kind == "host":
            return f"host {self.host(name)}"
        if kind == _ALL and not name:
            return _ALL
        raise CommandError(f"{text!r} is no scope; there are `run NAME`, `host NAME` and `all`.")

    def threshold(self, text: str) -> Threshold:
        """Return one threshold of the catalogue."""
        return CATALOGUE[_one(text.replace("-", "_"), CATALOGUE, "threshold")]


def is_number(text: str) -> bool:
    """Return whether a text is the number of an incident: `12`, or `#12` as chats write it."""
    return text.removeprefix("#").isdecimal()


def incident(connection: Connection, text: str) -> Incident:
    """Return the incident of a number; raise CommandError if there is none."""
    if not is_number(text):
        raise CommandError(f"{text} is not the number of an incident, such as 12; `history` lists them.", "history")
    number = text.removeprefix("#")
    found = queries.load_incident(connection, int(number)) if len(number) <= _DIGITS else None
    if found is None:
        raise CommandError(f"There is no incident {number}.")
    return found


def unresolved(connection: Connection, text: str) -> Incident:
    """Return the incident of a number; raise CommandError if there is none, or if it is over."""
    found = incident(connection, text)
    if found.state is IncidentState.RESOLVED and found.ends_at is not None:
        at = utc_time(found.ends_at, seconds=False)
        raise CommandError(f"Incident {found.number} was already resolved at {at}.")
    return found


def kind_of(text: str) -> Kind | None:
    """Return the kind of incident that a word names; None for an empty one."""
    return Kind(_one(text, [str(kind) for kind in Kind], "kind of incident")) if text else None


def _one(text: str, names: Iterable[str], what: str) -> str:
    known = list(names)
    lower = {name.lower(): name for name in known}
    if text in known:
        return text
    if text.lower() in lower:
        return lower[text.lower()]
    begun = [name for folded, name in lower.items() if text and folded.startswith(text.lower())]
    if len(begun) == 1:
        return begun[0]
    if begun:
        raise CommandError(f"{text} may be {_or(begun)}.", begun[0])
    close = difflib.get_close_matches(text.lower(), lower, n=1, cutoff=0.5)
    if close:
        near = lower[close[0]]
        raise CommandError(f"No {what} named {text}. Did you mean {near}?", near)
    there = f" There are {_or(known)}." if 0 < len(known) <= 12 else ""  # noqa: PLR2004 more would be a wall of names
    raise CommandError(f"No {what} named {text}.{there}")


def _or(names: list[str]) -> str:
    shown = names[:12]
    return ", ".join(shown[:-1]) + f" or {shown[-1]}" if len(shown) > 1 else shown[0]
