"""The gradient norm beside a loss: what it was and what it is."""

from __future__ import annotations

import statistics

from monitor_core.track.losses import Losses

_LATE = 10


def norms(losses: Losses) -> dict[str, float | None]:
    """Return the facts that tell of it; None where the log does not."""
    before = losses.norms[:-_LATE]
    return {
        "grad_usual": statistics.median(before) if before else None,
        "grad_last": losses.norms[-1] if losses.norms else None,
    }
