"""How people tune thresholds: what holds and why, what a change does, and what it would have done."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from monitor_core.errors import CommandError
from monitor_core.model.effect import DAY, Effect, KindEffect
from monitor_core.model.incidents import SELF, Incident, Setting, Subject, SubjectKind
from monitor_core.model.records import MOST_POINTS
from monitor_core.model.views import ThresholdChange, ThresholdView
from monitor_core.preview import Past, compare, decides, judged, kinds_of
from monitor_core.roster import Roster, Sourced
from monitor_core.store import episodes, ledger, progress, queries
from monitor_core.store.database import Database
from monitor_core.thresholds import CATALOGUE, Threshold, Values

# Records are judged again for so many seconds, then the run at hand is finished: a person waits, and so do the polls.
PATIENCE = 2.0
# So many lines before the last day teach what is usual.
_TAUGHT_BY = 500
_MOST_INCIDENTS = 1000


@dataclass(frozen=True, slots=True)
class Trial:
    """Tries thresholds on what is stored of the last day; see `PATIENCE`.

    Each run is read in a transaction of its own, and judged outside of it. `now` is seconds since 1970.
    """

    database: Database
    roster: Roster
    now: float
    patience: float = PATIENCE

    def of_change(self, threshold: Threshold, scope: str, value: str | None) -> Effect | None:
        """Return what a value, or with None its reset, would have done; None if records do not tell of it."""
        with self.database.begin() as connection:
            held = queries.load_settings(connection)
        return self._effect(threshold.name, scope, held, _changed(held, threshold, scope, value))

    def views(self, scope: str) -> tuple[ThresholdView, ...]:
        """Return the thresholds that hold in a scope, each with its source and with how often it fired.

        Where people have set one, also what it would be by configuration, and would have done.
        """
        with self.database.begin() as connection:
            held = queries.load_settings(connection)
            fired = self._fired(connection, scope)
        found, defaults = self.roster.thresholds(scope, held), self.roster.thresholds(scope, ())
        return tuple(
            replace(
                _view(CATALOGUE[name], sourced, defaults[name]),
                fired=sum(decides(name, incident) for incident in fired),
                by_default=self._effect(name, scope, held, [s for s in held if s.name != name])
                if sourced.value != defaults[name].value
                else None,
            )
            for name, sourced in found.items()
        )

    def _fired(self, connection: Connection, scope: str) -> list[Incident]:
        runs = _runs_in(self.roster, scope)
        hosts = {self.roster.run(run).host for run in runs}
        subjects = [Subject(SubjectKind.RUN, run) for run in runs] + [Subject(SubjectKind.HOST, host) for host in hosts]
        found, _ = ledger.incidents(connection, {*subjects, SELF}, self.now - DAY, _MOST_INCIDENTS)
        return [incident for incident in found if (incident.fired_at or 0.0) >= self.now - DAY]

    def _effect(self, name: str, scope: str, held: Collection[Setting], other: Collection[Setting]) -> Effect | None:
        kinds = kinds_of(name)
        if not kinds:
            return None
        both = {
            run: (self.roster.values(run, held), self.roster.values(run, other)) for run in _runs_in(self.roster, scope)
        }
        covered = {run: values for run, values in both.items() if values[0][name] != values[1][name]}
        with self.database.begin() as connection:
            fired = episodes.fired_between(connection, self.now - DAY, self.now)
        real = [incident for incident in fired if not incident.false_alarm_by]
        troubled = {incident.subject.name for incident in real}
        effect = Effect(tuple(map(KindEffect, kinds)), len(covered), 0)
        began = time.monotonic()
        for run in sorted(covered, key=lambda run: run not in troubled):
            if effect.tried and time.monotonic() - began > self.patience:
                return replace(effect, hasty=True)
            effect = self._tried(effect, name, run, covered[run], [i for i in real if i.subject.name == run])
        return effect

    def _tried(
        self, effect: Effect, name: str, run: str, values: tuple[Values, Values], real: Iterable[Incident]
    ) -> Effect:
        past = self._past(run)
        if past is None:
            return effect
        since = self.now - DAY if past.whole else max(self.now - DAY, past.points[0].at)
        now, then = (judged(past, one) for one in values)
        seen = compare(name, since, past.until, now, then, real)
        return replace(
            effect,
            kinds=tuple(one + more for one, more in zip(effect.kinds, seen, strict=True)),
            tried=effect.tried + 1,
            seconds=min(effect.seconds, self.now - since),
        )

    def _past(self, run: str) -> Past | None:
        """Return what is stored of a run; None if nothing of the last day is."""
        full = min(2 * DAY, self.roster.config.retention.progress_full)
        with self.database.begin() as connection:
            row = queries.load_run(connection, run)
            points = progress.newest(connection, run, self.now - full, MOST_POINTS)
        state = None if row is None else row.known()
        first = next((place for place, point in enumerate(points) if point.at >= self.now - DAY), None)
        if state is None or first is None:
            return None
        return Past(run, self.roster.preset(run), points[max(0, first - _TAUGHT_BY) :], state)


def change(
    connection: Connection, roster: Roster, actor: str, threshold: Threshold, scope: str, value: str | None, now: float
) -> ThresholdChange:
    """Set a threshold in a scope, or with None undo what was set there, and write down who did it."""
    done = proposed(connection, roster, actor, threshold, scope, value, now)
    if value is None:
        queries.drop_setting(connection, scope, threshold.name)
    else:
        queries.save_setting(connection, Setting(scope, threshold.name, value, actor, now))
    queries.add_audit(
        connection,
        at=now,
        actor=actor,
        verb="threshold reset" if value is None else "threshold set",
        subject=f"{threshold.name} for {scope}",
        old=done.old,
        new=done.new,
    )
    return done


def proposed(
    connection: Connection, roster: Roster, actor: str, threshold: Threshold, scope: str, value: str | None, now: float
) -> ThresholdChange:
    """Return what a change would come to, without making it; raise CommandError if there is nothing to reset."""
    settings, name = queries.load_settings(connection), threshold.name
    before = next((s.value for s in settings if (s.scope, s.name) == (scope, name)), "")
    if value is None and not before:
        raise CommandError(f"Nobody has set {name} for {scope}.", f"threshold show {_name(scope)}")
    old = roster.thresholds(scope, settings)[name]
    new = roster.thresholds(scope, _changed(settings, threshold, scope, value, actor, now))[name]
    return ThresholdChange(name, scope, _text(old), _text(new), new.source, actor, now, before)


def _changed(
    settings: Iterable[Setting], threshold: Threshold, scope: str, value: str | None, actor: str = "", now: float = 0.0
) -> list[Setting]:
    others = [setting for setting in settings if (setting.scope, setting.name) != (scope, threshold.name)]
    return others if value is None else [*others, Setting(scope, threshold.name, value, actor, now)]


def _runs_in(roster: Roster, scope: str) -> Sequence[str]:
    kind, _, name = scope.partition(" ")
    return {"run": [name], "host": roster.runs_on(name)}.get(kind, list(roster.config.runs))


def _view(threshold: Threshold, sourced: Sourced, default: Sourced) -> ThresholdView:
    return ThresholdView(
        name=threshold.name,
        meaning=threshold.meaning,
        value=_text(sourced),
        source=sourced.source,
        default=_text(default),
        allowed=threshold.allowed,
        unit=threshold.unit,
        by=sourced.by,
        at=sourced.at,
    )


def _text(sourced: Sourced) -> str:
    return "off" if sourced.value is None else sourced.value.text


def _name(scope: str) -> str:
    return scope.partition(" ")[2] or scope
