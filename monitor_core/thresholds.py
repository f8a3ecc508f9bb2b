"""The catalogue of what can be tuned: name, unit, default, range and meaning; and how a value is read."""

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
    COUNT = "whole number"
    SHARE = "share"


_EXAMPLES = {
    Form.RATIO: "1.1, 2, 3.5",
    Form.DURATION: DURATION_EXAMPLES,
    Form.EITHER: f"1.5, {DURATION_EXAMPLES}",
    Form.COUNT: "50, 200",
    Form.SHARE: "0.2, 20%",
}


@dataclass(frozen=True, slots=True)
class Value:
    """A threshold's value: `amount` is a number, or seconds if `is_duration`; `text` is how a person types it."""

    amount: float
    is_duration: bool

    @property
    def text(self) -> str:
        """Return the value as a person types it: `1.1` or `2m`."""
        return compact_duration(self.amount) if self.is_duration else f"{self.amount:g}"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One tunable. `low` and `high` bound a number, `shortest` and `longest` (seconds) a duration.

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
    def unit(self) -> str:
        """Say what its value is: `ratio` (to what is usual), `duration`, or either."""
        return self.form.value

    @property
    def allowed(self) -> str:
        """Say which values are taken: `1.01 to 10` or `5s to 7d`."""
        number = f"{self.low:g} to {self.high:g}"
        duration = f"{compact_duration(self.shortest)} to {compact_duration(self.longest)}"
        return {Form.DURATION: duration, Form.EITHER: f"{number}, or {duration}"}.get(self.form, number)

    def read(self, text: str) -> Value:
        """Return the value that a person typed; raise ValueError with a sentence that says what is allowed."""
        number = self._number(text.strip().lower())
        if number is not None:
            return self._bounded(Value(number, is_duration=False), self.low, self.high, text)
        try:
            seconds = parse_duration(text) if self.form in {Form.DURATION, Form.EITHER} else None
        except ValueError:
            seconds = None
        if seconds is None:
            raise ValueError(
                f"{text!r} is not a {self.form} (examples: {_EXAMPLES[self.form]});"
                f" allowed for {self.name}: {self.allowed}"
            )
        return self._bounded(Value(seconds, is_duration=True), self.shortest, self.longest, text)

    def _number(self, typed: str) -> float | None:
        """Return what was typed as a number of this form, None if it is none."""
        if self.form is Form.DURATION:
            return None
        suffix = {Form.COUNT: "", Form.SHARE: "%"}.get(self.form, "x")
        digits = typed.removesuffix(suffix)
        if not _NUMBER.fullmatch(digits) or (self.form is Form.COUNT and not digits.isdigit()):
            return None
        return float(digits) / (100 if suffix == "%" and digits != typed else 1)

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
                "loss_spike",
                Form.RATIO,
                "6",
                None,
                "How many deviations above its usual a loss must be on half of the last 10 lines to be a spike.",
                low=3.0,
                high=100.0,
            ),
            Threshold(
                "diverged",
                Form.RATIO,
                "1.3",
                None,
                "How many times its best a smoothed loss must be for 200 lines, or its usual 100 lines after a spike.",
                low=1.05,
                high=1000.0,
            ),
            Threshold(
                "loss_flat",
                Form.COUNT,
                "50",
                None,
                "On how many lines in a row a loss must be the same to the last digit to be flat.",
                low=20.0,
                high=100_000.0,
            ),
            Threshold(
                "skipping",
                Form.SHARE,
                "0.2",
                None,
                "Which share of the iterations of the last 50 lines must be skipped to be too many.",
                low=0.01,
                high=1.0,
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
