"""One incident of each kind, in one scene, and what a message about it says in plain words."""

from __future__ import annotations

from dataclasses import replace

from monitor_core.incident.scene import Scene
from monitor_core.incident.wording import Sending, message
from monitor_core.model.incidents import (
    SELF,
    Incident,
    IncidentState,
    Kind,
    Reason,
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
    owner="U012ALICE",
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
ON_HOST = replace(SCENE, runs=(("moe-16x3b", 12_400, 50_000), ("sft-7b", None, None)), owner="")


def incident(kind, severity, facts, subject=RUN, **more):
    return Incident(
        subject, kind, severity, IncidentState.FIRING, AT, facts=facts, number=4127, fired_at=AT + 120, **more
    )


WHERE = {"iteration": 12_400, "total": 50_000}
STUCK = incident(
    Kind.STUCK,
    Severity.CRITICAL,
    {"phase": "training", "expected": 4.08, "limit": 120.0, "still_written": True, **WHERE},
)
SLOW = incident(
    Kind.SLOW,
    Severity.WARNING,
    {
        "factor": 1.62,
        "worst": 1.7,
        "usual_ms": 408.0,
        "now_ms": 661.0,
        "limit": 1.1,
        "since_iteration": 12_300,
        **WHERE,
    },
)
FINISHED = incident(
    Kind.FINISHED, Severity.INFO, {"iteration": 50_000, "total": 50_000, "started_at": AT - 33_240, "text": ""}
)
STOPPED = incident(
    Kind.STOPPED,
    Severity.WARNING,
    {**WHERE, "started_at": AT - 600, "text": "exiting program after receiving SIGTERM."},
)
FAILED = incident(
    Kind.FAILED,
    Severity.CRITICAL,
    {**WHERE, "cause": "cuda_oom", "text": "OutOfMemoryError: CUDA out of memory.", "rank": "3"},
)
UNREACHABLE = incident(Kind.UNREACHABLE, Severity.WARNING, {"error": "timed out", "failures": 4}, HOST)
HOST_KEY = incident(Kind.HOST_KEY, Severity.CRITICAL, {"error": "The key is SHA256:abc.", "failures": 1}, HOST)
MISSING = incident(Kind.LOG_MISSING, Severity.WARNING, {"error": "No file matches /data/*.log."})
UNREADABLE = incident(Kind.LOG_UNREADABLE, Severity.WARNING, {"error": "Permission denied: /data/train.log."})
ERROR = incident(
    Kind.MONITOR_ERROR, Severity.WARNING, {"what": "Slack takes no messages", "error": "invalid_auth"}, SELF
)


TEST = replace(
    incident(Kind.TEST, Severity.INFO, {"by": "alice", "what": "a test, asked for by alice"}, SELF),
    state=IncidentState.RESOLVED,
    ends_at=AT,
)


def say(text):
    return plain(Wording().pieces(text)).replace(NBSP, " ").replace(" (Tue 24 Nov)", "")


def made(of, scene=SCENE, now=AT + 372, reason=Reason.FIRING, **sending):
    return message(of, scene, Sending(now, reason, now, **sending))


def resolved(of, after=3215.0, **facts):
    return replace(of, state=IncidentState.RESOLVED, ends_at=AT + after, facts={**of.facts, **facts})


def scene_of(of):
    scene = {HOST: ON_HOST, SELF: Scene()}.get(of.subject, SCENE)
    return scene if of.active else replace(scene, line_at=of.ends_at)


def told(of, scene=None):
    """Return all that a message says, in the order in which it is read."""
    shown = made(of, scene or scene_of(of))
    facts = [f"{fact.label}: {say(fact.value)}" for fact in shown.facts]
    return [shown.headline.replace(NBSP, " "), say(shown.sentence), *facts, *shown.excerpt]


BY_NAME = {
    "STUCK": STUCK,
    "SLOW": SLOW,
    "FINISHED": FINISHED,
    "STOPPED": STOPPED,
    "FAILED": FAILED,
    "UNREACHABLE": UNREACHABLE,
    "HOST_KEY": HOST_KEY,
    "MISSING": MISSING,
    "UNREADABLE": UNREADABLE,
    "ERROR": ERROR,
    "TEST": TEST,
}
