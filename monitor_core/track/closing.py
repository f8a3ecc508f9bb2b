"""What a run does after its end was announced: it may still evaluate, save, and fail at that."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import Phase


@dataclass(slots=True)
class Closing:
    """From the end of the training on.

    `marked`: a line said so, and not only the last iteration was reached. `sign_at` is when the last line that says
    something came after it (seconds since 1970, our clock). `pause` is what has begun since and is not over.
    """

    marked: bool = False
    sign_at: float | None = None
    pause: Phase | None = None
