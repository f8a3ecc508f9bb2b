"""What is generated: healthy trainings of all sorts, and faults of all sizes. Fixed before the detectors were tuned."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from monitor_core.model.incidents import Kind
from tests.bench.noise import PROFILES
from tests.bench.streams import Fault, Pauses, Training

_USUAL = Training()
_UNMARKED = tuple(replace(pauses, marked=False) for pauses in _USUAL.pauses)
_TIMED = tuple(replace(pauses, timed=True) for pauses in _UNMARKED)
_OFTEN = (Pauses("save", 60, 300.0), Pauses("evaluation", 60, 400.0))
_ENDING = frozenset({Kind.STOPPED})


@dataclass(frozen=True)
class Condition:
    """Healthy trainings of one sort. `right` are kinds that may be told, since they are true."""

    name: str
    training: Training
    profiles: tuple[str, ...] = PROFILES
    right: frozenset[Kind] = field(default=frozenset())


CONDITIONS = (
    Condition("a line for each iteration of 40 s", _USUAL),
    Condition("a line for 10 iterations of 6 s", replace(_USUAL, seconds=6.0, log_interval=10)),
    Condition("a line for 100 iterations of 1.2 s", replace(_USUAL, seconds=1.2, log_interval=100)),
    Condition("rough noise alone, a line each 20 s", replace(_USUAL, seconds=20.0), ("rough",)),
    Condition("a marked save of 5 min and evaluation of 7 min in 60 lines", replace(_USUAL, pauses=_OFTEN)),
    Condition("unmarked pauses, not in the printed time", replace(_USUAL, pauses=_UNMARKED)),
    Condition("unmarked pauses in the printed time, no settings printed", replace(_USUAL, pauses=_TIMED, dump=False)),
    Condition(
        "neither timestamps nor settings", replace(_USUAL, seconds=60.0, stamps=False, dump=False, pauses=_UNMARKED)
    ),
    Condition("written in blocks of 8 KiB", replace(_USUAL, block=8192)),
    Condition("the batch grows to eight times its size", replace(_USUAL, seconds=15.0, ramp=150)),
    Condition("ended and resumed each few hours", replace(_USUAL, launch=500), right=_ENDING),
    Condition("a clock in another zone and 8 min ahead", replace(_USUAL, skew=-7 * 3600 + 480.0)),
)


@dataclass(frozen=True)
class Gate:
    """What was asked of a fault, in the noise of `profiles`: in how many cases at least it is told, and how soon.

    `within`: told later than so many lines it counts as missed. `median` and `p95` are delays in lines. `late` are the
    seconds after its moment by which it is told at the latest: the limit of a silence, otherwise the first line that
    shows it. `cause`: the share in which the root cause is right. `never`: it must not be told at all.
    """

    share: float = 0.0
    within: int | None = None
    median: int | None = None
    p95: int | None = None
    late: float | None = None
    cause: float | None = None
    never: bool = False
    profiles: tuple[str, ...] = PROFILES


@dataclass(frozen=True)
class Case:
    """A fault, in what training it happens, for how many lines the log goes on after it, and what was asked."""

    name: str
    fault: Fault
    gate: Gate | None = None
    training: Training = _USUAL
    afterwards: int = 100


_TRACEBACK = """\
[rank5]: Traceback (most recent call last):
[rank5]:   File "/src/train.py", line 212, in <module>
[rank5]:     main()
[rank5]:   File "/src/train.py", line 187, in main
[rank5]:     loss = train_step(batch)
[rank5]: {error}
[default0]:[rank0]:[E1124 watchdog.cpp:616] [Rank 0] Watchdog caught collective operation timeout: \
WorkNCCL(SeqNum=1812, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600007 milliseconds
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
  rank      : 5 (local_rank: 5)
  exitcode  : 1 (pid: 4712)"""
_LONG = 150
# A look each minute, and the trip.
_LOOK = 61.0
_ERRORS = {
    "cuda_oom": "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 5 has a total capacity of"
    " 79.15 GiB of which 1.17 GiB is free.",
    "cuda_hardware": "RuntimeError: CUDA error: uncorrectable ECC error encountered",
    "filesystem": "OSError: [Errno 116] Stale file handle",
    "disk_full": "OSError: [Errno 28] No space left on device",
    "key": "KeyError: 'input_ids'",
}

_SUSTAINED = Gate(share=0.99, median=10, p95=20)
_AT_ONCE = Gate(share=1.0, late=_LOOK)

CASES = (
    Case(
        f"slow 1.1 x, {_LONG} lines",
        Fault("slow", _LONG, slower=1.1),
        Gate(share=0.95, median=20, profiles=("quiet", "usual")),
    ),
    Case(f"slow 1.2 x, {_LONG} lines", Fault("slow", _LONG, slower=1.2), _SUSTAINED),
    Case(f"slow 1.5 x, {_LONG} lines", Fault("slow", _LONG, slower=1.5), Gate(share=0.99, median=10)),
    Case(f"slow 2 x, {_LONG} lines", Fault("slow", _LONG, slower=2.0), Gate(share=0.99, median=10)),
    Case(
        f"slow 1.2 x, {_LONG} lines of 10 iterations",
        Fault("slow", _LONG, slower=1.2),
        _SUSTAINED,
        replace(_USUAL, seconds=6.0, log_interval=10),
    ),
    Case("slow 1.5 x, 20 lines", Fault("slow", 20, slower=1.5), Gate(share=0.95)),
    # A third of the way to 1.3 is left at 1.2.
    Case(
        "drift to 1.3 x in 2,000 lines, told before 1.2 x",
        Fault("slow", slower=1.3, creeps=2000),
        Gate(share=0.99, within=1333),
        afterwards=1500,
    ),
    Case("hang of 4 h", Fault("stuck", stops=4 * 3600.0), _AT_ONCE, afterwards=0),
    Case("hang of 30 min", Fault("stuck", 1, stops=1800.0), _AT_ONCE),
    Case("NaN, the field left out", Fault("loss_nan", nan="left out"), _AT_ONCE, afterwards=10),
    Case("NaN, printed", Fault("loss_nan", nan="nan"), _AT_ONCE, afterwards=10),
    Case("loss 2 x in one line", Fault("loss_spike", 1, loss=2.0), Gate(never=True)),
    Case("loss 2 x in 5 of 10 lines", Fault("loss_spike", 10, loss=2.0, share=0.5), Gate(share=0.99)),
    Case(
        "loss grows by 1 % of itself each line", Fault("diverged", grows=0.01, beside=("loss_spike",)), afterwards=400
    ),
    *(
        Case(
            f"crash: {cause}",
            Fault("failed", ends=_TRACEBACK.format(error=error), cause=cause),
            Gate(share=1.0, cause=0.9),
            afterwards=0,
        )
        for cause, error in _ERRORS.items()
    ),
)
