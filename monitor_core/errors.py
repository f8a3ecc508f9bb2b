"""The exceptions of trainstatus.

    TrainstatusError
    ├── ConfigError          the configuration cannot be used: all problems at once
    ├── CommandError         a person asked for something that cannot be done: says what to type instead
    ├── CollectError         this host could not be read now
    │   ├── Unreachable      no answer: network, SSH, authentication, deadline
    │   └── HostKeyChanged   the host answered with a key that is not the known one
    ├── NotifyError          a message was not accepted: permanent, or to be tried again
    └── Retired              whoever began this is no longer to do it: nothing of it is written
        └── LeaseLost        another monitor has taken over, or may have

Catch `TrainstatusError` where one run's or host's trouble must not stop the others.
"""

from __future__ import annotations

from dataclasses import dataclass


class TrainstatusError(Exception):
    """The base of all errors that trainstatus raises on purpose; its text is a sentence for people."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a configuration: where, which key, and a sentence that names value and remedy."""

    file: str
    line: int | None
    key: str
    text: str

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.text}" if self.key else f"{place}: {self.text}"


class ConfigError(TrainstatusError):
    """The configuration cannot be used; `problems` holds everything that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


class CommandError(TrainstatusError):
    """What a person asked for cannot be done; nothing was changed.

    `suggestion` is the nearest command that would work, without the leading `/trainstatus`; empty if there is none.
    """

    def __init__(self, text: str, suggestion: str = "") -> None:
        self.suggestion = suggestion
        super().__init__(text)


class CollectError(TrainstatusError):
    """This host could not be read now; `host` is the one on the way to it that failed, if one did."""

    def __init__(self, text: str, host: str = "") -> None:
        self.host = host
        super().__init__(text)


class Unreachable(CollectError):  # noqa: N818 the word that people see
    """The host gave no answer: network, SSH, authentication, or a deadline passed."""


class HostKeyChanged(CollectError):  # noqa: N818 the word that people see
    """The host answered with a key that is not the known one; `fingerprint` is the SHA256 form that `ssh` prints."""

    def __init__(self, text: str, fingerprint: str, host: str = "") -> None:
        self.fingerprint = fingerprint
        super().__init__(text, host)


class NotifyError(TrainstatusError):
    """A message was not accepted, as far as is known.

    `permanent`: trying again cannot help. `retry_after`: seconds that the other side asked us to wait, if it did.
    `doubtful`: its answer was lost, so it may have accepted all the same; the next attempt may be a repeat.
    """

    def __init__(self, text: str, *, permanent: bool, retry_after: float | None = None, doubtful: bool = False) -> None:
        self.permanent = permanent
        self.retry_after = retry_after
        self.doubtful = doubtful
        super().__init__(text)


class Retired(TrainstatusError):  # noqa: N818 what has become of whoever gets it
    """Whoever began this is no longer to do it: nothing of it was written, and nothing more of it is to be done."""


class LeaseLost(Retired):
    """Another monitor has taken over, or may have: this one neither writes nor sends until it has the lease again."""
