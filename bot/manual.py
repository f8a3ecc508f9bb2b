"""How each command is written, and what it does: the help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

COMMAND = "/trainstatus"


@dataclass(frozen=True, slots=True)
class Help:
    """How one command is written, what it does, and examples."""

    usage: str
    meaning: str
    examples: tuple[str, ...] = ()


HELP: Mapping[str, Help] = MappingProxyType(
    {
        "status": Help("status", "All runs, worst first; the same as nothing.", ("status --share",)),
        "run": Help("[run] RUN", "One run; write `run` before a name that is also a command.", ("llama-70b",)),
        "check": Help("check RUN", "Looks at its host now; nothing is stored.", ("check llama-70b",)),
        "log": Help(
            "log RUN [N]",
            "The last lines of its newest log, now: 15, or as many as you say, at most 30. Secrets are redacted.",
            ("log llama-70b", "log llama-70b 30"),
        ),
        "mutes": Help("mutes", "What is muted, by whom and until when."),
        "ack": Help("ack RUN|INCIDENT", "You are on it; everybody sees that.", ("ack llama-70b", "ack 4127")),
        "unack": Help("unack RUN|INCIDENT", "You are no longer on it.", ("unack 4127",)),
        "mute": Help(
            "mute RUN|HOST|all [KIND] [2h|until 09:00] [reason]",
            "No messages for 1h or as long as you say, at most 30d; still watched. `until` is UTC.",
            ("mute llama-70b 2h fan swap", "mute gpu-01 until 09:00", "mute all slow 30m"),
        ),
        "unmute": Help("unmute RUN|HOST|all [KIND]", "Messages come again.", ("unmute llama-70b",)),
        "threshold": Help(
            "threshold [show] [RUN] · [set] NAME VALUE [--run RUN|--host HOST|--all] · reset NAME [--run RUN|…]",
            "Shows, sets or resets a threshold; for all runs unless you say for which. "
            "`--dry-run` only tells what it would have done in the last 24h.",
            (
                "threshold show llama-70b",
                "threshold set stuck 20m --run llama-70b",
                "threshold set stuck 20m --run llama-70b --dry-run",
                "threshold reset stuck --all",
            ),
        ),
        "history": Help("history [RUN|HOST]", "What happened, newest first.", ("history llama-70b", "history --share")),
        "why": Help("why INCIDENT", "Why it was told, to whom, and what became of each message.", ("why 4127",)),
        "audit": Help("audit", "Who did what and when, and who was not allowed to."),
        "false-alarm": Help(
            "false-alarm INCIDENT [undo]",
            "It was none: the alert says so, and nobody is reminded.",
            ("false-alarm 4127", "false-alarm 4127 undo"),
        ),
        "bot": Help("bot", "How trainstatus itself does: its hosts, its deliveries, its connection to Slack."),
        "help": Help("help [COMMAND]", "This, or one command in full.", ("help mute",)),
    }
)
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "Look": ("status", "run", "check", "log", "mutes", "history", "why", "audit"),
        "Act": ("ack", "unack", "mute", "unmute", "false-alarm"),
        "Tune": ("threshold",),
        "Bot": ("bot", "help"),
    }
)
TITLE = "trainstatus commands"
FIRST = f"After `{COMMAND}` type one of these. A run may be a pattern such as `ablate-*` where several make sense."
LAST = "Only you see answers; add `--share` to those under Look to post one here."
