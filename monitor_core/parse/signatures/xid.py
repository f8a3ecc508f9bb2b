"""What the driver of NVIDIA's GPUs says in the kernel log: Xid numbers, how bad they are, and what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from monitor_core.parse.signatures.signature import Evidence, Signature, context, root

_XID = rb"NVRM: Xid \(PCI:[0-9a-fA-F:.]{1,20}\): "


class XidClass(StrEnum):
    """Whom an Xid concerns: the program, the hardware, work that stopped, or nobody yet."""

    APP = "app"
    HARDWARE = "hardware"
    STOPPED = "stopped"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Xid:
    """One number: `meaning` and `action` begin in lower case and have no full stop."""

    number: int
    kind: XidClass
    meaning: str
    action: str


_LOOK = (
    "look at the program first: mostly it reads or writes where it must not; examine the GPU if other runs see it too"
)
_DRAIN = "take the host out of use and reset the GPU; have it examined if it comes again"
_RESET = "start the run again; reset the GPU if it comes again"
_NVLINK = "reset the GPUs of that host; have the link examined if it comes again"
_ALL = (
    Xid(8, XidClass.STOPPED, "the GPU stopped processing", _RESET),
    Xid(13, XidClass.APP, "an exception of the graphics engine", _LOOK),
    Xid(31, XidClass.APP, "a page fault of GPU memory", _LOOK),
    Xid(43, XidClass.APP, "a channel of the GPU was stopped by an error of the program", _LOOK),
    Xid(
        45,
        XidClass.INFO,
        "the work of a process was removed from the GPU, as happens when it ends",
        "look at what came before",
    ),
    Xid(46, XidClass.STOPPED, "the GPU stopped processing", _RESET),
    Xid(48, XidClass.HARDWARE, "a double-bit ECC error", _DRAIN),
    Xid(61, XidClass.STOPPED, "the microcontroller of the GPU stopped", _DRAIN),
    Xid(62, XidClass.STOPPED, "the microcontroller of the GPU halted", _DRAIN),
    Xid(63, XidClass.INFO, "a memory row is to be remapped", "reset the GPU at the next opportunity"),
    Xid(64, XidClass.HARDWARE, "a memory row could not be remapped", _DRAIN),
    Xid(74, XidClass.HARDWARE, "an NVLink error", _NVLINK),
    Xid(
        79,
        XidClass.HARDWARE,
        "the GPU has fallen off the bus",
        "take the host out of use and restart it; look at power and cooling",
    ),
    Xid(92, XidClass.HARDWARE, "many single-bit ECC errors", _DRAIN),
    Xid(94, XidClass.HARDWARE, "a contained memory error: it ends only the program that met it", _RESET),
    Xid(95, XidClass.HARDWARE, "an uncontained memory error", _DRAIN),
    Xid(109, XidClass.STOPPED, "a context switch timed out", _RESET),
    Xid(119, XidClass.HARDWARE, "the GPU's system processor (GSP) gives no answer", _DRAIN),
    Xid(120, XidClass.HARDWARE, "an error of the GPU's system processor (GSP)", _DRAIN),
    Xid(140, XidClass.HARDWARE, "an ECC error that could not be recovered", _DRAIN),
    *(Xid(number, XidClass.HARDWARE, "an NVLink error", _NVLINK) for number in range(143, 150)),
    Xid(
        154,
        XidClass.HARDWARE,
        "the driver asks for a recovery action",
        "do what the line says: reset the GPU or restart the host",
    ),
)
XIDS: Mapping[int, Xid] = MappingProxyType({xid.number: xid for xid in _ALL})


def _pattern(*kinds: XidClass) -> bytes:
    numbers = "|".join(str(xid.number) for xid in _ALL if xid.kind in kinds)
    return _XID + f"(?:{numbers})\\b".encode()


SIGNATURES: tuple[Signature, ...] = (
    root(
        "xid_hardware",
        "the driver reports a fault of a GPU (Xid)",
        _DRAIN,
        "[2051234.123456] NVRM: Xid (PCI:0000:10:1c): 79, pid=1896, name=python, GPU has fallen off the bus.",
        line=_pattern(XidClass.HARDWARE, XidClass.STOPPED),
    ),
    root(
        "xid_app",
        "the driver stopped the program's work on a GPU (Xid)",
        _LOOK,
        "NVRM: Xid (PCI:0000:10:1c): 31, pid=1896, name=python, Ch 00000008, MMU Fault",
        line=_pattern(XidClass.APP),
        evidence=Evidence.ENDED,
    ),
    context(
        "xid_info",
        "the driver reports something of a GPU that need not end a run (Xid)",
        "NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, name=python, Row Remapper: New row marked for remapping",
        line=rb"NVRM: Xid \(PCI:",
    ),
)
