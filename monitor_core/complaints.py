"""What goes wrong, in our own log: its traceback once, and each time a line."""

from __future__ import annotations

import logging
import traceback
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError


def sentence(error: Exception) -> str:
    """Return an error as people can read it."""
    if isinstance(error, DBAPIError):
        return f"the database refused: {error.orig}"
    return f"{type(error).__name__}: {error}"


@dataclass(slots=True)
class Complaints:
    """Writes to a log what went wrong; a lasting bug does not fill it with tracebacks.

    That the database refuses is one line. Anything else is a bug of ours and brings its traceback the first time that
    it comes from its place in the code.
    """

    log: logging.Logger
    _places: set[str] = field(default_factory=set)

    def __call__(self, what: str, error: Exception) -> None:
        """Write one line, with the traceback where it is news."""
        place = _place(error)
        known = isinstance(error, DBAPIError) or place in self._places
        self._places.add(place)
        self.log.error("%s: %s", what, sentence(error), exc_info=None if known else error)


def _place(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {frames[-1].filename}:{frames[-1].lineno}" if frames else type(error).__name__
