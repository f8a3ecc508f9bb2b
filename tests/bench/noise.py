"""How healthy trainings vary: what was fitted to real ones, and series that vary alike.

A series wavers about 1 in three ways: each value by itself (lognormal, `sigma`), slowly (AR(1) of spread `drift`, where
`memory` is what is left of it after one value), and in spikes: a share `spikes` of the values begins one, which lasts
for `spike_length` values on average and is as many times as high as a lognormal with median 1 + `spike_size` says.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = Path(__file__).with_name("noise.json")
# How much spikes of one training differ in height, as the spread of a logarithm: most are small, one in forty is seven
# times as high as the median one.
SPIKE_SPREAD = 1.0
PROFILES = ("quiet", "usual", "rough")


@dataclass(frozen=True)
class Noise:
    """The parameters of a series."""

    sigma: float
    drift: float
    memory: float
    spikes: float
    spike_size: float
    spike_length: float

    def series(self, random_):
        """Yield factors about 1, for ever."""
        gauss, uniform = random_.gauss, random_.random
        slow, spike = gauss(0, self.drift), 0.0
        fresh = self.drift * math.sqrt(1 - self.memory**2)
        while True:
            slow = self.memory * slow + gauss(0, fresh)
            if spike and uniform() < 1 / self.spike_length:
                spike = 0.0
            if uniform() < self.spikes:
                spike = self.spike_size * math.exp(gauss(0, SPIKE_SPREAD))
            yield math.exp(slow + gauss(0, self.sigma)) * (1 + spike)


@dataclass(frozen=True)
class Profile:
    """How the time per iteration and the loss of a training vary."""

    name: str
    time: Noise
    loss: Noise


def profiles():
    """Return the committed profiles, by name."""
    read = json.loads(FILE.read_text(encoding="utf-8"))["profiles"]
    return {name: Profile(name, Noise(**read[name]["time"]), Noise(**read[name]["loss"])) for name in PROFILES}


def quantile_noise(sources, share):
    """Return the noise each of whose parameters is that quantile of what was fitted; each source weighs the same.

    How spikes look is asked only of series that have some, and is the same for all: those with many have low ones.
    """
    found = {}
    for field in fields(Noise):
        told = [[one for one in source if one.spikes or not field.name.startswith("spike_")] for source in sources]
        weighed = [(getattr(one, field.name), 1 / len(source)) for source in told for one in source]
        found[field.name] = _quantile(weighed, 0.5 if field.name == "spike_size" else share) if weighed else 1.0
    return Noise(**found)


def rounded(noise):
    """Return the parameters as they are written."""
    return {name: float(f"{value:.3g}") for name, value in asdict(noise).items()}


def _quantile(weighed, share):
    ordered = sorted(weighed)
    left = share * sum(weight for _, weight in ordered)
    for value, weight in ordered:
        left -= weight
        if left <= 0:
            return value
    return ordered[-1][0]


def seeded(*what):
    """Return a source of random numbers that is the same wherever the same is asked."""
    return random.Random("/".join(map(str, what)))
