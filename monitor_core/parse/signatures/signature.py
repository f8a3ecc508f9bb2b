"""What one kind of error line is, and how a file of them is written."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from monitor_core.model.records import Role


class Evidence(IntEnum):
    """How much a line says of why a run ended; of two lines near each other that which says more explains the other.

    Something else failed; a rank waited in vain; a process was ended; the error itself, or an end that was ordered.
    """

    FOLLOWED = 0
    WAITED = 1
    ENDED = 2
    CAUSED = 3


@dataclass(frozen=True, slots=True)
class Signature:
    """One kind of error line.

    `sentence` says what it means, `advice` what to try; both begin in lower case and have no full stop. `line` is
    what a line of any sort holds, `error` what counts only as the exception that ends a traceback: elsewhere such words
    are warnings and quotations. `planned`: somebody or the scheduler has ordered this end. `caught`: programs often
    catch such an exception, and tools that a job script runs die of it, while the run goes on. `examples` are such
    lines.
    """

    id: str
    role: Role
    sentence: str
    advice: str
    line: re.Pattern[bytes] | None
    error: re.Pattern[bytes] | None
    evidence: Evidence
    planned: bool
    caught: bool
    examples: tuple[str, ...]

    def printed(self, line: bytes) -> bool:
        """Return whether a line that stands by itself tells of it."""
        return self.line is not None and self.line.search(line) is not None

    def raised(self, exception: bytes) -> bool:
        """Return whether the exception that ends a traceback tells of it."""
        return self.printed(exception) or (self.error is not None and self.error.search(exception) is not None)


def root(
    name: str,
    sentence: str,
    advice: str,
    *examples: str,
    line: bytes = b"",
    error: bytes = b"",
    evidence: Evidence = Evidence.CAUSED,
    planned: bool = False,
    caught: bool = False,
) -> Signature:
    """Return a signature that is a cause by itself."""
    return Signature(
        name, Role.ROOT, sentence, advice, _compiled(line), _compiled(error), evidence, planned, caught, examples
    )


def cascade(name: str, sentence: str, advice: str, *examples: str, line: bytes = b"", error: bytes = b"") -> Signature:
    """Return a signature of what follows from something else."""
    told = _compiled(line), _compiled(error)
    return Signature(
        name, Role.CASCADE, sentence, advice, *told, Evidence.FOLLOWED, planned=False, caught=False, examples=examples
    )


def context(name: str, sentence: str, *examples: str, line: bytes) -> Signature:
    """Return a signature of what says nothing of the cause."""
    return Signature(
        name,
        Role.CONTEXT,
        sentence,
        "",
        _compiled(line),
        None,
        Evidence.FOLLOWED,
        planned=False,
        caught=False,
        examples=examples,
    )


def _compiled(pattern: bytes) -> re.Pattern[bytes] | None:
    return re.compile(pattern) if pattern else None
