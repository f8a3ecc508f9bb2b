"""One incident of each kind, in one scene, and what a message about it says in plain words."""

from __future__ import annotations

from dataclasses import replace

from monitor_core.incident.scene import Scene
from monitor_core.incident.wording import Sending, message
from monitor_core.model.deliveries import Reason
from monitor_core.model.incidents import (
    KINDS,
    SELF,
    Incident,
    IncidentState,
    Kind,
    Mute,
    Severity,
    Subject,
    SubjectKind,
)
from monitor_core.notify.render import Wording, plain
from monitor_core.units import NBSP

AT = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC
RUN, HOST = Subject(SubjectKind.RUN, "moe-16x3b"), Subject(SubjectKind.HOST, "gpu-07")
SCENE = Scene(
    host="gpu-07",
    address="192.0.2.7",
    owners=(("U012ALICE", 1),),
    iteration=12_400,
    total=50_000,
    loss=2.314012,
    ms=408.0,
    usual_ms=408.0,
    line_at=AT,
    seen_at=AT + 369,
    checkpoint=12_000,
    checkpoint_at=AT - 300,
    tail=(
        "a",
        " [2026-11-24 09:52:35.120000] iteration 12400/50000 | lm loss: 2.314012E+00 |",
        "[rank5] open shard",
        "d",
    ),
)
ON_HOST = Scene(
    host="gpu-07",
    address="192.0.2.7",
    owners=(("U012ALICE", 1),),
    runs=(("moe-16x3b", 12_400, 50_000), ("sft-7b", None, None)),
    others=(11, 11),
)
MUTE = Mute(1, None, None, AT + 3600, "slack:U034BOB", AT + 300, "fan swap")


def incident(kind, severity, facts, **more):
    subject = {SubjectKind.RUN: RUN, SubjectKind.HOST: HOST, SubjectKind.SELF: SELF}[KINDS[kind].subject]
    return Incident(
        subject, kind, severity, IncidentState.FIRING, AT, facts=facts, number=4127, fired_at=AT + 120, **more
    )


WHERE = {"iteration": 12_400, "total": 50_000}
SINCE = {"since_iteration": 12_300, **WHERE}
NORMS = {"grad_usual": 3.1, "grad_last": 41.7}
LINE = "[2026-11-24 09:52:35.120000] iteration 12300/50000 | consumed samples: 1 | x: 2 | lm loss: nan | scale: 1.0"
OUT_OF_MEMORY = "OutOfMemoryError: CUDA out of memory."
SAMPLES = (
    incident(
        Kind.STUCK,
        Severity.CRITICAL,
        {"phase": "training", "expected": 4.08, "limit": 120.0, "still_written": True, "usual_ms": 408.0, **WHERE},
    ),
    incident(
        Kind.SLOW,
        Severity.WARNING,
        {"factor": 1.62, "worst": 1.7, "usual_ms": 408.0, "now_ms": 661.0, "lines": 20, "limit": 1.1, **SINCE},
    ),
    incident(
        Kind.LOSS_NAN,
        Severity.CRITICAL,
        {"value": "nan", "before": 2.314, **NORMS, "save_interval": 500, "text": LINE, **SINCE},
    ),
    incident(
        Kind.LOSS_SPIKE,
        Severity.WARNING,
        {
            "factor": 1.77,
            "worst": 2.31,
            "usual_loss": 2.314,
            "last_loss": 4.102,
            "limit": 2.631,
            "above": 6,
            "lines": 10,
            **NORMS,
            **SINCE,
        },
    ),
    incident(
        Kind.DIVERGED,
        Severity.CRITICAL,
        {
            "why": "growth",
            "factor": 1.44,
            "worst": 1.44,
            "best_loss": 2.114,
            "last_loss": 3.041,
            "limit": 1.3,
            **NORMS,
            **SINCE,
        },
    ),
    incident(Kind.LOSS_FLAT, Severity.WARNING, {"last_loss": 6.908, "lines": 50, "limit": 50, **NORMS, **SINCE}),
    incident(
        Kind.SKIPPING,
        Severity.WARNING,
        {"what": "skipped", "share": 0.26, "skipped": 13, "of": 50, "limit": 0.2, **SINCE},
    ),
    incident(
        Kind.FINISHED, Severity.INFO, {"iteration": 50_000, "total": 50_000, "started_at": AT - 33_240, "text": ""}
    ),
    incident(
        Kind.STOPPED,
        Severity.WARNING,
        {
            **WHERE,
            "started_at": AT - 600,
            "text": "exiting program after receiving SIGTERM.",
            "reason": "it received SIGTERM",
        },
    ),
    incident(
        Kind.FAILED,
        Severity.CRITICAL,
        {
            **WHERE,
            "cause": "cuda_oom",
            "text": OUT_OF_MEMORY,
            "rank": "3",
            "failed_on": "gpu-08",
            "frame": "train.py:88 in step",
            "exit_code": 1,
        },
    ),
    incident(Kind.NOT_EXITING, Severity.WARNING, {"processes": 8, "pids": "88213 to 88220", "limit": 600.0}),
    incident(
        Kind.COMM_GROUP,
        Severity.CRITICAL,
        {
            "group": "dp, 8 ranks",
            "operation": "ALLREDUCE",
            "sequence": 48_122,
            "ranks": 8,
            "arrived": 7,
            "missing": "3",
        },
    ),
    incident(
        Kind.FLAPPING,
        Severity.WARNING,
        {"times": 7, "worst": 1.31, "limit": 1.1, "calm": 1200.0},
        detail=str(Kind.SLOW),
    ),
    incident(Kind.LOG_MISSING, Severity.WARNING, {"error": "no file matches /data/*.log"}),
    incident(
        Kind.LOG_UNREADABLE, Severity.WARNING, {"error": "/data/train.log may not be read by the account that we use"}
    ),
    incident(
        Kind.UNREACHABLE,
        Severity.WARNING,
        {"error": "no answer from 192.0.2.7:22 within 10 s", "failures": 4, "answered": True},
    ),
    incident(
        Kind.HOST_KEY,
        Severity.CRITICAL,
        {
            "error": "gpu-07 shows the host key ssh-ed25519 SHA256:abc, but known is another. Nothing was read."
            " Somebody may be in between.",
            "fingerprint": "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
            "failures": 1,
            "answered": True,
        },
    ),
    incident(
        Kind.GPU_LOST,
        Severity.CRITICAL,
        {"gpu": 3, "gpus": 8, "seen": 7, "error": "Unable to determine the device handle for GPU 3"},
        detail="3",
    ),
    incident(
        Kind.GPU_IDLE,
        Severity.WARNING,
        {"gpu": 3, "busy": 0.02, "limit": 0.05, "watts": 61.0, "usual_watts": 690.0},
        detail="3",
    ),
    incident(
        Kind.GPU_SPIN, Severity.CRITICAL, {"gpu": 3, "busy": 1.0, "watts": 266.0, "usual_watts": 690.0}, detail="3"
    ),
    incident(
        Kind.GPU_THROTTLE,
        Severity.CRITICAL,
        {
            "gpu": 3,
            "clock_mhz": 1215,
            "full_mhz": 1980,
            "reason": "hardware thermal slowdown",
            "celsius": 91,
            "watts": 412.0,
            "usual_watts": 690.0,
        },
        detail="3",
    ),
    incident(
        Kind.GPU_ECC,
        Severity.CRITICAL,
        {
            "gpu": 3,
            "errors": 2,
            "what": "uncorrected errors (ECC)",
            "advice": "drain the host and reset the GPU",
        },
        detail="3",
    ),
    incident(
        Kind.GPU_IMBALANCE,
        Severity.WARNING,
        {"gpu": 3, "what": "power", "unit": "W", "value": 412.0, "others": 690.0, "limit": 0.2, "celsius": 91},
        detail="3",
    ),
    incident(
        Kind.GPU_XID,
        Severity.CRITICAL,
        {
            "gpu": 3,
            "xid": 79,
            "meaning": "the GPU has fallen off the bus",
            "text": "NVRM: Xid (PCI:0000:10:1c): 79, pid=1896, GPU has fallen off the bus.",
            "advice": "drain the host, then power it off and on",
        },
        detail="3 79",
    ),
    incident(
        Kind.DISK_LOW,
        Severity.WARNING,
        {"path": "/ckpt", "free": 82e9, "size": 2e12, "limit": 0.05, "checkpoint_size": 41e9},
        detail="/ckpt",
    ),
    replace(incident(Kind.BLIND, Severity.WARNING, {"why": "down"}), state=IncidentState.RESOLVED, ends_at=AT + 2040),
    incident(Kind.MONITOR_ERROR, Severity.WARNING, {"what": "Slack takes no messages", "error": "invalid_auth"}),
    replace(
        incident(Kind.TEST, Severity.INFO, {"by": "alice", "what": "a test, asked for by alice"}),
        state=IncidentState.RESOLVED,
        ends_at=AT,
    ),
)
BY_KIND = {sample.kind: sample for sample in SAMPLES}
STUCK, SLOW, FINISHED, STOPPED = (BY_KIND[kind] for kind in (Kind.STUCK, Kind.SLOW, Kind.FINISHED, Kind.STOPPED))
UNREACHABLE, FLAPPING, BLIND = (BY_KIND[kind] for kind in (Kind.UNREACHABLE, Kind.FLAPPING, Kind.BLIND))
PASSED = (
    replace(
        incident(Kind.STUCK, Severity.WARNING, {}),
        subject=Subject(SubjectKind.RUN, "long-ctx-7b"),
        state=IncidentState.RESOLVED,
        starts_at=AT + 660,
        fired_at=AT + 780,
        ends_at=AT + 910,
    ),
    replace(
        incident(Kind.FINISHED, Severity.INFO, {}),
        subject=Subject(SubjectKind.RUN, "dpo-3b"),
        fired_at=AT + 180,
        told_for=1900.0,
    ),
)
WENT_BY = Scene(
    fine=10,
    passed=PASSED,
    unseen=(("gpu-12 does not answer", 3), ("data-prep-2: its log cannot be read", 1)),
    prefix="/trainstatus",
)


def say(text):
    return plain(Wording().pieces(text)).replace(NBSP, " ").replace(" (Tue 24 Nov)", "")


def made(of, scene=SCENE, now=AT + 372, reason=Reason.FIRING, **sending):
    return message(of, scene, Sending(now, reason, now, **sending))


def resolved(of, after=3215.0, **facts):
    return replace(of, state=IncidentState.RESOLVED, ends_at=AT + after, facts={**of.facts, **facts})


def acknowledged(of):
    return replace(of, acknowledged_by="slack:U034BOB", acknowledged_at=AT + 300)


def muted(of):
    return replace(of, muted=MUTE.number)


def scene_of(of):
    scene = {HOST: ON_HOST, SELF: WENT_BY}.get(of.subject, SCENE)
    scene = replace(scene, mute=MUTE) if of.muted else scene
    return replace(scene, line_at=of.ends_at) if of.over else scene


STATES = {"firing": lambda of: of, "acknowledged": acknowledged, "muted": muted, "resolved": resolved}
# What is told once has no resolve, and what is over when it is told can neither be taken nor muted.
LIVES = [
    (sample.kind, state)
    for sample in SAMPLES
    for state in STATES
    if not (KINDS[sample.kind].once and state == "resolved") and (sample.active or state == "firing")
]


def told(of, scene=None):
    """Return all that a message says, in the order in which it is read."""
    shown = made(of, scene or scene_of(of))
    facts = [f"{fact.label}: {say(fact.value)}" for fact in (*shown.members, *shown.facts)]
    hint = [f"Hint: {shown.hint}"] if shown.hint else []
    return [shown.headline.replace(NBSP, " "), say(shown.sentence), *facts, *shown.excerpt, *hint]


def around(of):
    """Return what names an alert by itself: the push text, the subject of the mail, the last line."""
    shown = made(of, scene_of(of))
    return [say(shown.fallback), shown.subject, say(shown.context)]
