"""Sample messages: one of each look, as the monitor would build them; the numbers of an incident agree."""

from __future__ import annotations

from dataclasses import replace

from monitor_core.model.message import Action, Fact, Look, Message, Person, Strong, Time, TimeStyle

ALICE = Person("U012ALICE", mention=True)
BOB = Person("U034BOB", mention=True)
CAROL = Person("carol")

ONSET = 1795513955  # 09:52:35 UTC, Tue 24 Nov
RESUMED = 1795517170  # 10:46:10 UTC
SILENT_SINCE = Time(ONSET)
NEXT_DAY = 1795571100  # 01:45 UTC, Wed 25 Nov


def minute(epoch: float) -> Time:
    return Time(epoch, TimeStyle.MINUTES)


OFFERED_WHILE_FIRING = (Action.ACKNOWLEDGE, Action.MUTE_1H)

STUCK = Message(
    incident=4127,
    run="moe-16x3b",
    look=Look.CRITICAL,
    headline="moe-16x3b STUCK 6m 12s · critical",
    sentence=(
        Strong(("No new line since ", SILENT_SINCE)),
        " on gpu-07. One was due every 41\u00a0s; the limit is 6m.",
    ),
    fallback=(
        "Critical: moe-16x3b STUCK 6m 12s on gpu-07. No new line since ",
        SILENT_SINCE,
        ", iteration 12,400 / 50,000 (24.8%). Owner ",
        BOB,
        ".",
    ),
    subject="moe-16x3b STUCK on gpu-07 (incident 4127)",
    state="firing",
    severity="critical",
    facts=(
        Fact("Iteration", ("12,400 / 50,000 (24.8%)",)),
        Fact("Loss", ("2.314, falling until then",)),
        Fact("ETA", (minute(1795529340), " → ", minute(1795529700), " (+6m and growing)")),
        Fact("Owner", (BOB,), person=True),
    ),
    excerpt_title="Log: still written, but no progress line",
    excerpt=(
        "09:52:35 iteration 12400/50000 | … | lm loss: 2.314012E+00",
        "09:52:51 [rank5] open <shard 0812> …?key=[redacted]&retry=3",
        "09:57:51 [rank0] watchdog: ALLREDUCE … running for 301 s",
    ),
    actions=OFFERED_WHILE_FIRING,
    context=("Incident 4127 · seen 4\u00a0s ago · /trainstatus why 4127",),
    commands=(
        ("Acknowledge", "trainstatus ack 4127"),
        ("Mute", "trainstatus mute moe-16x3b 1h"),
    ),
)

LATE_STUCK = replace(
    STUCK,
    headline="moe-16x3b STUCK 47m · critical",
    late=(
        Strong(("Sent 41m late",)),
        ": Slack did not answer from ",
        minute(1795514280),
        " to ",
        minute(1795516740),
        ". (May be a repeat.)",
    ),
    repeat=True,
)

ESCALATED_STUCK = replace(
    STUCK,
    headline="moe-16x3b STUCK 12m · critical",
    note=("Critical now: no new line for 12m, the limit is 10m.",),
    first=False,
)

ACKNOWLEDGED_STUCK = replace(
    STUCK,
    look=Look.ACKNOWLEDGED,
    headline="moe-16x3b STUCK 38m · critical",
    sentence=(Strong(("Acknowledged by ", ALICE, " at ", minute(1795516260))), ", 32m after the alert."),
    fallback=("Acknowledged by ", ALICE, ": moe-16x3b STUCK 38m on gpu-07, critical. No new line since ", SILENT_SINCE),
    state="acknowledged",
    facts=(
        Fact("Silent", ("since ", SILENT_SINCE, " on gpu-07")),
        Fact("Iteration", ("12,400 / 50,000 (24.8%)",)),
        Fact("Owner", (BOB,), person=True),
    ),
    excerpt_title="",
    excerpt=(),
    actions=(Action.UNACKNOWLEDGE, Action.MUTE_1H),
    first=False,
    commands=(("Unacknowledge", "trainstatus unack 4127"), ("Mute", "trainstatus mute moe-16x3b 1h")),
)

MUTED_STUCK = replace(
    STUCK,
    look=Look.MUTED,
    headline="moe-16x3b STUCK 17m · critical",
    sentence=(
        Strong(("Muted by ", BOB, " until ", minute(1795518600))),
        ": waiting for the storage team. Still watched; one message at the end if it is still wrong.",
    ),
    fallback=("Muted by ", BOB, " until ", minute(1795518600), ": moe-16x3b STUCK 17m on gpu-07, critical."),
    state="muted",
    facts=ACKNOWLEDGED_STUCK.facts,
    excerpt_title="",
    excerpt=(),
    actions=(Action.UNMUTE, Action.ACKNOWLEDGE),
    first=False,
    commands=(("Unmute", "trainstatus unmute moe-16x3b"), ("Acknowledge", "trainstatus ack 4127")),
)

RESOLVED_STUCK = replace(
    STUCK,
    look=Look.RESOLVED,
    headline="moe-16x3b resolved · STUCK 53m",
    sentence=(
        Strong(("New lines again since ", Time(RESUMED))),
        ": resumed on gpu-07 from the checkpoint at iteration 12,000.",
    ),
    fallback=("Resolved: moe-16x3b was STUCK 53m 35s on gpu-07. Resumed at iteration 12,000, 400 iterations redone.",),
    state="resolved",
    facts=(
        Fact("Silent", (SILENT_SINCE, " to ", Time(RESUMED), " (53m 35s)")),
        Fact("Redone", ("400\u00a0iterations",)),
        Fact("ETA", (minute(1795529340), " → ", minute(1795532700), " (+56m)")),
        Fact("Acknowledged", ("by ", ALICE, " at ", minute(1795516260)), person=True),
    ),
    excerpt_title="",
    excerpt=(),
    note=("Resolved after 53m 35s: resumed at iteration 12,000, 400 iterations redone.",),
    actions=(),
    context=("Incident 4127 · was critical · /trainstatus why 4127",),
    first=False,
    commands=(),
)

SLOW = Message(
    incident=4131,
    run="dense-13b",
    look=Look.WARNING,
    headline="dense-13b SLOW 1.62x · warning",
    sentence=(
        Strong(("Takes 1.62x as long since iteration 12,400",)),
        " (",
        Time(1795513265),
        ") on gpu-03: 0.408 → 0.661\u00a0s per iteration. The limit is 1.10x.",
    ),
    fallback=(
        "Warning: dense-13b SLOW 1.62x on gpu-03 since iteration 12,400 (",
        Time(1795513265),
        "): 0.408 to 0.661 s per iteration.",
    ),
    subject="dense-13b SLOW on gpu-03 (incident 4131)",
    state="firing",
    severity="warning",
    facts=(
        Fact("Iteration", ("13,100 / 40,000 (32.8%)",)),
        Fact("Loss", ("2.108, still falling",)),
        Fact("ETA", (minute(1795524480), " → ", minute(NEXT_DAY), " (+12h) if it stays")),
        Fact("Owner", (CAROL,), person=True),
    ),
    actions=OFFERED_WHILE_FIRING,
    context=("Incident 4131 · seen 9\u00a0s ago · /trainstatus why 4131",),
    commands=(
        ("Acknowledge", "trainstatus ack 4131"),
        ("Mute", "trainstatus mute dense-13b 1h"),
    ),
)

FINISHED = Message(
    incident=4132,
    run="sft-7b",
    look=Look.FINISHED,
    headline="sft-7b FINISHED in 9h 14m",
    sentence=(
        Strong(("3,000 / 3,000\u00a0iterations, ended ", minute(1795512660))),
        " on gpu-04: end marker seen.",
    ),
    fallback=(
        "Finished: sft-7b, 3,000 / 3,000 iterations in 9h 14m, loss 0.842. Started ",
        minute(1795479420),
        ", ended ",
        minute(1795512660),
        ".",
    ),
    subject="sft-7b FINISHED on gpu-04 (incident 4132)",
    state="finished",
    severity="info",
    facts=(
        Fact("Loss", ("0.842",)),
        Fact("Speed", ("11.1\u00a0s per iteration",)),
        Fact("Checkpoint", ("3,000 at ", minute(1795512600))),
        Fact("Owner", (CAROL,), person=True),
    ),
    context=("Incident 4132 · /trainstatus why 4132",),
)

FAILED = Message(
    incident=4133,
    run="code-1b",
    look=Look.CRITICAL,
    headline="code-1b FAILED · critical",
    sentence=(
        Strong(("GPU out of memory on rank 3",)),
        " (gpu-11) at ",
        Time(1795514861),
        ". No progress came after it.",
    ),
    fallback=(
        "Critical: code-1b FAILED at iteration 8,230 on gpu-11: GPU out of memory on rank 3 at ",
        Time(1795514861),
        ". Last checkpoint 8,000. Owner ",
        BOB,
        ".",
    ),
    subject="code-1b FAILED on gpu-11 (incident 4133)",
    state="firing",
    severity="critical",
    facts=(
        Fact("Iteration", ("8,230 / 10,000 (82.3%)",)),
        Fact("Checkpoint", ("8,000 at ", Time(1795514662))),
        Fact("To redo", ("230\u00a0iterations (3m 20s)",)),
        Fact("Owner", (BOB,), person=True),
    ),
    excerpt_title="Log: the first error",
    excerpt=("[rank3] OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has 79.1 GiB",),
    hint="memory grew 71 → 79\u00a0GB since iteration 7,600: try a smaller micro-batch",
    actions=OFFERED_WHILE_FIRING,
    context=("Incident 4133 · seen 6\u00a0s ago · /trainstatus why 4133",),
    commands=(("Acknowledge", "trainstatus ack 4133"),),
)

UNREACHABLE = Message(
    incident=4134,
    run="gpu-12",
    look=Look.UNKNOWN,
    headline="gpu-12 UNREACHABLE 3m · warning",
    sentence=(
        Strong(("SSH timed out 4 times; last answer ", Time(1795515151))),
        " from gpu-12 (192.0.2.22). Its 6\u00a0runs are ",
        Strong(("unknown",)),
        ", not stuck: I cannot see their logs.",
    ),
    fallback=(
        "Warning: gpu-12 UNREACHABLE 3m 10s, last answer ",
        Time(1795515151),
        ". Its 6 runs are unknown, not stuck: ablate-lr1 to ablate-lr6.",
    ),
    subject="gpu-12 UNREACHABLE (incident 4134)",
    state="firing",
    severity="warning",
    facts=(
        Fact("Other hosts", ("11 of 11 answer: it is gpu-12 or its network",)),
        Fact("Owner", (CAROL, " (6\u00a0runs)"), person=True),
    ),
    actions=OFFERED_WHILE_FIRING,
    context=("Incident 4134 · holds the alerts of its 6\u00a0runs · /trainstatus why 4134",),
    commands=(
        ("Acknowledge", "trainstatus ack 4134"),
        ("Mute", "trainstatus mute gpu-12 1h"),
    ),
)

ALL = {
    "stuck": STUCK,
    "late": LATE_STUCK,
    "escalated": ESCALATED_STUCK,
    "acknowledged": ACKNOWLEDGED_STUCK,
    "muted": MUTED_STUCK,
    "resolved": RESOLVED_STUCK,
    "slow": SLOW,
    "finished": FINISHED,
    "failed": FAILED,
    "unreachable": UNREACHABLE,
}
