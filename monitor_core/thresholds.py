"""The catalogue of what can be tuned: name, kind of value, default, range and meaning; and how a value is read."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from monitor_core.units import DURATION_EXAMPLES, compact_duration, parse_duration

_NUMBER = re.compile(r"[0-9]+\.?[0-9]*|\.[0-9]+")


class Preset(StrEnum):
    """A named set of rules: ours, or those of the original tool to the letter."""

    DEFAULT = "default"
    SEED = "seed"


class Form(StrEnum):
    """What a threshold's value may be."""

    RATIO = "ratio"
    DURATION = "duration"
    EITHER = "ratio or duration"


@dataclass(frozen=True, slots=True)
class Value:
    """A threshold's value: `amount` is a ratio, or seconds if `is_duration`; `text` is how a person types it."""

    amount: float
    is_duration: bool

    @property
    def text(self) -> str:
        """Return the value as a person types it: `1.1` or `2m`."""
        return compact_duration(self.amount) if self.is_duration else f"{self.amount:g}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One tunable. `low` and `high` bound a ratio, `shortest` and `longest` (seconds) a duration.

    `seed` is its value in the preset of the original tool; None where that tool has no such rule.
    """

    name: str
    form: Form
    default: str
    seed: str | None
    meaning: str
    low: float = 1.0
    high: float = 1000.0
    shortest: float = 1.0
    longest: float = 7 * 86400.0

    @property
    def allowed(self) -> str:
        """Say which values are taken: `1.01 to 10` or `5s to 7d`."""
        ratio = f"{self.low:g} to {self.high:g}"
        duration = f"{compact_duration(self.shortest)} to {compact_duration(self.longest)}"
        return {Form.RATIO: ratio, Form.DURATION: duration, Form.EITHER: f"{ratio}, or {duration}"}[self.form]

    def read(self, text: str) -> Value:
        """Return the value that a person typed; raise ValueError with a sentence that says what is allowed."""
        number = text.strip().lower().removesuffix("x")
        if self.form is not Form.DURATION and _NUMBER.fullmatch(number):
            return self._bounded(Value(float(number), is_duration=False), self.low, self.high, text)
        if self.form is Form.RATIO:
            raise ValueError(
                f"{text!r} is not a ratio (examples: 1.1, 2, 3.5); allowed for {self.name}: {self.allowed}"
            )
        try:
            seconds = parse_duration(text)
        except ValueError:
            example = f"1.5, {DURATION_EXAMPLES}" if self.form is Form.EITHER else DURATION_EXAMPLES
            raise ValueError(
                f"{text!r} is not a {self.form} (examples: {example}); allowed for {self.name}: {self.allowed}"
            ) from None
        return self._bounded(Value(seconds, is_duration=True), self.shortest, self.longest, text)

    def _bounded(self, value: Value, low: float, high: float, typed: str) -> Value:
        if low <= value.amount <= high:
            return value
        raise ValueError(f"{typed!r} is out of range; allowed for {self.name}: {self.allowed}")


CATALOGUE: Mapping[str, Threshold] = MappingProxyType(
    {
        threshold.name: threshold
        for threshold in (
            Threshold(
                "stuck",
                Form.EITHER,
                "2",
                "2",
                "Silence that makes a run stuck: a ratio to the gap in which a line is expected, or a duration.",
            ),
            Threshold(
                "stuck_critical",
                Form.EITHER,
                "5",
                None,
                "Silence that makes a stuck run critical; as a ratio never before 5 times stuck_floor.",
            ),
            Threshold(
                "stuck_floor",
                Form.DURATION,
                "2m",
                None,
                "No silence shorter than this is stuck; pauses scale with it (start 15 x, checkpoint 7.5 x).",
                shortest=0.1,
                longest=86400.0,
            ),
            Threshold(
                "slow",
                Form.RATIO,
                "1.1",
                "1.5",
                "Lasting slowdown that makes a run slow, against its own usual time per iteration.",
                low=1.01,
                high=100.0,
            ),
            Threshold(
                "slow_critical",
                Form.RATIO,
                "1.5",
                None,
                "Lasting slowdown that makes a slow run critical.",
                low=1.01,
                high=1000.0,
            ),
            Threshold(
                "not_exiting",
                Form.DURATION,
                "10m",
                None,
                "How long the processes of a run may stay after the end of its training.",
                longest=86400.0,
            ),
            Threshold(
                "unreachable",
                Form.DURATION,
                "1m",
                "1m",
                "How long a host may give no answer before anybody is told (and not before 3 failed polls).",
                shortest=0.0,
                longest=86400.0,
            ),
            Threshold(
                "log_missing",
                Form.DURATION,
                "3m",
                "3m",
                "How long a log may be missing or unreadable before anybody is told.",
                shortest=0.0,
                longest=86400.0,
            ),
            Threshold(
                "flapping",
                Form.DURATION,
                "1h",
                None,
                "A warning that fires and resolves 3 times within it flaps, until it is calm for a third of it.",
                shortest=60.0,
                longest=86400.0,
            ),
            Threshold(
                "blind",
                Form.DURATION,
                "3m",
                "3m",
                "How long nobody may have looked, and not less than 2 check intervals, before that is told.",
                shortest=60.0,
                longest=86400.0,
            ),
        )
    }
)
# What the seed preset does not have is switched off there: no value.
Values = Mapping[str, Value | None]


def seconds(value: Value | None) -> float:
    """Return a duration in seconds; 0 where a rule is switched off."""
    return 0.0 if value is None else value.amount


def preset_values(preset: Preset) -> dict[str, Value | None]:
    """Return what each threshold is worth before anybody sets it."""
    texts = {name: t.seed if preset is Preset.SEED else t.default for name, t in CATALOGUE.items()}
    return {name: None if text is None else CATALOGUE[name].read(text) for name, text in texts.items()}
