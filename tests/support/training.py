"""A training on simulated time: it writes log lines, and a watch polls them as the monitor does."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from datetime import UTC, datetime

from monitor_core.incident.lifecycle import told_reason
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import IncidentState, Subject, SubjectKind
from monitor_core.model.records import Presence, Sign
from monitor_core.thresholds import CATALOGUE, Preset, preset_values
from monitor_core.track import memory
from monitor_core.track.clock import Window
from monitor_core.watch import Watch

START = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC
RUN = Subject(SubjectKind.RUN, "llama")


@dataclass(frozen=True)
class Told:
    """What people would have been told; `at` is in seconds since the training began."""

    kind: str
    reason: str
    severity: str
    at: float


def values(preset=Preset.DEFAULT, **changed):
    """Return thresholds, some of them as typed: `stuck="3m"`."""
    return {**preset_values(preset), **{name: CATALOGUE[name].read(text) for name, text in changed.items()}}


def line(iteration, *, stamp=None, ms=10_000.0, total=100_000, loss="2.314012E+00", batch_size=256, unit="ms"):
    """Return a progress line of Megatron; `stamp` is printed as UTC."""
    shown = ms if unit == "ms" else ms / 1000
    when = "" if stamp is None else f" [{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d %H:%M:%S.%f}]"
    return (
        f"{when} iteration {iteration:8d}/{total:8d} | consumed samples: {iteration * 256:12d} |"
        f" elapsed time per iteration ({unit}): {shown} | learning rate: 3.000E-04 |"
        f" global batch size: {batch_size:5d} | lm loss: {loss} | loss scale: 1.0 | grad norm: 0.41 |"
        " number of skipped iterations:   0 | number of nan iterations:   0 |\n"
    )


class Training:
    """One run from START on; `poll` are the seconds between looks.

    `zone` and `skew` are what the host's zone and clock are ahead by. With `stamps=False` lines carry no time. Each
    look goes through the stored form of the state, as in the monitor.
    """

    def __init__(self, *, poll=60.0, step=1, zone=0.0, skew=0.0, stamps=True, preset=Preset.DEFAULT, **thresholds):
        self.watch = Watch(RUN, values(preset, **thresholds), preset)
        self.poll, self.step, self.zone, self.skew, self.stamps = poll, step, zone, skew, stamps
        self.now, self.iteration, self.total = START, 0, 100_000
        self.sign = None
        self.told, self._planned, self._firing = [], [], {}
        self.at, self._next = START, START

    @property
    def state(self):
        return self.watch.state

    def write(self, text, after=0.0):
        """Write a line `after` seconds after the one before."""
        self.at += after
        heapq.heappush(self._planned, (self.at, len(self._planned), text if text.endswith("\n") else text + "\n"))
        return self

    def train(self, lines, every=10.0, ms=None, **how):
        """Write progress lines, `every` so many seconds; `ms` is what they say of the time per iteration."""
        for _ in range(lines):
            self.iteration += self.step
            self.at += every
            stamp = self.at + self.zone + self.skew if self.stamps else None
            said = every * 1000 / self.step if ms is None else ms
            self.write(line(self.iteration, stamp=stamp, ms=said, total=self.total, **how))
            self._live()
        return self

    def train_in_blocks(self, blocks, lines, every=10.0):
        """Write progress lines whose bytes come in blocks, as those of a program that does not flush."""
        for _ in range(blocks):
            began = self.at
            self.wait(lines * every)
            for number in range(1, lines + 1):
                self.iteration += 1
                self.write(line(self.iteration, stamp=began + number * every, ms=every * 1000))
            self._live()
        return self

    def sees(self, presence, who="process 4711", **said):
        """From now on looks see this of its process."""
        self.sign = Sign(Presence(presence), who, **said)
        return self

    def wait(self, seconds):
        """Let time pass in which nothing but what was planned is written."""
        self._live()
        self.at += seconds
        self._live()
        return self

    def skip(self, seconds):
        """Let time pass in which nobody looks."""
        self.at += seconds
        self._next = self.at
        return self

    def _live(self):
        while self._next <= self.at:
            self.now = self._next
            self._look()
            deadline = self.watch.deadline()
            due = self.now + self.poll
            self._next = min(due, max(deadline, self.now + 0.05)) if deadline is not None else due

    def _look(self):
        watch, after = self.watch, self.state.seen_at
        watch.state = memory.load(memory.dump(watch.state))
        written, text = None, ""
        while self._planned and self._planned[0][0] <= self.now:
            written, _, new = heapq.heappop(self._planned)
            text += new
        if text:
            watch.feed("log", text.encode(), Window(after, written, self.skew) if after is not None else None)
            if after is None:
                watch.anchor(Window(None, written, self.skew))
        watch.look(self.now, written or self.state.written_at, self.sign)
        self._take_down()

    def _take_down(self):
        for incident in (*self.watch.closed, *self.watch.active):
            key = (incident.kind, incident.detail)
            before = self._firing.get(key)
            reason = told_reason(before, incident, self.now)
            if reason not in {None, Reason.REFRESH}:
                self.told.append(Told(incident.kind, reason, incident.severity, round(self.now - START, 1)))
            if incident.state is IncidentState.FIRING:
                self._firing[key] = incident
            elif incident.state is IncidentState.RESOLVED:
                self._firing.pop(key, None)
        self.watch.closed.clear()

    def words(self):
        """Return what was told, without times."""
        return [(told.kind, told.reason, told.severity) for told in self.told]
