"""What holds for each run and host: its thresholds with their source, its check interval, and who is told of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from monitor_core.config.models import Config, Host, Run
from monitor_core.config.values import jumps_in
from monitor_core.incident.routing import Route
from monitor_core.model.decisions import HeldThreshold
from monitor_core.model.deliveries import Receiver
from monitor_core.model.incidents import SELF, Incident, Setting, Severity, Subject, SubjectKind
from monitor_core.parse.dialects import Format
from monitor_core.thresholds import CATALOGUE, Preset, Value, Values, preset_values

_SLACK = "slack"


@dataclass(frozen=True, slots=True)
class Sourced:
    """A threshold's value and where it comes from; `by` and `at` say who set it and when, if a person did."""

    value: Value | None
    source: str
    by: str = ""
    at: float | None = None


@dataclass(frozen=True, slots=True)
class Roster:
    """The configuration, as questions; `notifiers` are the names of those through which people can be told."""

    config: Config
    notifiers: frozenset[str]

    def run(self, name: str) -> Run:
        """Return a configured run."""
        return self.config.runs[name]

    def host_of(self, subject: Subject) -> str:
        """Return the host of a run or host; empty for the monitor itself."""
        if subject.kind is SubjectKind.RUN:
            return self.config.runs[subject.name].host if subject.name in self.config.runs else ""
        return subject.name

    def runs_on(self, host: str) -> list[str]:
        """Return the names of the runs whose logs lie on a host."""
        return [name for name, run in self.config.runs.items() if run.host == host]

    def runs_of(self, subject: Subject) -> list[str]:
        """Return the runs that an incident of this subject is about: of a host, those that are not seen without it."""
        if subject.kind is SubjectKind.RUN:
            return [subject.name]
        if subject.kind is SubjectKind.SELF:
            return list(self.config.runs)
        return [run for host in (subject.name, *self.behind(subject.name)) for run in self.runs_on(host)]

    def way(self, host: str) -> list[str]:
        """Return the configured hosts on the way to a host, the nearest first, itself last; as far as `jump` tells."""
        jumps = jumps_in(self.config.hosts[host].jump) if host in self.config.hosts else ()
        first = self.way(jumps[0]) if jumps and host not in jumps else list(jumps[:1])
        return [hop for hop in (*first, *jumps[1:], host) if hop in self.config.hosts]

    def behind(self, host: str) -> list[str]:
        """Return the hosts that are reached through a host."""
        return [name for name in self.config.hosts if name != host and host in self.way(name)]

    def watches(self, incident: Incident) -> bool:
        """Return whether what an incident is about is configured; one of the monitor may be about a part of that."""
        kind, _, name = str(incident.subject).partition(":")
        if incident.subject == SELF:
            kind, _, name = incident.detail.partition(" ")
        if kind == "run":
            return name in self.config.runs
        if kind == "host":
            return bool(self.runs_of(Subject(SubjectKind.HOST, name)))
        return kind != "delivery" or name in map(str, self.receivers())

    def host(self, name: str) -> Host:
        """Return a configured host."""
        return self.config.hosts[name]

    def check_interval(self, run: str) -> float:
        """Return how often a run's log is looked at, in seconds."""
        own, host = self.run(run).check_interval, self.host(self.run(run).host).check_interval
        return next(interval for interval in (own, host, self.config.defaults.check_interval) if interval is not None)

    def format(self, run: str) -> Format:
        """Return the layout of a run's log: the name of a built-in dialect, `auto`, or the dialect of one's own."""
        name = self.run(run).format
        own = self.config.formats.get(name)
        return name if own is None else (own.dialect(name),)

    def preset(self, run: str) -> Preset:
        """Return the rules of a run."""
        return self.run(run).preset or self.config.defaults.preset

    def values(self, run: str, settings: Iterable[Setting]) -> Values:
        """Return the thresholds that hold for a run."""
        return {name: sourced.value for name, sourced in self.thresholds(f"run {run}", settings).items()}

    def thresholds(self, scope: str, settings: Iterable[Setting]) -> dict[str, Sourced]:
        """Return the thresholds that hold in a scope (`all`, `host NAME`, `run NAME`), each with its source.

        The order is preset, configuration (defaults, host, run), set by a person (for all, host, run): the last one
        counts.
        """
        kind, _, name = scope.partition(" ")
        run = name if kind == "run" else ""
        host = self.run(run).host if run else name
        preset = self.preset(run) if run else self.config.defaults.preset
        base = "default" if preset is Preset.DEFAULT else f"preset {preset}"
        found = {name: Sourced(value, base) for name, value in preset_values(preset).items()}
        for source, texts in self._configured(host, run):
            found |= {name: Sourced(CATALOGUE[name].read(text), source) for name, text in texts.items()}
        for wider in ("all", f"host {host}", f"run {run}"):
            found |= {
                s.name: Sourced(CATALOGUE[s.name].read(s.value), f"set for {wider}", s.by, s.at)
                for s in settings
                if s.scope == wider and s.name in CATALOGUE
            }
        return found

    def most_patient(self, subject: Subject, name: str, settings: Iterable[Setting]) -> Sourced | None:
        """Return a threshold as it holds for a subject: for a host the most patient of its runs, None without runs."""
        runs = [run for run in self.runs_of(subject) if run in self.config.runs]
        held = [self.thresholds(f"run {run}", settings)[name] for run in runs]
        return max(held, key=lambda sourced: sourced.value.amount if sourced.value else 0.0, default=None)

    def held(self, subject: Subject, names: Iterable[str], settings: Iterable[Setting]) -> tuple[HeldThreshold, ...]:
        """Return the thresholds that hold for a subject now, to be written down; those that are off are left out."""
        settings = tuple(settings)
        found = ((name, self.most_patient(subject, name, settings)) for name in names)
        return tuple(
            HeldThreshold(name, sourced.value.text, sourced.source, sourced.by)
            for name, sourced in found
            if sourced is not None and sourced.value is not None
        )

    def _configured(self, host: str, run: str) -> Iterator[tuple[str, Mapping[str, str]]]:
        yield "config defaults", self.config.defaults.thresholds
        if host:
            yield f"config host {host}", self.host(host).thresholds
        if run:
            yield f"config run {run}", self.run(run).thresholds

    def routes(self, incident: Incident) -> list[Route]:
        """Return the receivers that may be told of an incident: channels, mail recipients, the terminal."""
        return [route for route in self._all_routes(incident.subject) if route.receiver.notifier in self.notifiers]

    def receivers(self) -> list[Receiver]:
        """Return everybody who may be told of anything."""
        subjects = [SELF, *(Subject(SubjectKind.RUN, run) for run in self.config.runs)]
        found = dict.fromkeys(route.receiver for subject in subjects for route in self._all_routes(subject))
        return [receiver for receiver in found if receiver.notifier in self.notifiers]

    def _all_routes(self, subject: Subject) -> Iterator[Route]:
        for channel in self.channels(subject):
            yield Route(Receiver(_SLACK, channel), edits=True)
        if self.config.console:
            yield Route(Receiver("console", "terminal"))
        if self.config.email is not None:
            for recipient in self.config.email.recipients:
                yield Route(
                    Receiver("email", recipient.address),
                    severity=Severity(recipient.severity),
                    runs=recipient.runs,
                    instead_of=_SLACK if recipient.when == "fallback" and _SLACK in self.notifiers else "",
                    fallback_after=self.config.email.fallback_after,
                )

    def channels(self, subject: Subject) -> list[str]:
        """Return the alert channels of a subject: those of its runs, or the general one."""
        if self.config.slack is None:
            return []
        general = self.config.slack.channel
        if subject.kind is SubjectKind.SELF:
            return [general]
        runs = (self.config.runs[name] for name in self.runs_of(subject) if name in self.config.runs)
        return list(dict.fromkeys(run.channel or general for run in runs)) or [general]
