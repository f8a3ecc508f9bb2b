"""What lines to come need of the lines before: where a training is in its epochs, and values that came ahead."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from monitor_core.model.records import Detail, Progress
from monitor_core.parse.averages import Unfolding
from monitor_core.parse.fields import Told

# Of what is held, when the head of a block was printed.
HEAD = "head"
_STAY = ("epoch", "epochs", "batches", "total", "examples", "samples")
# What a database can hold; a larger count is none.
_TOO_MANY = 2**63


@dataclass(slots=True)
class Counter:
    """Counts the iterations of one log in one dialect.

    `held` are values that belong to the next progress line. `done` are the iterations of earlier bars, `bar` the
    length of the one that is followed, `free` says that another may be followed instead. `elapsed` is the time since
    the start, in seconds, that the last line told, `skipped` how many iterations had been skipped by then. `leads`: no
    line tells an iteration, and those with values lead. `proven`: a line came that only this framework prints.
    `batch` is the place in its epoch that was told last and `stride` how far it was from the one before; `learned` is
    the length of an epoch where only places tell it.
    `hidden`: so many lines to come only look like progress. `announced`: the log says when a training begins.
    `rival` is the length of the bar that was drawn since, of another training or task; `doubted`: values came with it.
    `unfolding` follows the averages of the bar.
    """

    iteration: int | None = None
    total: int | None = None
    epoch: int | None = None
    epochs: int | None = None
    batches: int | None = None
    examples: int | None = None
    samples: int | None = None
    first_epoch: int | None = None
    done: int = 0
    bar: int | None = None
    free: bool = True
    elapsed: float | None = None
    skipped: int | None = None
    leads: bool = False
    proven: bool = False
    batch: int | None = None
    stride: int = 0
    learned: int = 0
    hidden: int = 0
    announced: bool = False
    rival: int | None = None
    doubted: bool = False
    unfolding: Unfolding = field(default_factory=Unfolding)
    held: Told = field(default_factory=dict)

    def hold(self, told: Told) -> None:
        """Keep values for lines to come: what is said of epochs and of the total stays, the rest is for the next.

        A total that stands in a progress line is that of the line alone.
        """
        self._learn(told)
        for name in _STAY:
            if name in told:
                setattr(self, name, int(told[name]))
        self.held |= {name: value for name, value in told.items() if name not in _STAY}

    def progress(
        self, told: Told, timestamp: float | None, first_epoch: int = 0, *, counted: bool = False
    ) -> Progress | None:
        """Return the progress that a line tells, with the values held; None if no iteration can be known.

        `first_epoch` is the number that the framework gives to the first epoch; `counted`: the iteration is our count.
        """
        if "iteration" not in told and "iteration" in self.held:
            told = self.held | told
        total = told.get("total")
        self.hold({name: value for name, value in told.items() if name != "total"})
        told, self.held = self.held, {}
        iteration = self._iteration(told, first_epoch)
        if iteration is None or max(iteration, self._total(total) or 0) >= _TOO_MANY:
            return None
        timestamp = told.get(HEAD, timestamp)
        ms, skipped = self._ms(told, iteration), self._skipped(told)
        self.iteration = iteration
        counts = (_count(told, "batch_size"), _count(told, "sequence_length"), told.get("loss_scale"), skipped)
        nan_iterations = _count(told, "nan_iterations")
        return Progress(iteration, self._total(total), ms, *_floats(told), *counts, nan_iterations, timestamp, counted)

    def detail(self, told: Told, timestamp: float | None) -> Detail | None:
        """Return what a line without an iteration adds to the last progress line; an open block keeps it instead."""
        if "iteration" in self.held:
            self.hold(told)
            return None
        if self.iteration is None or self.leads:
            return None
        loss, grad_norm, learning_rate, throughput = _floats(told)
        return Detail(self.iteration, loss, grad_norm, learning_rate, throughput, timestamp)

    def count(self, told: Told, timestamp: float | None) -> Progress | None:
        """Return a progress line of a log that tells no iteration: by the epochs done if their length is known.

        Else the lines themselves are counted.
        """
        done, length = told.pop("epochs_done", None), self._per_epoch()
        self.leads = True
        if done and length:
            return self.progress({**told, "iteration": round(done * length)}, timestamp)
        return self.progress({**told, "iteration": (self.iteration or 0) + 1}, timestamp, counted=True)

    def release(self) -> None:
        """Note that another training may begin: what comes next may count up to another total."""
        self.free = True
        self.hidden = 0

    def doubt(self) -> None:
        """Note that values of the training came: a bar that goes on from one time to the next, alone, is its bar."""
        if self.rival and self.doubted:
            self.bar, self.free, self.iteration, self.done = self.rival, False, None, 0
        self.doubted = self.rival is not None or self.doubted
        self.rival = None

    def state(self) -> dict[str, Any]:
        """Return what must be kept across a restart, as values that JSON can hold."""
        fresh = Counter()
        changed = {name: getattr(self, name) for name in self.__slots__ if getattr(self, name) != getattr(fresh, name)}
        if "unfolding" in changed:
            changed["unfolding"] = asdict(self.unfolding)
        if self.held:
            changed["held"] = {name: repr(value) for name, value in self.held.items()}
        return changed

    @classmethod
    def restore(cls, state: dict[str, Any]) -> Counter:
        """Return the counter that returned this state."""
        held = {name: float(value) for name, value in state.get("held", {}).items()}
        return cls(**{**state, "unfolding": Unfolding(**state.get("unfolding", {})), "held": held})

    def _iteration(self, told: Told, first_epoch: int) -> int | None:
        if "iteration" in told:
            return int(told["iteration"])
        if "batch" not in told:
            return None
        epochs_before = max(0, self.epoch - first_epoch) if self.epoch is not None else 0
        return epochs_before * (self.batches or self.learned) + int(told["batch"])

    def _learn(self, told: Told) -> None:
        """Take the last place in an epoch for its length, where no line tells it and the next epoch begins again."""
        if "batch" not in told:
            return
        before, self.batch = self.batch, int(told["batch"])
        if before is None:
            return
        if self.batch > before:
            self.stride = self.batch - before
        elif not self.learned and self.epoch is not None and told.get("epoch", 0) > self.epoch:
            from_zero = self.batch == 0 or self.batch + 1 == self.stride
            self.learned = before + from_zero

    def _per_epoch(self) -> float | None:
        if self.examples and self.samples:
            return math.ceil(self.examples / self.samples)
        return self.total / self.epochs if self.total and self.epochs else None

    def _total(self, told: float | None) -> int | None:
        if self.epochs and self.batches:
            return self.epochs * self.batches
        return self.total if told is None else int(told)

    def _skipped(self, told: Told) -> int | None:
        """Return how many iterations were skipped since the last line, as far as that is known."""
        if "skipped_so_far" not in told:
            return _count(told, "skipped")
        before, self.skipped = self.skipped, int(told["skipped_so_far"])
        return None if before is None or self.skipped < before else self.skipped - before

    def _ms(self, told: Told, iteration: int) -> float | None:
        if "ms" in told:
            return told["ms"]
        if "s" in told:
            return told["s"] * 1000
        if "batch_tokens" in told and told.get("throughput"):
            return told["batch_tokens"] / told["throughput"] * 1000
        if "it_per_s" in told:
            return 1000 / told["it_per_s"] if told["it_per_s"] else None
        before, self.elapsed = self.elapsed, told.get("elapsed_s")
        interval = told.get("interval_ms")
        if "interval_s" in told:
            interval = told["interval_s"] * 1000
        elif self.elapsed is not None and before is not None:
            interval = (self.elapsed - before) * 1000
        since = 0 if self.iteration is None else iteration - self.iteration
        covered = min((count for count in (since, told.get("interval", 0)) if count > 0), default=0)
        return interval / covered if interval is not None and covered else None


def _floats(told: Told) -> tuple[float | None, float | None, float | None, float | None]:
    return told.get("loss"), told.get("grad_norm"), told.get("learning_rate"), told.get("throughput")


def _count(told: Told, name: str) -> int | None:
    value = told.get(name)
    return None if value is None else int(value)
