"""How a run is silent: what usually lies between two of its lines, and the pauses and blocks that lie there besides."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated

from pydantic import Field

from monitor_core.model.incidents import Phase
from monitor_core.track.pace import Middle
from monitor_core.track.pauses import Pauses


@dataclass(slots=True)
class Silence:
    """The silences of a run, in seconds.

    `gaps` lie between two progress lines of a launch, without marked pauses; `usual_gap` is their median, `last_gap`
    the newest, None where a pause was marked in it. `odd_gap`: what lies between the last line and the next says
    nothing about gaps to come. `covers_pause`: it said nothing of those before the last line. `longest` is the longest
    marked pause of each kind, `pauses` are the others. `lags` is how old the newest line was when the next lines of a
    healthy run came (logs are written in blocks); until lines were seen to come, `block` is for how long they may be
    held back if they do.
    """

    gaps: list[float] = field(default_factory=list)
    middle: Annotated[Middle, Field(exclude=True)] = field(default_factory=Middle, compare=False)
    usual_gap: float | None = None
    last_gap: float | None = None
    odd_gap: bool = False
    covers_pause: bool = False
    longest: dict[str, float] = field(default_factory=dict)
    pauses: Pauses = field(default_factory=Pauses)
    lags: list[float] = field(default_factory=list)
    block: float = 0.0

    @property
    def lag(self) -> float:
        """Return how old the newest line gets on a healthy run before the next ones are written."""
        return max(self.lags, default=0.0)

    @property
    def longest_pause(self) -> float:
        """Return how long the longest pause of any kind lasted, marked or not; 0 if there was none."""
        return max([0.0, *self.longest.values(), *(pause.seconds for pause in self.pauses.seen)])

    def learn_gap(self, seconds: float, *, healthy: bool) -> None:
        """Note what lay between two progress lines; only what was healthy becomes usual."""
        self.last_gap = None if self.odd_gap else seconds
        if healthy and not self.odd_gap:
            self.usual_gap = self.middle.remember(self.gaps, seconds)

    def learn_pause(self, phase: Phase, seconds: float) -> None:
        """Note how long a marked pause lasted."""
        self.longest[phase] = max(self.longest.get(phase, 0.0), seconds)

    def end_with_line(self) -> None:
        """A progress line came: what follows it may be learned again."""
        self.covers_pause, self.odd_gap = self.odd_gap, False

    def relaunched(self) -> Silence:
        """Return what holds of a new launch: it pauses as the one before did, at a rhythm of its own."""
        return Silence(longest=self.longest, pauses=self.pauses, lags=self.lags, block=self.block)
