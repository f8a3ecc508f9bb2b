"""The one door for people: what they may do, from Slack and from the shell alike.

Each change is validated, audited (who, what, old, new, when) and can be undone. Every refusal is a `CommandError`, and
then nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection, Engine

from monitor_core import tuning
from monitor_core.announce import announce, reconcile_mutes, tell
from monitor_core.errors import CommandError
from monitor_core.incident.mutes import covers
from monitor_core.model.incidents import (
    Incident,
    IncidentState,
    Mute,
    Reason,
    Subject,
    SubjectKind,
)
from monitor_core.model.views import AckAnswer, MuteAnswer, Overview, RunView, ThresholdChange, ThresholdView
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.targets import Targets, kind_of
from monitor_core.thresholds import Threshold
from monitor_core.units import DURATION_EXAMPLES, compact_duration, utc_time
from monitor_core.view import host_view, run_view, worst_first

DEFAULT_MUTE = 3600.0
LONGEST_MUTE = 30 * 86400.0
_DIGITS = 18  # of the largest number that SQLite takes


@dataclass(slots=True)
class Control:
    """What people may ask and change. `clock` gives seconds since 1970; `changed` is called after each change."""

    engine: Engine
    roster: Roster
    clock: Callable[[], float]
    changed: Callable[[], None] = field(default=lambda: None)

    @property
    def targets(self) -> Targets:
        """Return how names that people type are understood."""
        return Targets(self.roster)

    def overview(self) -> Overview:
        """Return all runs, worst first, all hosts, and what troubles the monitor itself."""
        now = self.clock()
        with self.engine.begin() as connection:
            incidents = queries.active_incidents(connection)
            mutes = queries.load_mutes(connection, now=now)
            rows, hosts = queries.load_runs(connection), queries.load_hosts(connection)
        runs = [run_view(self.roster, name, rows.get(name), incidents, mutes, now) for name in self.roster.config.runs]
        return Overview(
            now=now,
            runs=tuple(sorted(runs, key=worst_first)),
            hosts=tuple(
                host_view(self.roster, name, hosts.get(name), incidents, mutes, now)
                for name in self.roster.config.hosts
            ),
            incidents=tuple(i for i in incidents if i.subject.kind is SubjectKind.SELF),
        )

    def run(self, name: str) -> RunView:
        """Return one run; the name may be in any case, or a unique beginning of one."""
        now, run = self.clock(), self.targets.run(name)
        with self.engine.begin() as connection:
            incidents = queries.active_incidents(connection)
            mutes = queries.load_mutes(connection, now=now)
            row = queries.load_run(connection, run)
        return run_view(self.roster, run, row, incidents, mutes, now)

    def runs_of(self, target: str) -> tuple[str, ...]:
        """Return the runs that a target covers: a run, a host, `all`, a pattern, or an incident's number."""
        if target.isdecimal():
            return tuple(self.roster.runs_of(self._incident(target).subject))
        return self.targets.runs(target)

    def owners_of(self, target: str) -> frozenset[str]:
        """Return who owns all of what a target covers: the owners, if every run has the same one, else nobody."""
        configured = self.roster.config.runs
        owners = {configured[run].owner for run in self.runs_of(target) if run in configured}
        return frozenset(owners) if len(owners) == 1 and owners != {""} else frozenset()

    def channels_of(self, target: str) -> frozenset[str]:
        """Return the alert channels of what a target covers."""
        runs = self.runs_of(target)
        subjects = [Subject(SubjectKind.RUN, run) for run in runs] or [Subject(SubjectKind.SELF, "")]
        return frozenset(channel for subject in subjects for channel in self.roster.channels(subject))

    def mute(
        self, actor: str, target: str, *, kind: str = "", until: float | None = None, reason: str = ""
    ) -> MuteAnswer:
        """Hold back the messages about a run, a host, all, or what an incident's number is about, until a moment.

        Without a moment the mute lasts for an hour. It takes the place of one that covers the same.
        """
        now, of = self.clock(), kind_of(kind)
        until = now + DEFAULT_MUTE if until is None else until
        if not now < until <= now + LONGEST_MUTE:
            longest = f"within {compact_duration(LONGEST_MUTE)}"
            raise CommandError(f"A mute ends {longest}, and not in the past (examples: {DURATION_EXAMPLES}).")
        made = []
        with self.engine.begin() as connection:
            held = queries.load_mutes(connection, now=now)
            for subject in self._subjects(connection, target):
                for before in held:
                    if (before.subject, before.kind) == (subject, of):
                        queries.end_mute(connection, before.number, now)
                mute = queries.add_mute(connection, Mute(0, subject, of, until, actor, now, reason))
                made.append(mute)
                what = _subject_text(subject)
                new = f"until {until:.0f}" + (f" {of}" if of else "") + (f": {reason}" if reason else "")
                queries.add_audit(connection, at=now, actor=actor, verb="mute", subject=what, new=new)
            reconcile_mutes(connection, self.roster, now)
            firing = self._firing(connection, made)
        self.changed()
        return MuteAnswer(tuple(made), firing)

    def unmute(self, actor: str, target: str, *, kind: str = "") -> MuteAnswer:
        """End the mutes of a run, a host or all; what is still wrong then is told once."""
        now, of = self.clock(), kind_of(kind)
        with self.engine.begin() as connection:
            subjects = self._subjects(connection, target)
            ended = [
                mute
                for mute in queries.load_mutes(connection, now=now)
                if mute.subject in subjects and of in {None, mute.kind}
            ]
            if not ended:
                raise CommandError(self._no_mute(connection, target, now))
            for mute in ended:
                queries.end_mute(connection, mute.number, now)
                what = _subject_text(mute.subject)
                old = f"until {mute.until:.0f} by {mute.by}"
                queries.add_audit(connection, at=now, actor=actor, verb="unmute", subject=what, old=old)
            firing = self._firing(connection, ended)
            reconcile_mutes(connection, self.roster, now)
            still = tuple(
                mute
                for mute in queries.load_mutes(connection, now=now)
                if any(
                    mute.subject is None
                    or (subject is not None and covers(mute, subject, self.roster.host_of(subject)))
                    for subject in subjects
                )
            )
        self.changed()
        return MuteAnswer(tuple(replace(mute, ended_at=now) for mute in ended), firing, still)

    def mutes(self) -> tuple[Mute, ...]:
        """Return the mutes in force, the next to end first."""
        with self.engine.begin() as connection:
            return tuple(queries.load_mutes(connection, now=self.clock()))

    def thresholds(self, target: str = "all") -> tuple[ThresholdView, ...]:
        """Return the thresholds of a run, of a host's runs that have none of their own, or of all such runs."""
        scope = self.targets.scope_of(target)
        with self.engine.begin() as connection:
            return tuning.views(connection, self.roster, scope)

    def set_threshold(self, actor: str, name: str, value: str, *, scope: str) -> ThresholdChange:
        """Set a threshold for a `run NAME`, a `host NAME` or `all`; it holds from the next look on."""
        threshold = self.targets.threshold(name)
        try:
            text = threshold.read(value).text
        except ValueError as error:
            raise CommandError(f"{error}.") from error
        return self._tune(actor, threshold, scope, text)

    def reset_threshold(self, actor: str, name: str, *, scope: str) -> ThresholdChange:
        """Undo what people have set for a threshold in a scope."""
        return self._tune(actor, self.targets.threshold(name), scope, None)

    def ack(self, actor: str, target: str) -> AckAnswer:
        """Take what fires on a run, or one incident by its number: others see that somebody is on it."""
        now = self.clock()
        with self.engine.begin() as connection:
            firing = self._to_acknowledge(connection, target)
            fresh = [incident for incident in firing if not incident.acknowledged_by]
            taken = [
                self._acknowledge(connection, actor, replace(i, acknowledged_by=actor, acknowledged_at=now), now)
                for i in fresh
            ]
        self.changed()
        return AckAnswer(tuple(taken), tuple(i for i in firing if i.acknowledged_by))

    def unack(self, actor: str, target: str) -> AckAnswer:
        """Give back what was acknowledged."""
        now = self.clock()
        with self.engine.begin() as connection:
            held = [i for i in self._to_acknowledge(connection, target) if i.acknowledged_by]
            if not held:
                raise CommandError(f"Nothing of {target} is acknowledged.")
            given = [
                self._acknowledge(connection, actor, replace(i, acknowledged_by="", acknowledged_at=None), now)
                for i in held
            ]
        self.changed()
        return AckAnswer(tuple(given))

    def refused(self, actor: str, text: str, why: str) -> None:
        """Write down that somebody tried what they may not."""
        with self.engine.begin() as connection:
            queries.add_audit(connection, at=self.clock(), actor=actor, verb="refused", subject=text, refused=why)

    def settle(self) -> None:
        """Let mutes end whose time has come; called regularly, since nobody presses a button then."""
        with self.engine.begin() as connection:
            reconcile_mutes(connection, self.roster, self.clock())

    def _tune(self, actor: str, threshold: Threshold, scope: str, value: str | None) -> ThresholdChange:
        scope = self.targets.scope(scope)
        with self.engine.begin() as connection:
            done = tuning.change(connection, self.roster, actor, threshold, scope, value, self.clock())
        self.changed()
        return done

    def _acknowledge(self, connection: Connection, actor: str, incident: Incident, now: float) -> Incident:
        taken = bool(incident.acknowledged_by)
        queries.add_audit(
            connection,
            at=now,
            actor=actor,
            verb="ack" if taken else "unack",
            subject=f"incident {incident.number}",
            new=f"{incident.subject} {incident.kind}",
        )
        stored = announce(connection, self.roster, incident, incident, now)
        return tell(connection, self.roster, stored, Reason.ACKNOWLEDGED if taken else Reason.UNACKNOWLEDGED, now)

    def _to_acknowledge(self, connection: Connection, target: str) -> list[Incident]:
        if target.isdecimal():
            found = [self._unresolved(connection, target)]
        else:
            subjects = self.targets.subjects(target)
            found = [i for i in queries.active_incidents(connection) if i.subject in subjects or None in subjects]
        firing = [incident for incident in found if incident.state is IncidentState.FIRING]
        if not firing:
            raise CommandError(f"Nothing fires on {target}.")
        return firing

    def _subjects(self, connection: Connection, target: str) -> list[Subject | None]:
        """Return what is muted: what a name says, or what the incident of this number is about."""
        return [self._unresolved(connection, target).subject] if target.isdecimal() else self.targets.subjects(target)

    def _unresolved(self, connection: Connection, number: str) -> Incident:
        incident = self._incident(number, connection)
        if incident.state is IncidentState.RESOLVED and incident.ends_at is not None:
            at = utc_time(incident.ends_at, seconds=False)
            raise CommandError(f"Incident {number} was already resolved at {at}.")
        return incident

    def _incident(self, number: str, connection: Connection | None = None) -> Incident:
        if connection is None:
            with self.engine.begin() as fresh:
                return self._incident(number, fresh)
        incident = queries.load_incident(connection, int(number)) if len(number) <= _DIGITS else None
        if incident is None:
            raise CommandError(f"There is no incident {number}.")
        return incident

    def _firing(self, connection: Connection, mutes: list[Mute]) -> tuple[Incident, ...]:
        return tuple(
            incident
            for incident in queries.active_incidents(connection)
            if any(
                covers(mute, incident.subject, self.roster.host_of(incident.subject))
                and mute.kind in {None, incident.kind}
                for mute in mutes
            )
        )

    def _no_mute(self, connection: Connection, target: str, now: float) -> str:
        wider = [
            _subject_text(mute.subject)
            for mute in queries.load_mutes(connection, now=now)
            for subject in self._subjects(connection, target)
            if subject is not None and covers(mute, subject, self.roster.host_of(subject))
        ]
        more = f" It is covered by the mute of {wider[0]}." if wider else ""
        return f"{target} has no mute of its own.{more}"


def _subject_text(subject: Subject | None) -> str:
    return "all" if subject is None else subject.name
