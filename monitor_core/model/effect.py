"""What another value of a threshold would have done, and how people are told."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import KINDS, Kind
from monitor_core.units import duration

DAY = 86400.0
UNTRIED = "this cannot be tried on stored records"
_STALLS = {Kind.STUCK: "stall", Kind.SLOW: "slowdown"}
_TIMES = {0: "never", 1: "once"}


@dataclass(frozen=True, slots=True)
class Firings:
    """How often something fires, and for how many seconds in all."""

    times: int = 0
    seconds: float = 0.0

    def __add__(self, other: Firings) -> Firings:
        """Return both together."""
        return Firings(self.times + other.times, self.seconds + other.seconds)


@dataclass(frozen=True, slots=True)
class Stall:
    """An incident that people did not mark as a false alarm: whether the new value would have missed it.

    `later` is how many seconds later it would have been told; negative if sooner, None if never, or if that is unknown.
    """

    incident: int
    missed: bool
    later: float | None = None


@dataclass(frozen=True, slots=True)
class KindEffect:
    """What a threshold does to one kind of incident: with the value `now`, and `then` with the new one."""

    kind: Kind
    now: Firings = Firings()
    then: Firings = Firings()
    stalls: tuple[Stall, ...] = ()

    def __add__(self, other: KindEffect) -> KindEffect:
        """Return both together."""
        return KindEffect(self.kind, self.now + other.now, self.then + other.then, self.stalls + other.stalls)

    @property
    def fired(self) -> str:
        """Return how often it would have fired: `would have fired 3 times (now: never)`."""
        now = "as now" if self.now.times == self.then.times else f"now: {times(self.now.times)}"
        would = f"would have fired {times(self.then.times)}" if self.then.times else "would not have fired"
        return f"{would} ({now})"

    @property
    def missed(self) -> str:
        """Return what would have been missed: `1 of 2 stalls (incident 4127)`."""
        missed = [str(stall.incident) for stall in self.stalls if stall.missed]
        of = f"{len(missed)} of {len(self.stalls)}" if self.stalls else "0"
        word = _STALLS.get(self.kind, "incident")
        which = f" (incident{'s' if len(missed) > 1 else ''} {', '.join(missed)})" if missed else ""
        return f"{of} {word}{'' if len(self.stalls) == 1 else 's'}{which}"

    @property
    def moved(self) -> str:
        """Return which incident would have been told later or sooner, and by how much; empty if none."""
        moved = [stall for stall in self.stalls if stall.later is not None and abs(stall.later) >= 1]
        if not moved:
            return ""
        most = max(moved, key=lambda stall: abs(stall.later or 0.0))
        later = most.later or 0.0
        which = f"incident {most.incident} would have come {duration(abs(later))} {'later' if later > 0 else 'sooner'}"
        return which + (f", {len(moved) - 1} more by less" if len(moved) > 1 else "")


@dataclass(frozen=True, slots=True)
class Effect:
    """What another value would have done over the stored records of the runs whose value it changes.

    `covered` are these runs, `tried` those of them that could be tried: they have records, and the time sufficed.
    `seconds` is how far back the records of all of them reach, a day at most. `hasty`: the time did not suffice.
    """

    kinds: tuple[KindEffect, ...]
    covered: int
    tried: int
    seconds: float = DAY
    hasty: bool = False

    @property
    def over(self) -> str:
        """Return on what it was tried: `the last 24h`, `the last 24h of 12 of 200 runs`."""
        span = f"the last {'24h' if self.seconds >= DAY else duration(self.seconds)}"
        if self.tried < self.covered:
            return f"{span} of {self.tried} of {self.covered} runs"
        return span if self.covered == 1 else f"{span} of {self.covered} runs"

    @property
    def rest(self) -> str:
        """Return why it was not tried on more runs; empty if it was tried on all."""
        if self.tried == self.covered:
            return ""
        return "more would have taken too long" if self.hasty else "the others have no records of that time"

    @property
    def nothing(self) -> str:
        """Return why nothing could be tried; empty if something was."""
        if not self.covered:
            return "no run gets another value"
        return "" if self.tried else "there are no records of the last 24h to try it on"

    @property
    def times(self) -> int:
        """Return how often the new value would have fired."""
        return sum(kind.then.times for kind in self.kinds)

    @property
    def fired(self) -> str:
        """Return how often each kind would have fired, and what would have been told at another moment."""
        said = [f"{self._word(kind)}{kind.fired}" for kind in self.kinds]
        return "; ".join(filter(None, (*said, *(kind.moved for kind in self.kinds), self.rest)))

    @property
    def missed(self) -> str:
        """Return what would have been missed of each kind."""
        return ", ".join(kind.missed for kind in self.kinds)

    def _word(self, kind: KindEffect) -> str:
        return f"{KINDS[kind.kind].word} " if len(self.kinds) > 1 else ""


def times(count: int) -> str:
    """Return how often: `never`, `once`, `3 times`."""
    return _TIMES.get(count, f"{count} times")


def sentence(effect: Effect | None) -> str:
    """Return all of it: `Tried on the last 24h: would have fired 3 times (now: never); missed 0 stalls.`."""
    if effect is None or effect.nothing:
        return f"Not tried: {UNTRIED if effect is None else effect.nothing}."
    return f"Tried on {effect.over}: {effect.fired}; missed {effect.missed}."
