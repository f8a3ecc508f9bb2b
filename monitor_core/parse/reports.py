"""What launchers say of the process that failed first: its rank, host and exit code."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

from monitor_core.parse.tags import tags_of

# `Root Cause (first observed failure):`, and `Root Cause:` of old versions of PyTorch.
HEADER = b"Root Cause"
_FIELD = re.compile(rb"\s{1,20}(host|rank|exitcode)\s{0,20}: ?(\S{1,253})")
_ANNOUNCED = re.compile(rb"Root Cause(?: \(first observed failure\))?:\s*$")
_RULE = b"===="
_AT_MOST = 64
_LINES = (
    re.compile(
        rb"srun: error: (?P<host>[\w.-]{1,253}): task (?P<rank>\d{1,7}): (?:Exited with exit code (?P<code>\d{1,3}))?"
    ),
    re.compile(rb"process rank (?P<rank>\d{1,7}) with PID \d{1,9} on node (?P<host>[\w.-]{1,253}) exited on"),
    re.compile(rb"\] exits with return code = (?P<code>-?\d{1,3})"),
    re.compile(rb"failed \(exitcode: (?P<code>-?\d{1,3})\)"),
)
_HERE = frozenset({"localhost", "127.0.0.1"})


@dataclass(frozen=True, slots=True)
class Process:
    """A process of a run, by what a log tells of it; `text` is the line that told its exit code."""

    rank: str = ""
    host: str = ""
    exit_code: int | None = None
    text: bytes = b""


class Reports:
    """The reports of torchrun that have begun and are not over, told apart by the tags that their lines begin with."""

    def __init__(self) -> None:
        self._open: dict[bytes, _Report] = {}

    def __bool__(self) -> bool:
        return bool(self._open)

    def state(self) -> dict[str, Any]:
        """Return what must be kept across a restart, as values that JSON can hold."""
        return {tags.decode("latin-1"): asdict(report) for tags, report in self._open.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """Take up what `state` returned."""
        self._open = {tags.encode("latin-1"): _Report(**report) for tags, report in state.items()}

    def feed(self, line: bytes) -> Process | None:
        """Take a line; return the process that failed first if the line ends a report that names it."""
        tags = tags_of(line)
        text = line[len(tags) :].removeprefix(b" ") if tags else line
        if _ANNOUNCED.match(text):
            self._open[tags] = _Report()
            return None
        report = self._open.get(tags)
        if report is None or report.takes(text):
            return None
        del self._open[tags]
        return report.process()


@dataclass(slots=True)
class _Report:
    """One that is being followed: its fields, as text that JSON can hold."""

    fields: dict[str, str] = field(default_factory=dict)
    lines: int = 0

    def takes(self, text: bytes) -> bool:
        """Take a line; return whether the report goes on after it."""
        self.lines += 1
        found = _FIELD.match(text)
        if found:
            self.fields[found[1].decode()] = found[2].decode("latin-1")
        if found and found[1] == b"exitcode":
            self.fields["text"] = text.strip().decode("latin-1")
        return self.lines < _AT_MOST and not text.startswith(_RULE)

    def process(self) -> Process | None:
        """Return the process; None if the report has not said how it ended."""
        code = self.fields.get("exitcode", "")
        if not code.lstrip("-").isdigit():
            return None
        rank, host, text = (self.fields.get(name, "") for name in ("rank", "host", "text"))
        return Process(rank, _named(host), int(code), text.encode("latin-1"))


def process_of(line: bytes) -> Process | None:
    """Return the process that a launcher's line speaks of; None if it names neither rank, host nor exit code."""
    match = next((match for match in (pattern.search(line) for pattern in _LINES) if match), None)
    if match is None:
        return None
    told = {name: value.decode() for name, value in match.groupdict().items() if value}
    return Process(told.get("rank", ""), _named(told.get("host", "")), int(told["code"]) if "code" in told else None)


def _named(host: str) -> str:
    return "" if host in _HERE else host
