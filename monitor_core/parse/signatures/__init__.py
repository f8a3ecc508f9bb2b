"""The catalogue of error lines: what each says to people, and how much it says about the cause.

The patterns are those of messages of CUDA, NCCL, PyTorch, JAX, TensorFlow, Slurm, DeepSpeed, the kernel and others; a
file for each theme. To add one, write it there, with an example: the tests see that it is recognised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from monitor_core.parse.signatures import gpu, launcher, memory, network, python, scheduler, storage, unwritten, xid
from monitor_core.parse.signatures.exits import exit_of
from monitor_core.parse.signatures.launcher import CHILD_FAILED, DEEPSPEED_EXIT
from monitor_core.parse.signatures.python import EXCEPTION
from monitor_core.parse.signatures.signature import Evidence, Signature
from monitor_core.parse.signatures.unwritten import PROCESS_GONE, SLURM_FAILED

__all__ = [
    "CAUGHT",
    "CHILD_FAILED",
    "DEEPSPEED_EXIT",
    "EXCEPTION",
    "EXIT_CODE",
    "PLANNED",
    "PROCESS_GONE",
    "SIGNATURES",
    "SLURM_FAILED",
    "TRIGGERS",
    "Evidence",
    "Signature",
    "advise",
    "describe",
    "printed",
    "raised",
]

# The cause of an ending that only the exit code tells of.
EXIT_CODE = "exit_code"
# The first that fits a line counts, so the more telling come first.
_ALL = (
    *xid.SIGNATURES,
    *scheduler.SIGNATURES,
    *memory.SIGNATURES,
    *gpu.SIGNATURES,
    *network.SIGNATURES,
    *storage.SIGNATURES,
    *python.SIGNATURES,
    *launcher.SIGNATURES,
    *unwritten.SIGNATURES,
    gpu.ANY_CUDA,
    python.UNKNOWN,
)
SIGNATURES: Mapping[str, Signature] = MappingProxyType({item.id: item for item in _ALL})
CAUGHT = frozenset(item.id for item in _ALL if item.caught)
PLANNED = frozenset(item.id for item in _ALL if item.planned)
_PRINTED = tuple(item for item in _ALL if item.line)
# A line that is no exception is tried on the catalogue only if it holds one of these: few, since each is looked for in
# the whole log. Most of the catalogue's lines have " error" in them.
TRIGGERS = (
    b" error",
    b"exitcode",
    b"(core dumped)",
    b"Killed",
    b"ut of memory",
    b"RESOURCE_EXHAUSTED",
    b"oom-kill:",
    b"memory limit",
    b"Segmentation fault",
    b"terminate called",
    b"Watchdog caught",
    b"Heartbeat monitor",
    b"watchdog ",
    b"Did not get ",
    b"sending heartbeats",
    b"coordination service",
    b"distributed service",
    b"NET/IB",
    b"Duplicate GPU",
    b"Assertion `",
    b"Memory access fault",
    b"Driver/library",
    b"device handle",
    b"GPU is lost",
    b"NVRM: Xid",
    b"Loss is ",
    b"No space left",
    b"quota exceeded",
    b"can't open file",
    b"Permission denied",
    b"verification failed",
    b"ssh: ",
    b"death signal",
    b"closing signal",
    b"return code =",
    b"terminated with code",
    b"mpirun ",
    b"MPI_ABORT",
    b"SIGUSR",
    b" notice received",
    b"job killed: ",
    b"sending signal ",
    b"TERM_",
)
# What libraries report, advise or suppose, whatever happened.
_PROVES_NOTHING = re.compile(
    rb"NCCL INFO|CUDA_LAUNCH_BLOCKING|TORCH_USE_CUDA_DSA|asynchronously reported|[Pp]lease try|[Pp]ossibly due to"
    rb"|(?:might|may|can) be caused by"
)


def describe(name: str, exit_code: int | None = None) -> str:
    """Return the sentence for people of a cause; the id itself if the catalogue has it no more."""
    if name == EXIT_CODE:
        known = None if exit_code is None else exit_of(exit_code)
        return f"exit code {exit_code}" + (f": {known.sentence}" if known else "")
    return SIGNATURES[name].sentence if name in SIGNATURES else name


def advise(name: str, exit_code: int | None = None) -> str:
    """Return what to try about a cause; empty if nothing is known."""
    if name == EXIT_CODE:
        known = None if exit_code is None else exit_of(exit_code)
        return known.advice if known else ""
    return SIGNATURES[name].advice if name in SIGNATURES else ""


def printed(line: bytes) -> Signature | None:
    """Return the signature of a line that stands by itself; None if it proves nothing."""
    if not any(word in line for word in TRIGGERS) or _PROVES_NOTHING.search(line):
        return None
    return next((item for item in _PRINTED if item.printed(line)), None)


def raised(exception: bytes) -> Signature:
    """Return the signature of the exception that ended a traceback."""
    return next((item for item in _ALL if item.raised(exception)), python.UNKNOWN)
