"""What exit codes of processes mean; launchers show a signal as a negative number, shells as 128 and the signal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

_SIGNALS = 128


@dataclass(frozen=True, slots=True)
class Exit:
    """One exit code: what it means and what to try, and the signature of a process that a signal has ended."""

    sentence: str
    advice: str = ""
    signature: str = ""


_LOOK = "look at the last lines of all ranks, and at standard error if it went elsewhere"
_KILLED = "most often the host ran out of memory: look at its kernel log (`dmesg`) and at the memory of the job"
_STATE = "start it again from the newest checkpoint: the run then says whether it was a fault of the hardware"
_ALL = {
    0: Exit("it ended by itself"),
    1: Exit("the program ended with an error", _LOOK),
    2: Exit("the command line or the script was wrong", "look at the first lines of the log"),
    16: Exit("Megatron wants to run an iteration again to tell bad hardware from a bad loss", _STATE),
    17: Exit(
        "Megatron's check of a result failed: the hardware may compute wrongly",
        "take the host that it names out of use",
    ),
    124: Exit("`timeout` stopped it at its limit", "give it longer, or start it again from the newest checkpoint"),
    125: Exit("the container or `timeout` could not start it", "look at the first lines of the log"),
    126: Exit("the command may not be executed", "look at the rights of the script"),
    127: Exit("the command was not found", "look at PATH and at the environment of the run"),
    130: Exit("somebody interrupted it from the keyboard", "start it again from the newest checkpoint"),
    132: Exit("a program was built for another processor", "install it for that processor", "illegal_instruction"),
    134: Exit("a process aborted (often the NCCL watchdog)", _LOOK, "aborted"),
    135: Exit("a bus error: shared memory ran out, or a file on disk vanished", "look at /dev/shm and the disk", "shm"),
    136: Exit("a division by zero or the like in native code", _LOOK),
    137: Exit("it was killed from outside (SIGKILL)", _KILLED, "sigkill"),
    138: Exit(
        "it was ended by SIGUSR1, as schedulers send before a limit", "start it again from the newest checkpoint"
    ),
    139: Exit("it crashed in native code (segmentation fault)", _LOOK, "segv"),
    143: Exit("it was told to stop (SIGTERM)", "ask who stopped it, or the scheduler", "sigterm"),
}
EXITS: Mapping[int, Exit] = MappingProxyType(_ALL)


def exit_of(code: int) -> Exit | None:
    """Return what an exit code means, None for one that every program uses as it likes.

    A signal may be written -9, 137, or 247 as Python's `sys.exit(-9)` leaves it.
    """
    return EXITS.get(_SIGNALS - code if code < 0 else code) or EXITS.get(_SIGNALS + 256 - code)
