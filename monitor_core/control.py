"""The one door for people: what they may do, from Slack and from the shell alike.

Each change is validated, audited (who, what, old, new, when) and can be undone. Every refusal is a `CommandError`, and
then nothing was changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlalchemy import Connection

from monitor_core import ledger, marking, muting, rehearsal, tuning
from monitor_core.announce import close_unwatched, reconcile_mutes
from monitor_core.errors import CommandError
from monitor_core.health import health
from monitor_core.model.incidents import Mute, Subject, SubjectKind
from monitor_core.model.past import Audit, History, Why
from monitor_core.model.views import (
    AckAnswer,
    AlertResult,
    FalseAlarmAnswer,
    Health,
    LogTail,
    MuteAnswer,
    Overview,
    Running,
    RunView,
    ThresholdChange,
    ThresholdView,
    Verdict,
)
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.store.database import Database
from monitor_core.targets import Targets, incident, is_number
from monitor_core.thresholds import Threshold
from monitor_core.view import host_view, run_view, worst_first

_MOST = 1000
LOG_LINES, MOST_LOG_LINES = 15, 30


class Sight(Protocol):
    """Looks at hosts, now; what it finds is not stored."""

    def check(self, runs: Sequence[str]) -> list[Verdict]:
        """Judge runs."""

    def tail(self, run: str, lines: int, *, width: int = 0) -> LogTail:
        """Read the last lines of the run's newest log, each cut to a width (0: none)."""


@dataclass(slots=True)
class Control:
    """What people may ask and change. `clock` gives seconds since 1970; `changed` is called after each change.

    `sight` and `running` belong to a running monitor: the one looks at hosts, the other tells how it does. `patience`
    is for how many seconds thresholds are tried on what is stored.
    """

    engine: Database
    roster: Roster
    clock: Callable[[], float]
    changed: Callable[[], None] = field(default=lambda: None)
    sight: Sight | None = None
    running: Callable[[], Running] | None = None
    patience: float = tuning.PATIENCE

    @property
    def targets(self) -> Targets:
        """Return how names that people type are understood."""
        return Targets(self.roster)

    def names(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Return the names of the configured runs, and those of the hosts."""
        config = self.roster.config
        return tuple(config.runs), tuple(config.hosts)

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

    def check(self, name: str) -> Verdict:
        """Look at a run on its host, within 15 s."""
        return self._sight().check([self.targets.run(name)])[0]

    def log(self, name: str, lines: int = LOG_LINES, *, width: int = 0) -> LogTail:
        """Read the last lines of a run's newest log on its host, within 15 s."""
        return self._sight().tail(self.targets.run(name), min(lines, MOST_LOG_LINES), width=width)

    def health(self) -> Health:
        """Return how the monitor itself does."""
        with self.engine.begin() as connection:
            return health(connection, self.roster, self.clock(), self.running() if self.running else None)

    def runs_of(self, target: str) -> tuple[str, ...]:
        """Return the runs that a target covers: a run, a host, `all`, a pattern, or an incident's number."""
        if not is_number(target):
            return self.targets.runs(target)
        with self.engine.begin() as connection:
            return tuple(self.roster.runs_of(incident(connection, target).subject))

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
        with self._change() as connection:
            return muting.mute(
                connection, self.roster, actor, target, self.clock(), kind=kind, until=until, reason=reason
            )

    def unmute(self, actor: str, target: str, *, kind: str = "") -> MuteAnswer:
        """End the mutes of a run, a host or all; what is still wrong then is told once."""
        with self._change() as connection:
            return muting.unmute(connection, self.roster, actor, target, self.clock(), kind=kind)

    def mutes(self) -> tuple[Mute, ...]:
        """Return the mutes in force, the next to end first."""
        with self.engine.begin() as connection:
            return tuple(queries.load_mutes(connection, now=self.clock()))

    def thresholds(self, target: str = "all") -> tuple[ThresholdView, ...]:
        """Return the thresholds of a run, of a host's runs that have none of their own, or of all such runs."""
        return self._trial().views(self.targets.scope_of(target))

    def set_threshold(self, actor: str, name: str, value: str, *, scope: str, dry_run: bool = False) -> ThresholdChange:
        """Set a threshold for a `run NAME`, a `host NAME` or `all`; it holds from the next look on.

        `dry_run`: only say what it would have done.
        """
        threshold = self.targets.threshold(name)
        try:
            text = threshold.read(value).text
        except ValueError as error:
            raise CommandError(f"{error}.") from error
        return self._tune(actor, threshold, scope, text, dry_run=dry_run)

    def reset_threshold(self, actor: str, name: str, *, scope: str, dry_run: bool = False) -> ThresholdChange:
        """Undo what people have set for a threshold in a scope; `dry_run` as in `set_threshold`."""
        return self._tune(actor, self.targets.threshold(name), scope, None, dry_run=dry_run)

    def ack(self, actor: str, target: str) -> AckAnswer:
        """Take what fires on a run, or one incident by its number: others see that somebody is on it."""
        with self._change() as connection:
            return marking.ack(connection, self.roster, actor, target, self.clock())

    def unack(self, actor: str, target: str) -> AckAnswer:
        """Give back what was acknowledged."""
        with self._change() as connection:
            return marking.unack(connection, self.roster, actor, target, self.clock())

    def false_alarm(self, actor: str, target: str, *, undo: bool = False) -> FalseAlarmAnswer:
        """Mark an incident as a false alarm by its number, or undo that; those who were told see it."""
        act = marking.no_false_alarm if undo else marking.false_alarm
        with self._change() as connection:
            return act(connection, self.roster, actor, target, self.clock())

    def history(self, target: str = "", *, since: float = 0.0, limit: int = 20) -> History:
        """Return the newest incidents that held at or after `since`, of a run and its host or of all."""
        with self.engine.begin() as connection:
            return ledger.history(connection, self.roster, target, since, _bounded(limit), self.clock())

    def why(self, target: str) -> Why:
        """Return why the incident of a number was told, to whom, and what became of it."""
        with self.engine.begin() as connection:
            return ledger.why(connection, self.roster, incident(connection, target), self.clock())

    def audit(self, limit: int = 20) -> Audit:
        """Return who did what, newest first."""
        with self.engine.begin() as connection:
            return ledger.audit(connection, _bounded(limit), self.clock())

    def test_alert(self, actor: str, receiver: str = "") -> int:
        """Send a test alert to everybody, or to one receiver; return the number of its incident."""
        now, receivers = self.clock(), rehearsal.named(self.roster, receiver)
        with self.engine.begin() as connection:
            number = rehearsal.begin(connection, receivers, actor, now)
        self.changed()
        return number

    def test_results(self, number: int, ends_at: float) -> list[AlertResult]:
        """Return what has become of a test alert; whoever waits for it does so until `ends_at`."""
        with self.engine.begin() as connection:
            return rehearsal.results(connection, number, ends_at)

    def end_test(self, number: int) -> None:
        """Let what has not been sent of a test alert never be sent."""
        with self.engine.begin() as connection:
            rehearsal.withdraw(connection, number, self.clock())

    def refused(self, actor: str, text: str, why: str) -> None:
        """Write down that somebody tried what they may not."""
        with self.engine.begin() as connection:
            queries.add_audit(connection, at=self.clock(), actor=actor, verb="refused", subject=text, refused=why)

    def settle(self) -> None:
        """Let mutes end whose time has come, and close what is no longer watched; called regularly."""
        now = self.clock()
        with self.engine.begin() as connection:
            close_unwatched(connection, self.roster, now)
            reconcile_mutes(connection, self.roster, now)

    def _sight(self) -> Sight:
        if self.sight is None:
            raise CommandError("Only the running monitor looks at hosts.")
        return self.sight

    def _trial(self) -> tuning.Trial:
        return tuning.Trial(self.engine, self.roster, self.clock(), self.patience)

    def _tune(
        self, actor: str, threshold: Threshold, scope: str, value: str | None, *, dry_run: bool
    ) -> ThresholdChange:
        """Try a change on what is stored, and make it unless that was all."""
        scope, now = self.targets.scope(scope), self.clock()
        effect = self._trial().of_change(threshold, scope, value)
        with self.engine.begin() if dry_run else self._change() as connection:
            act = tuning.proposed if dry_run else tuning.change
            done = act(connection, self.roster, actor, threshold, scope, value, now)
        return replace(done, effect=effect, tried=dry_run)

    @contextmanager
    def _change(self) -> Iterator[Connection]:
        """Yield a transaction; once it is committed, whoever waits for changes is told."""
        with self.engine.begin() as connection:
            yield connection
        self.changed()


def _bounded(limit: int) -> int:
    if not 0 < limit <= _MOST:
        raise CommandError(f"{limit} is out of range; a list has 1 to {_MOST} entries.")
    return limit
