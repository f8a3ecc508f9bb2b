"""The catalogue of error lines: what each says to people, and how much it says about the cause.

The patterns are those of messages of CUDA, NCCL, PyTorch (distributed and elastic), Slurm, DeepSpeed and the kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from monitor_core.model.records import Role

EXCEPTION = "exception"
PROCESS_GONE = "process_gone"
SLURM_FAILED = "slurm_failed"
# Causes that no line tells: only that the process is gone, or what its scheduler says.
_UNWRITTEN = {
    PROCESS_GONE: "its process is gone without a word in the log",
    SLURM_FAILED: "Slurm says that it failed",
    "slurm_node": "a node of it failed, says Slurm",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """One kind of error line: `sentence` is what people read, `pattern` what the line holds.

    `raised`: it counts only as the exception that ends a traceback; elsewhere such words are warnings and quotations.
    """

    id: str
    role: Role
    sentence: str
    pattern: re.Pattern[bytes]
    raised: bool = False


def _root(name: str, sentence: str, pattern: bytes, *, raised: bool = False) -> Signature:
    return Signature(name, Role.ROOT, sentence, re.compile(pattern), raised)


def _cascade(name: str, sentence: str, pattern: bytes, *, raised: bool = False) -> Signature:
    return Signature(name, Role.CASCADE, sentence, re.compile(pattern), raised)


def _context(name: str, sentence: str, pattern: bytes) -> Signature:
    return Signature(name, Role.CONTEXT, sentence, re.compile(pattern))


# The first that fits a line counts, so the more telling come first.
_ALL = (
    _root(
        "nccl_timeout",
        "a collective operation timed out: a rank did not join it",
        rb"Watchdog caught collective operation timeout|Timed out waiting \d+ms for (?:recv|send) operation",
    ),
    _root(
        "nccl_heartbeat",
        "the NCCL watchdog itself hung",
        rb"Heartbeat monitor timed out",
    ),
    _root(
        "cuda_oom",
        "GPU out of memory",
        rb"(?:CUDA|HIP|NPU) (?:error: )?out of memory|\bOutOfMemoryError\b|CUBLAS_STATUS_ALLOC_FAILED",
    ),
    _root("host_oom", "the host ran out of memory", rb"Out of memory: Kill|oom[_-]kill event|OOM Killed"),
    _root("host_oom", "the host ran out of memory", rb"MemoryError\b|[Cc]annot allocate memory", raised=True),
    _root(
        "disk_full",
        "a disk is full, or its quota used up",
        rb"No space left on device|Disk quota exceeded",
    ),
    _root(
        "write_failed",
        "a checkpoint could not be written (is the disk full?)",
        rb"PytorchStreamWriter failed|basic_ios::clear: iostream error|unexpected pos \d+ vs \d+",
        raised=True,
    ),
    _root(
        "filesystem",
        "a file system failed",
        rb"Stale file handle|Input/output error|Remote I/O error|Transport endpoint is not connected",
        raised=True,
    ),
    _root("segv", "a process crashed in native code", rb"Segmentation fault|exitcode\s*: -11\b|SIGSEGV"),
    _root(
        "shm",
        "shared memory ran out (/dev/shm)",
        rb"insufficient shared memory|exitcode\s*: -7\b|Bus error",
    ),
    _root(
        "dataloader", "a data loader worker died", rb"DataLoader worker \(pid.{0,40}(?:exited unexpectedly|killed by)"
    ),
    _root("cuda_assert", "a GPU kernel failed", rb"device-side assert triggered|illegal memory access"),
    _root(
        "cuda_hardware",
        "a GPU failed",
        rb"uncorrectable (?:NVLink |ECC )+error|unspecified launch failure"
        rb"|CUDA-capable device\(s\) is/are busy|no CUDA-capable device",
        raised=True,
    ),
    _root(
        "nan",
        "the loss or a gradient is not a number",
        rb"Unexpected result (?:nan|inf)|found (?:NaN|Inf) in local|[Nn]on-finite",
        raised=True,
    ),
    _root("slurm_time_limit", "Slurm stopped it at its time limit", rb"CANCELLED (?:AT \S+ )?DUE TO TIME LIMIT"),
    _root(
        "slurm_preempted",
        "Slurm took its nodes away",
        rb"CANCELLED (?:AT \S+ )?DUE TO (?:PREEMPTION|NODE FAIL|JOB REQUEUE)",
    ),
    _cascade("slurm_task", "Slurm ended the other tasks after one failed", rb"CANCELLED (?:AT \S+ )?DUE TO TASK"),
    _root("slurm_cancelled", "somebody cancelled it in Slurm", rb"\*\*\* (?:JOB|STEP) .*CANCELLED AT"),
    _root(
        "stopped_by_signal",
        "the launcher was told to stop",
        rb"Received \d+ death signal|SignalException: Process \d+ got signal|Received Signals\.SIG\w+ death signal",
    ),
    _root("interrupted", "somebody interrupted it from the keyboard", rb"^KeyboardInterrupt\b", raised=True),
    _cascade(
        "peer_lost",
        "the connection to another rank was lost",
        rb"Connection (?:closed by|reset by) peer|remote process exited or there was a network error|ncclRemoteError",
        raised=True,
    ),
    _cascade(
        "nccl_error",
        "an NCCL operation failed",
        rb"NCCL error|ncclSystemError|ncclInternalError|unhandled (?:system|cuda) error",
        raised=True,
    ),
    _root(
        "rendezvous",
        "the ranks did not find each other",
        rb"Rendezvous(?:Connection|Timeout|Closed|State)\w*Error|TCPStore.*[Tt]imed? ?out|client socket has timed out",
        raised=True,
    ),
    _root("port_in_use", "a port is in use, perhaps by a job left over", rb"Address already in use", raised=True),
    _root("import", "a Python module cannot be imported", rb"^(?:ModuleNotFoundError|ImportError)\b", raised=True),
    _root("arguments", "the command line is not understood", rb": error: (?:unrecognized|argument|the following)"),
    _root(
        "checkpoint_mismatch",
        "the checkpoint does not fit the model",
        rb"Error\(s\) in loading state_dict|size mismatch for",
        raised=True,
    ),
    _root("sigkill", "a process was killed (often the host ran out of memory)", rb"exitcode\s*: -9\b"),
    _context("sigterm", "the launcher stopped the other processes", rb"exitcode\s*: -15\b|closing signal SIGTERM"),
    _cascade("child_failed", "a process of the job failed", rb"ChildFailedError", raised=True),
    _cascade("child_failed", "a process of the job failed", rb"failed \(exitcode: -?\d+\)"),
    _cascade("deepspeed_exit", "a process of the job failed", rb"exits with return code = -?[1-9]"),
    _cascade(
        "srun_task", "a Slurm task failed", rb"srun: error: .*\btasks? .*: (?:Exited|Aborted|Killed|Term|Seg|Bus)"
    ),
    _cascade("aborted", "a process aborted", rb"Fatal Python error|terminate called after throwing|exitcode\s*: -6\b"),
    _root(EXCEPTION, "a Python exception", rb"", raised=True),
)
SIGNATURES: Mapping[str, Signature] = MappingProxyType({item.id: item for item in _ALL})
_PRINTED = tuple(item for item in _ALL if not item.raised)
# A line that is no exception is tried on the catalogue only if it holds one of these: few, since each is looked for in
# the whole log. Most of the catalogue's lines have "error" in them.
TRIGGERS = (
    b"error",
    b"exitcode",
    b"Watchdog caught",
    b"Heartbeat monitor",
    b"ut of memory",
    b"Segmentation fault",
    b"death signal",
    b"closing signal SIGTERM",
    b"No space left",
    b"quota exceeded",
    b"return code =",
    b"terminate called",
)
_INFORMATION = (b"NCCL INFO", b"NCCL WARN")
# What libraries advise or suppose, whatever happened.
_ADVICE = re.compile(
    rb"CUDA_LAUNCH_BLOCKING|TORCH_USE_CUDA_DSA|asynchronously reported|[Pp]lease try|[Pp]ossibly due to"
    rb"|(?:might|may|can) be caused by"
)


def describe(name: str) -> str:
    """Return the sentence for people of a signature; the id itself if the catalogue has it no more."""
    return SIGNATURES[name].sentence if name in SIGNATURES else _UNWRITTEN.get(name, name)


def printed(line: bytes) -> Signature | None:
    """Return the signature of a line that stands by itself; None if it proves nothing."""
    if not any(word in line for word in TRIGGERS) or any(word in line for word in _INFORMATION):
        return None
    if _ADVICE.search(line):
        return None
    return next((item for item in _PRINTED if item.pattern.search(line)), None)


def raised(exception: bytes) -> Signature:
    """Return the signature of the exception that ended a traceback."""
    return next(item for item in _ALL if item.pattern.search(exception))
