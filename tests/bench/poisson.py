"""How often something may really happen that was seen so many times."""

from __future__ import annotations

import math

_DOUBTED = 0.05
_HALVINGS = 100


def upper_bound(count):
    """Return the exact upper 95 % bound of a Poisson mean of which `count` events were seen: 3.0 for none."""
    low, high = float(count), count + 5 + 5 * math.sqrt(count + 1)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _at_most(count, middle) > _DOUBTED else (low, middle)
    return high


def _at_most(count, mean):
    """Return how likely no more than `count` events are; terms that no longer matter are left out."""
    term = math.exp(count * math.log(mean) - mean - math.lgamma(count + 1)) if count else math.exp(-mean)
    total = 0.0
    for events in range(count, -1, -1):
        total += term
        if term < total * 1e-17:
            break
        term *= events / mean
    return total
