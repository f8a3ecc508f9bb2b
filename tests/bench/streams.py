"""Generates the logs of trainings, healthy or with a fault, line by line as Megatron writes them, and when they came.

Everything follows from the seed. Times are seconds since 1970; a stream begins at START.
"""

from __future__ import annotations

import bisect
from dataclasses import dataclass, field
from datetime import UTC, datetime

from monitor_core.replay.recording import Piece, Recording
from tests.bench.noise import seeded

START = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC
_TOTAL = 1_000_000
_BATCH = 256
_HOUR = 3600.0
# How much longer the first iterations take: allocation, compilation, caches.
_COLD = (9.0, 2.0, 1.3, 1.1)
_START_UP = (60.0, 300.0)
_EVALUATED = 10
# How heavy the tail of pauses is: one in fifty is five times as long as the shortest.
_TAIL = 2.5


@dataclass(frozen=True)
class Pauses:
    """What interrupts the iterations, each `every` iterations, for `seconds` at least.

    Some last longer, up to twice the longest before. `marked`: the log says so. `timed`: the printed times hold them.
    """

    what: str
    every: int
    seconds: float
    marked: bool = True
    timed: bool = False


@dataclass(frozen=True)
class Training:
    """A healthy training and how its log comes.

    `seconds` are those of an iteration. `ramp`: the batch grows at each so many iterations, until it has eight times
    the size. `launch`: it is ended and started again after so many iterations, 0 for never. `dump`: it prints its
    settings. `block`: lines come in blocks of so many bytes. `skew`: what the printed clock is ahead by.
    """

    seconds: float = 40.0
    log_interval: int = 1
    pauses: tuple[Pauses, ...] = (Pauses("save", 300, 60.0), Pauses("evaluation", 150, 40.0))
    ramp: int = 0
    launch: int = 0
    dump: bool = True
    stamps: bool = True
    block: int = 0
    skew: float = 0.0


@dataclass(frozen=True)
class Fault:
    """What goes wrong from a line on, for `lines` lines (0: for ever), and the incident that tells of it.

    `slower` are how many times as long iterations take, reached after `creeps` iterations. `stops` are seconds without
    an iteration. `loss` is what the loss is multiplied by, `share` of how many of the lines, `grows` by how much more
    each iteration. `nan` is how it is printed: `nan`, or the field left out. `ends` is what a crash prints.
    """

    kind: str
    lines: int = 0
    slower: float = 1.0
    creeps: int = 0
    stops: float = 0.0
    loss: float = 1.0
    share: float = 1.0
    grows: float = 0.0
    nan: str = ""
    ends: str = ""
    cause: str = ""


@dataclass
class Stream:
    """What was generated: the log in pieces, when its progress lines were written, and when the fault held."""

    pieces: list[Piece] = field(default_factory=list)
    lines: list[float] = field(default_factory=list)
    pauses: int = 0
    began: float | None = None
    ended: float | None = None
    at: float = START

    @property
    def hours(self):
        return (self.at - START) / _HOUR

    def recording(self):
        """Return it as `simulate` takes it."""
        pieces = tuple(self.pieces)
        size = sum(len(piece.lines) for piece in pieces)
        return Recording(pieces, (), (), (), "megatron", len(self.lines), size, synthetic=False)

    def lines_between(self, since, until):
        """Return how many progress lines were written after one moment and up to another."""
        return bisect.bisect(self.lines, until) - bisect.bisect(self.lines, since)


def generate(training, profile, seed, hours, fault=None, after=0):
    """Return a stream of about so many hours; the fault begins `after` lines, or a little later."""
    return _Writer(training, profile, seed, fault, after).write(hours)


class _Writer:
    def __init__(self, training, profile, seed, fault, after):
        self._training, self._fault = training, fault
        self._random = seeded(seed, "events")
        self._times, self._losses = (
            profile.time.series(seeded(seed, "times")),
            profile.loss.series(seeded(seed, "loss")),
        )
        self._stream = Stream()
        self._block = bytearray()
        self._longest = {}
        self._iteration = self._first = self._saved = 0
        self._printed = [0.0] * 2
        self._hardware = 1.0
        step = training.log_interval
        self._from = after * step + self._random.randrange(100) + 1 if fault else 0
        self._until = self._from + fault.lines * step if fault and fault.lines else 0

    def write(self, hours):
        stream = self._stream
        self._launch()
        while stream.at < START + hours * _HOUR and not self._over():
            self._iterate()
        self._flush()
        return stream

    # What happens.

    def _launch(self):
        self._first = self._iteration
        if self._training.dump:
            settings = {"train_iters": _TOTAL, "log_interval": self._training.log_interval}
            settings |= {f"{pauses.what[:4]}_interval": pauses.every for pauses in self._training.pauses}
            for name, value in settings.items():
                self._say(f"  {name} {'.' * (47 - len(name))} {value}")
        self._stream.at += self._random.uniform(*_START_UP)
        self._say(f"[before the start of training step] datetime: {self._stamp():%Y-%m-%d %H:%M:%S} ")

    def _iterate(self):
        training, stream = self._training, self._stream
        self._iteration += 1
        here = self._holds()
        self._note(here)
        if here and self._fault.stops and self._iteration == self._from:
            stream.at += self._fault.stops
            self._printed[0] += self._fault.stops
            stream.ended = stream.at
        seconds = training.seconds * next(self._times) * self._growth() * self._cold() * self._hardware
        seconds *= self._slower() if here else 1.0
        stream.at += seconds
        self._printed[0] += seconds
        self._printed[1] += self._loss(here)
        if self._iteration % training.log_interval == 0:
            self._progress(here)
        for pauses in training.pauses:
            if self._iteration % pauses.every == 0:
                self._pause(pauses)
        if here and self._fault.ends:
            self._say(self._fault.ends)
        if training.launch and self._iteration - self._first >= training.launch:
            self._restart()

    def _restart(self):
        self._say(f"[exiting program after {(self._stream.at - START) / 60:.1f} minutes] datetime: {self._stamp()}")
        self._flush()
        self._stream.at += self._random.uniform(60.0, 120.0)
        self._hardware = self._random.uniform(0.9, 1.1)
        self._iteration = self._saved
        self._printed = [0.0] * 2
        self._launch()

    def _pause(self, pauses):
        longest = self._longest.get(pauses.what, pauses.seconds / 2)
        seconds = min(pauses.seconds * self._random.paretovariate(_TAIL), 2 * longest)
        self._longest[pauses.what] = max(longest, seconds)
        self._stream.pauses += 1
        if pauses.timed:
            self._printed[0] += seconds
        (self._save if pauses.what == "save" else self._evaluate)(seconds, pauses.marked)

    def _save(self, seconds, marked):
        at = f"iteration {self._iteration:7d}"
        if marked:
            self._say(f"saving checkpoint at {at} to /data/checkpoints in torch_dist format")
        self._stream.at += seconds
        if marked:
            self._say(f"  successfully saved checkpoint from {at} to /data/checkpoints [ t 1/8, p 1/4 ]")
        self._saved = self._iteration

    def _evaluate(self, seconds, marked):
        for step in range(1, _EVALUATED + 1):
            if marked:
                self._say(f"Evaluating iter {step}/{_EVALUATED}")
            self._stream.at += seconds / _EVALUATED
        if marked:
            self._say(f" validation loss at iteration {self._iteration} | lm loss value: {self._curve():.6E} |")

    # What it is like.

    def _holds(self):
        return (
            bool(self._fault) and self._from <= self._iteration and (not self._until or self._iteration < self._until)
        )

    def _over(self):
        fault = self._fault
        return bool(fault and fault.ends and self._iteration >= self._from)

    def _note(self, here):
        stream = self._stream
        if here and stream.began is None:
            stream.began = stream.at
        elif stream.began is not None and not here and stream.ended is None:
            stream.ended = stream.at

    def _slower(self):
        fault = self._fault
        done = min(1.0, (self._iteration - self._from) / fault.creeps) if fault.creeps else 1.0
        return 1 + (fault.slower - 1) * done

    def _growth(self):
        """Return by how much larger a batch is than the first."""
        return 1 + min(7, self._iteration // self._training.ramp) if self._training.ramp else 1

    def _cold(self):
        since = self._iteration - self._first - 1
        return _COLD[since] if since < len(_COLD) else 1.0

    def _curve(self):
        return 1.8 + 9 * (1 + self._iteration / 50) ** -0.5

    def _loss(self, here):
        loss = self._curve() * next(self._losses)
        fault = self._fault
        if not here or (fault.loss == 1 and not fault.grows):
            return loss
        since = self._iteration - self._from
        hit = int((since + 1) * fault.share) > int(since * fault.share)
        return loss * (fault.loss + fault.grows * since) if hit else loss

    # What is written.

    def _progress(self, here):
        step, n = self._training.log_interval, self._iteration
        (elapsed, losses), self._printed = self._printed, [0.0] * 2
        nan = self._fault.nan if here else ""
        loss = {"": f" lm loss: {losses / step:.6E} |", "nan": " lm loss: nan |", "left out": ""}[nan]
        gradient = "nan" if nan else f"{0.4 * self._random.lognormvariate(0, 0.2):.3f}"
        stamp = f" [{self._stamp():%Y-%m-%d %H:%M:%S.%f}]" if self._training.stamps else ""
        self._stream.lines.append(self._stream.at)
        self._say(
            f"{stamp} iteration {n:8d}/{_TOTAL:8d} | consumed samples: {n * _BATCH:12d} |"
            f" elapsed time per iteration (ms): {elapsed * 1000 / step:.1f} | learning rate: 3.000000E-04 |"
            f" global batch size: {_BATCH * self._growth():5d} |{loss} loss scale: 1.0 | grad norm: {gradient} |"
            f" number of skipped iterations:   0 | number of nan iterations: {step if nan else 0:3d} |"
        )

    def _stamp(self):
        return datetime.fromtimestamp(self._stream.at + self._training.skew, UTC)

    def _say(self, text):
        self._block += text.encode() + b"\n"
        if len(self._block) >= self._training.block:
            self._flush()

    def _flush(self):
        if self._block:
            self._stream.pieces.append(Piece(self._stream.at, bytes(self._block)))
            self._block.clear()
