"""What stands above the panels of a chart: alerts, launches and phases, in words, with bars that say when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from matplotlib.transforms import IdentityTransform

from monitor_core.model.incidents import Phase, Severity
from monitor_core.notify.axis import Axis
from monitor_core.notify.charts import Alert, Chart, Span
from monitor_core.notify.lettering import BACKGROUND, INK, PALE, Label, Placed, arrange
from monitor_core.track.trace import Launch
from monitor_core.units import count, counted, duration

WORDS = {Severity.INFO: PALE, Severity.WARNING: "#8F5200", Severity.CRITICAL: "#B3261E"}
FILLS = {Severity.INFO: "#9A9A9A", Severity.WARNING: "#E69F00", Severity.CRITICAL: "#B3261E"}
# What runs has neither colour nor name; the others differ in their pattern, too.
PHASES = {
    Phase.STARTING: ("#8C8C8C", "...", ""),
    Phase.CHECKPOINTING: ("#56B4E9", "", "checkpoint"),
    Phase.EVALUATING: ("#009E73", "////", "evaluation"),
    Phase.ENDING: ("#4D4D4D", "xx", ""),
}
_INKS = {Phase.STARTING: PALE, Phase.CHECKPOINTING: "#1F6FA3", Phase.EVALUATING: "#00694C", Phase.ENDING: PALE}
_LINE, _BAR, _BAND, _AIR = 45, 13, 17, 4
_ALERT_ROWS, _OTHER_ROWS = 3, 2
_THIN = 4.0
# A pattern can be seen from such a width on.
_PATTERN = 15.0
Pixels = Callable[[float], float]


@dataclass(slots=True)
class Strip:
    """The strip of a chart, from the top down: rows of alerts, rows of launches and phases, the band of phases.

    `unnamed` is how many alerts found no room for their name.
    """

    panel: Axes
    chart: Chart
    axis: Axis
    pixels: Pixels
    unnamed: int = 0

    def draw(self, top: float) -> float:
        """Draw from `top` down (pixels); return where the strip ends."""
        y = self._draw_alerts(top)
        y = self._draw_words(y)
        return self._draw_phases(y)

    def _draw_alerts(self, top: float) -> float:
        alerts = sorted(self.chart.alerts, key=lambda alert: alert.since)
        labels = [Label(_names(alert), self._bar(alert.since, alert.until), WORDS[alert.severity]) for alert in alerts]
        written = arrange(self.panel, labels, _ALERT_ROWS, apart=True)
        self.unnamed = written.count(None)
        height = _LINE + _BAR + _AIR
        rows = _lower(written, top, height, _LINE)
        for alert, place in zip(alerts, written, strict=True):
            row = max(0, rows - 1) if place is None else place[1]
            self._draw_alert(alert, top - row * height - _LINE - _BAR)
        return top - max(rows, bool(alerts)) * height

    def _draw_alert(self, alert: Alert, y: float) -> None:
        """Draw a bar: empty until people were told, then pale for a warning and dark for what is critical."""
        left, right = self._bar(alert.since, alert.until)
        first = alert.severity if alert.worse is None else Severity.WARNING
        told = min(max(self.pixels(alert.told), left), right - _THIN)
        worse = right if alert.worse is None else min(max(self.pixels(alert.worse), told), right - _THIN)
        self._block(left, right, y, _BAR, face=BACKGROUND, edge=FILLS[alert.severity])
        self._block(told, worse, y, _BAR, face=FILLS[first], edge=FILLS[first])
        if worse < right:
            self._block(worse, right, y, _BAR, face=FILLS[alert.severity], edge=FILLS[alert.severity])

    def _draw_words(self, top: float) -> float:
        labels = [*self._launches(), *self._cuts(), *self._phases()]
        written = arrange(self.panel, labels, _OTHER_ROWS)
        return top - _lower(written, top, _LINE, _LINE) * _LINE

    def _draw_phases(self, top: float) -> float:
        named = [span for span in self.chart.phases if self._seen(span)]
        if not named:
            return top
        left, right = self.pixels(self.chart.span[0]), self.pixels(self.chart.span[1])
        self._block(left, right, top - _BAND, _BAND, face="#F1F1F1", edge="none")
        for span in named:
            colour, hatch, _ = PHASES[span.phase]
            since, until = self._bar(span.since, span.until)
            wide = bool(hatch) and until - since > _PATTERN
            edge, pattern = (BACKGROUND, hatch) if wide else (colour, "")
            self._block(since, until, top - _BAND, _BAND, face=colour, edge=edge, hatch=pattern)
        return top - _BAND - _AIR

    def _launches(self) -> Iterator[Label]:
        for launch in self.chart.launches:
            if launch.number > 1:
                yield Label(_launch_names(launch), self._bar(launch.at, launch.at), INK)

    def _cuts(self) -> Iterator[Label]:
        for since, until in self.axis.cuts:
            long = duration(until - since)
            yield Label(
                (f"{long} without a line, shortened", f"{long}, shortened", long), self._bar(since, until), PALE
            )

    def _phases(self) -> Iterator[Label]:
        """Name each kind of phase once, where it first is; how often says the name."""
        often = Counter(span.phase for span in self.chart.phases)
        for phase, (_, _, noun) in PHASES.items():
            bars = [
                self._bar(span.since, span.until)
                for span in self.chart.phases
                if span.phase is phase and self._seen(span)
            ]
            if bars:
                name = counted(often[phase], noun) if noun else str(phase)
                yield Label((name,), (bars[0][0], bars[-1][1]), _INKS[phase])

    def _seen(self, span: Span) -> bool:
        """Whether a phase is to be drawn: a start or an end that takes no time is none."""
        _, _, noun = PHASES.get(span.phase, ("", "", ""))
        return bool(noun) or (span.phase in PHASES and self.pixels(span.until) - self.pixels(span.since) > 2 * _THIN)

    def _bar(self, since: float, until: float) -> tuple[float, float]:
        """Return where a bar begins and ends; a short one is made wide enough to be seen."""
        left, right = self.pixels(since), self.pixels(until)
        spare = max(0.0, _THIN - (right - left)) / 2
        return left - spare, right + spare

    def _block(
        self, left: float, right: float, y: float, height: float, *, face: str, edge: str, hatch: str = ""
    ) -> None:
        width = max(right - left, 0.0)
        shape = Rectangle((left, y), width, height, facecolor=face, edgecolor=edge, hatch=hatch, linewidth=1.2)
        shape.set(transform=IdentityTransform(), clip_on=False, zorder=2)
        self.panel.add_artist(shape)


def _lower(written: Sequence[Placed], top: float, height: float, line: float) -> int:
    """Set the words into their rows; return how many rows there are."""
    for place in written:
        if place is not None:
            place[0].set_y(top - place[1] * height - line)
    return max((place[1] + 1 for place in written if place is not None), default=0)


def _names(alert: Alert) -> tuple[str, ...]:
    if alert.severity is Severity.INFO:
        return (alert.name,)
    how = f"{alert.severity}" if alert.worse is None else f"{Severity.WARNING}, then {alert.severity}"
    return (f"{alert.name}, {how}", f"{alert.name}, {alert.severity}", alert.name)


def _launch_names(launch: Launch) -> tuple[str, ...]:
    name = f"launch {launch.number}"
    if launch.resumed is None:
        return (name, str(launch.number))
    begin = count(launch.resumed) if launch.resumed else "the beginning"
    full = f"{name}, resumed from {begin}" if launch.resumed else f"{name}, from {begin}"
    redone = [f"{full}, {count(launch.redone)} redone"] if launch.redone else []
    return (*redone, full, f"{name} from {begin}", name, str(launch.number))
