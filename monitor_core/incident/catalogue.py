"""What each kind of incident means, and the facts that its messages are made of: whoever finds one fills them in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from monitor_core.model.incidents import Kind


@dataclass(frozen=True, slots=True)
class Meaning:
    """When a kind fires, which thresholds decide, what `detail` tells apart, and the facts of its incidents by name."""

    fires: str
    facts: Mapping[str, str]
    thresholds: tuple[str, ...] = ()
    detail: str = ""


# Kinds that have their messages and their life already, and that nothing looks for yet.
UNFOUND = frozenset(
    {
        Kind.COMM_GROUP,
        Kind.GPU_LOST,
        Kind.GPU_IDLE,
        Kind.GPU_SPIN,
        Kind.GPU_THROTTLE,
        Kind.GPU_ECC,
        Kind.GPU_IMBALANCE,
        Kind.GPU_XID,
        Kind.DISK_LOW,
    }
)
_WHERE = {"iteration": "the last iteration", "total": "of how many"}
_SINCE = {"since_iteration": "the first iteration of it", **_WHERE}
_LIMITS = {"limit": "what was passed for a warning", "limit_critical": "what is passed for critical"}
_FACTOR = {"factor": "how many times the usual it is", "worst": "the highest factor so far"}
_NORMS = {"grad_usual": "gradient norm before", "grad_last": "gradient norm now"}
_ENDED = {
    **_WHERE,
    "loss": "the last loss",
    "started_at": "when the launch began",
    "checkpoint": "the newest checkpoint",
    "text": "the line that said it",
    "cause": "id of the error, or exit_code",
    "rank": "which rank said it",
    "failed_on": "the host of that rank",
    "frame": "the line of the user's own code that raised it",
    "exit_code": "how the process ended, or the first of a launcher",
}
_UNSEEN = {"error": "what went wrong", "failures": "failed reads in a row", "answered": "whether it ever answered"}
_NO_LOG = {"error": "what went wrong"}
_GPU = {"gpu": "its index"}
_POWER = {"watts": "power now", "usual_watts": "power before"}
_PER_GPU = "the GPU's index"

MEANINGS: Mapping[Kind, Meaning] = {
    Kind.STUCK: Meaning(
        "No progress line for longer than the phase and the rhythm of the run allow.",
        {
            "phase": "what it was doing",
            "expected": "seconds in which a line was due",
            **_LIMITS,
            **_WHERE,
            "still_written": "whether other lines still come",
            "usual_ms": "usual time per iteration",
        },
        ("stuck", "stuck_critical", "stuck_floor"),
    ),
    Kind.SLOW: Meaning(
        "The time per iteration is lastingly longer than usual for this launch.",
        {
            "how": "sudden, drift, or relaunch: against an earlier launch",
            **_FACTOR,
            "usual_ms": "usual time per iteration",
            "now_ms": "time per iteration now",
            "derived": "whether that is from the times of the lines",
            "lines": "median of how many lines",
            **_LIMITS,
            **_SINCE,
        },
        ("slow", "slow_critical"),
    ),
    Kind.LOSS_NAN: Meaning(
        "The loss is NaN, infinite, or not printed any more, or it is 0 and its gradients are NaN.",
        {
            "value": "nan, inf, missing, zero or gradients",
            "before": "the last loss that was a number",
            **_NORMS,
            "save_interval": "iterations between checkpoints",
            "text": "the first such line",
            **_SINCE,
        },
    ),
    Kind.LOSS_SPIKE: Meaning(
        "Several of the last lines have a loss far above its usual one.",
        {
            **_FACTOR,
            "usual_loss": "loss before",
            "last_loss": "loss now",
            "limit": "the loss above which a line counts",
            "above": "lines above it",
            "lines": "of how many",
            **_NORMS,
            **_SINCE,
        },
        ("loss_spike",),
    ),
    Kind.DIVERGED: Meaning(
        "The smoothed loss has grown for long, has not come back from a spike, or is 10 times the first ones.",
        {
            "why": "growth, spike or first",
            **_FACTOR,
            "best_loss": "its lowest, its usual one before the spike, or the highest of the first 100",
            "last_loss": "loss now",
            "limit": "the factor that was passed",
            **_NORMS,
            **_SINCE,
        },
        ("diverged",),
    ),
    Kind.LOSS_FLAT: Meaning(
        "The loss is the same to the last digit, line after line.",
        {
            "last_loss": "that loss",
            "lines": "on how many lines",
            "limit": "on how many it may be",
            **_NORMS,
            **_SINCE,
        },
        ("loss_flat",),
    ),
    Kind.SKIPPING: Meaning(
        "fp16 skips many iterations, since their gradients overflow, or halves its loss scale again and again.",
        {
            "what": "skipped or scale",
            "share": "share of the iterations that is skipped, 0 to 1",
            "skipped": "iterations skipped",
            "of": "of how many",
            "scale": "loss scale now",
            "scale_before": "loss scale before",
            "limit": "the share that was passed",
            **_SINCE,
        },
        ("skipping",),
    ),
    Kind.FINISHED: Meaning("An end marker after the last iteration, or exit code 0 there.", _ENDED),
    Kind.STOPPED: Meaning(
        "An end that somebody or the scheduler ordered, or exit code 0 before the end.",
        {**_ENDED, "reason": "why, in words"},
    ),
    Kind.FAILED: Meaning("An error, or an exit code other than 0, and no progress after it.", _ENDED),
    Kind.NOT_EXITING: Meaning(
        "The training has ended, and its processes are still there.",
        {"processes": "how many", "pids": "which", "limit": "seconds that they may take", **_WHERE},
        ("not_exiting",),
    ),
    Kind.COMM_GROUP: Meaning(
        "Some ranks of a communication group wait for others, while the run is stuck.",
        {
            "group": "which group",
            "operation": "what they wait in",
            "sequence": "its number in the group",
            "ranks": "ranks of the group",
            "arrived": "ranks that wait",
            "missing": "ranks that do not",
        },
        detail="the group",
    ),
    Kind.FLAPPING: Meaning(
        "A kind of the run has fired and resolved three times within `flapping`.",
        {
            "times": "how often it fired and resolved",
            "worst": "highest factor, or longest time in seconds",
            "limit": "the limit of that kind",
            "calm": "seconds without a change after which it ends",
        },
        ("flapping",),
        "the kind",
    ),
    Kind.LOG_MISSING: Meaning("The host answers, and there is no such log.", _NO_LOG, ("log_missing",)),
    Kind.LOG_UNREADABLE: Meaning("The host answers, and the log cannot be read.", _NO_LOG, ("log_missing",)),
    Kind.UNREACHABLE: Meaning("Three reads of the host in a row have failed.", _UNSEEN, ("unreachable",)),
    Kind.HOST_KEY: Meaning(
        "The host shows another key than the known one.", {**_UNSEEN, "fingerprint": "the key that it shows"}
    ),
    Kind.GPU_LOST: Meaning(
        "A GPU is missing, or its driver gives no answer.",
        {**_GPU, "gpus": "how many there were", "seen": "how many there are", "error": "what the driver says"},
        detail=_PER_GPU,
    ),
    Kind.GPU_IDLE: Meaning(
        "A GPU does nothing while a run on its host trains.",
        {**_GPU, "busy": "share of time, 0 to 1", "limit": "the share that is too little", **_POWER},
        detail=_PER_GPU,
    ),
    Kind.GPU_SPIN: Meaning(
        "A GPU is busy at a fraction of its usual power, while no progress line comes.",
        {**_GPU, "busy": "share of time, 0 to 1", **_POWER},
        detail=_PER_GPU,
    ),
    Kind.GPU_THROTTLE: Meaning(
        "The driver holds the clock of a GPU back.",
        {
            **_GPU,
            "clock_mhz": "clock now",
            "full_mhz": "full clock",
            "reason": "why, in words",
            "celsius": "temperature",
            **_POWER,
        },
        detail=_PER_GPU,
    ),
    Kind.GPU_ECC: Meaning(
        "The memory of a GPU reports errors.",
        {**_GPU, "errors": "how many", "what": "of which sort, in words", "advice": "what to do"},
        detail=_PER_GPU,
    ),
    Kind.GPU_IMBALANCE: Meaning(
        "A GPU works lastingly more or less than the others of its host.",
        {
            **_GPU,
            "what": "what is compared, in a word",
            "unit": "its unit",
            "value": "of this GPU",
            "others": "median of the others",
            "limit": "the share by which it may differ",
            "celsius": "temperature",
        },
        detail=_PER_GPU,
    ),
    Kind.GPU_XID: Meaning(
        "The kernel log tells of an Xid that matters.",
        {
            **_GPU,
            "xid": "its number",
            "meaning": "what it means",
            "text": "the line of the kernel log",
            "advice": "what to do",
        },
        detail="the GPU's index and the number",
    ),
    Kind.DISK_LOW: Meaning(
        "A disk that a run writes to is nearly full.",
        {
            "path": "where it is mounted",
            "free": "bytes free",
            "size": "bytes in all",
            "limit": "the share that should be free",
            "checkpoint_size": "bytes of one checkpoint",
        },
        detail="the path",
    ),
    Kind.BLIND: Meaning("Nobody has looked for longer than `blind`.", {"why": "down or asleep"}, ("blind",)),
    Kind.MONITOR_ERROR: Meaning(
        "trainstatus itself cannot do a part of its work.",
        {"what": "which part", "error": "what went wrong"},
        detail="what it is about",
    ),
    Kind.TEST: Meaning(
        "Somebody has asked for a test alert.", {"by": "who", "what": "that it is a test"}, detail="which test"
    ),
}
