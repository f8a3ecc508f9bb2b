"""Why a run stopped before its last iteration, in plain words: from what it said, or from its exit code."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from monitor_core.units import count

# A process that dies of a signal says 128 and its number (a shell), or minus its number (a launcher in Python). These
# are sent by people and schedulers; `timeout` says 124. Nobody but people interrupt.
CODES: Mapping[int, str] = MappingProxyType(
    {
        124: "its time limit was over",
        129: "it received SIGHUP",
        130: "somebody interrupted it from the keyboard",
        138: "it received SIGUSR1",
        143: "it received SIGTERM",
        -1: "it received SIGHUP",
        -2: "somebody interrupted it from the keyboard",
        -10: "it received SIGUSR1",
        -15: "it received SIGTERM",
    }
)
_SAID = (
    (re.compile(r"exit\w* (?:the )?program at iteration (\d{1,15})"), "its exit interval was reached, iteration {0}"),
    (re.compile(r"exit\w* (?:the )?program after ([\d.]{1,20}) minutes"), "its time limit of {0} minutes was over"),
    (re.compile(r"KeyboardInterrupt"), "somebody interrupted it from the keyboard"),
    (re.compile(r"\b(SIG[A-Z]{3,6}\d?)\b"), "it received {0}"),
    (re.compile(r"Invalid loss|is not finite"), "its loss is not a number"),
    (re.compile(r"max_time=|Time limit reached"), "its time limit was over"),
    (re.compile(r"Preemption detected"), "its nodes were taken away"),
    (re.compile(r"^aborted$"), "it says that it was aborted"),
)
# What a process says that was told to end, as it does.
_DYING = re.compile(r"SIGTERM|[Ss]ignal: (?:15\b|Terminated)|got signal: (?:1|2|15)\b")


def reason(text: str) -> str:
    """Return in plain words why a run says that it stops; its own words where they are none that we know."""
    for pattern, words in _SAID:
        match = pattern.search(text)
        if match:
            return words.format(*(_number(group) for group in match.groups()))
    return text.strip("[]. ")


def told_to(text: str) -> bool:
    """Whether an error says itself that it came of a signal to end."""
    return bool(_DYING.search(text))


def _number(word: str) -> str:
    return count(round(float(word))) if word.replace(".", "", 1).isdigit() else word
