"""What is different in a configuration that was read anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from monitor_core.config.models import Config, Host
from monitor_core.config.values import jumps_in
from monitor_core.units import counted

_SECTIONS = {
    "defaults": "defaults",
    "email": "mail",
    "slack": "Slack",
    "retention": "retention",
    "console": "terminal",
}


@dataclass(frozen=True, slots=True)
class Difference:
    """The runs that are `added`, `removed` or `changed`; the hosts that are `reached` in another way; the sections.

    A run is changed by what is said of it, of its host or of its format. `sections` are keys of the file:
    defaults, email, slack, retention, console.
    """

    added: frozenset[str]
    removed: frozenset[str]
    changed: frozenset[str]
    reached: frozenset[str]
    sections: frozenset[str]

    def __str__(self) -> str:
        return ", ".join([*self._of_runs(), *self._of_others()]) or "nothing changed"

    def _of_runs(self) -> Iterator[str]:
        """The first number says of what it is."""
        numbers = {"added": len(self.added), "removed": len(self.removed), "changed": len(self.changed)}
        parts = [(number, done) for done, number in numbers.items() if number]
        yield from (f"{counted(number, 'run')} {done}" for number, done in parts[:1])
        yield from (f"{number} {done}" for number, done in parts[1:])

    def _of_others(self) -> Iterator[str]:
        if self.reached:
            yield f"{counted(len(self.reached), 'host')} changed"
        yield from (f"{word} changed" for section, word in _SECTIONS.items() if section in self.sections)


def difference(old: Config, new: Config) -> Difference:
    """Return what is different in `new`."""
    stayed = old.runs.keys() & new.runs.keys()
    return Difference(
        added=frozenset(new.runs.keys() - old.runs.keys()),
        removed=frozenset(old.runs.keys() - new.runs.keys()),
        changed=frozenset(name for name in stayed if _of_run(old, name) != _of_run(new, name)),
        reached=frozenset(host for host in old.hosts.keys() & new.hosts.keys() if _way(old, host) != _way(new, host)),
        sections=frozenset(name for name in _SECTIONS if getattr(old, name) != getattr(new, name)),
    )


def _of_run(config: Config, name: str) -> tuple[object, ...]:
    run = config.runs[name]
    return run, config.hosts[run.host], config.formats.get(run.format)


def _way(config: Config, name: str) -> list[tuple[Host, bool]]:
    """Return the hosts through which one is reached, itself first, without what does not matter for that.

    A port that is left out is another one than the usual one that is written: ~/.ssh/config may name it.
    """
    names = [name]
    for each in names:
        names += [jump for jump in jumps_in(config.hosts[each].jump) if jump in config.hosts and jump not in names]
    hosts = [config.hosts[each] for each in names]
    ways = [host.model_copy(update={"check_interval": None, "thresholds": {}}) for host in hosts]
    return [(way, "port" in way.model_fields_set) for way in ways]
