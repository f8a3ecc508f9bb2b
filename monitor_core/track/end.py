"""The end of a run as it was announced, and what comes after: it may still evaluate, save, and fail at that."""

from __future__ import annotations

from dataclasses import dataclass

from monitor_core.model.incidents import Kind, Phase


@dataclass(slots=True)
class End:
    """Times are seconds since 1970 on our clock.

    `kind` is what was announced, `text` with which words; `marked`: a line said so, and not only the last iteration was
    reached. `at` is when that was, or when its process was gone with its `exit_code`. `sign_at` is when the last line
    that says something came after an announced end. `pause` is what has begun since and is not over.
    """

    kind: Kind | None = None
    at: float | None = None
    text: str = ""
    exit_code: int | None = None
    marked: bool = False
    sign_at: float | None = None
    pause: Phase | None = None

    @property
    def reached(self) -> bool:
        """Whether an end was announced, or the process is gone."""
        return self.kind is not None or self.exit_code is not None

    def announce(self, kind: Kind, at: float, text: str, *, marked: bool) -> bool:
        """Note an end; the first word counts, and a word more than that the last iteration was reached."""
        if self.kind is not None and (self.marked or not marked):
            return False
        self.kind, self.at, self.text, self.marked = kind, at, text, marked
        self.sign_at = self.pause = None
        return True

    def exit(self, code: int, at: float) -> None:
        """Note that the process is gone, with its exit code."""
        self.exit_code = code
        self.at = at if self.at is None else self.at

    def sign(self, at: float) -> None:
        """Note a line that says something; before an end it is nothing to note here."""
        self.sign_at = at if self.kind is not None else None

    def shift(self, seconds: float) -> None:
        """Move everything in time."""
        self.at = None if self.at is None else self.at + seconds
        self.sign_at = None if self.sign_at is None else self.sign_at + seconds
