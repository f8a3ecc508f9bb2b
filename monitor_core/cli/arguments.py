"""What can be typed after `trainstatus`."""

from __future__ import annotations

import argparse

from monitor_core import __version__

_MOST_LINES = 30  # as in Slack
_TARGET = "a run, a host, `all` or a pattern such as 'ablate-*'"


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="trainstatus",
        description="Watches training logs over SSH and tells people when a run is stuck, slow, failed or finished.",
    )
    top.add_argument("--version", action="version", version=f"trainstatus {__version__}")
    verbs = top.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in (
        _run,
        _demo,
        _check,
        _log,
        _hostkeys,
        _replay,
        _init,
        _doctor,
        _test_alert,
        _status,
        _mute,
        _unmute,
        _mutes,
        _threshold,
        _ack,
        _history,
        _why,
        _audit,
        _false_alarm,
        _backup,
    ):
        add(verbs)
    return top


_Verbs = argparse._SubParsersAction  # noqa: SLF001 argparse has no public name for it


def _verb(
    verbs: _Verbs[argparse.ArgumentParser], name: str, text: str, *, config: bool = True
) -> argparse.ArgumentParser:
    verb = verbs.add_parser(name, help=text, description=text)
    if config:
        verb.add_argument(
            "--config", metavar="FILE", help="default: $TRAINSTATUS_CONFIG, then trainstatus.yaml, then config.yaml"
        )
    return verb


def _json(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--json", action="store_true", help="print JSON instead of text")


def _run(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    _verb(verbs, "run", "Watch, deliver and answer until SIGTERM or Ctrl-C.")


def _demo(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Show a stuck, a slow and a finished run in a minute, with a simulated log on this machine."
    _verb(verbs, "demo", text, config=False)


def _check(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Look once, now; sends and stores nothing. Exit status: 0 ok, 1 warning, 2 critical, 3 unknown."
    verb = _verb(verbs, "check", text)
    verb.add_argument("run", nargs="?", metavar="RUN", help="one run; all if left out")
    _json(verb)


def _log(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(
        verbs, "log", "Show the last lines of a run's newest log, read from its host now; secrets are redacted."
    )
    verb.add_argument("run", metavar="RUN")
    verb.add_argument("lines", nargs="?", type=_count, default=15, metavar="N", help="default: 15")
    _json(verb)


def _count(word: str) -> int:
    if not word.isdecimal() or not 0 < int(word) <= _MOST_LINES:
        raise argparse.ArgumentTypeError(f"{word} is not a number from 1 to {_MOST_LINES}")
    return int(word)


def _hostkeys(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "List the known keys of the hosts, or get to know one: shows its fingerprint and asks."
    verb = _verb(verbs, "hostkeys", text)
    verb.add_argument("what", nargs="?", default="list", metavar="list|add", help="default: list")
    verb.add_argument("host", nargs="?", metavar="HOST", help="one host, with those on the way to it")
    verb.add_argument(
        "--fingerprint",
        action="append",
        default=[],
        metavar="SHA256:…",
        help="accept this key without asking; may be repeated for the hosts on the way",
    )
    _json(verb)


def _replay(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "replay", "Run parser and detectors over a recorded log with its own clock.", config=False)
    verb.add_argument("log", metavar="LOG")
    verb.add_argument("--arrivals", metavar="FILE", help="rows `unix_time<TAB>file_size`: when which byte existed")
    verb.add_argument(
        "--format",
        default="auto",
        metavar="NAME|PATTERN",
        help="layout of the log (default: auto), or a pattern such as 'step {iteration}/{total} loss={loss}'",
    )
    verb.add_argument("--config", metavar="FILE", help="the file with formats of your own; no other is read")
    verb.add_argument("--explain", action="store_true", help="show what was recognised and why, a few lines of each")
    verb.add_argument("--preset", default="default", choices=["default", "seed"])
    verb.add_argument("--set", action="append", default=[], metavar="THRESHOLD=VALUE", help="may be repeated")
    verb.add_argument("--check-interval", default="60s", metavar="DURATION")
    verb.add_argument("--silence", default="0s", metavar="DURATION", help="waiting after the last byte")
    verb.add_argument("--plot", metavar="OUT.png", help="draw a chart (needs matplotlib)")
    _json(verb)


def _init(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Write a first configuration: asks in a terminal, or takes all it needs from here."
    verb = _verb(verbs, "init", text, config=False)
    verb.add_argument("--output", default="trainstatus.yaml", metavar="FILE", help="default: trainstatus.yaml")
    verb.add_argument("--host", default="", metavar="[USER@]ADDRESS[:PORT]", help="where the log lies, or `local`")
    verb.add_argument("--log", default="", metavar="PATH", help="absolute path or glob of the log there")
    verb.add_argument("--run", default="", metavar="NAME", help="name of the run; made from the path if left out")
    verb.add_argument("--email", default="", metavar="ADDRESS", help="who gets mail")
    verb.add_argument("--smtp", default="", metavar="HOST[:PORT]", help="the mail server")
    verb.add_argument("--sender", default="", metavar="ADDRESS", help="where the mail comes from; also its account")
    verb.add_argument("--slack-channel", default="", metavar="ID", help="alert channel, such as C0123ABCD")


def _doctor(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Examine configuration, database, hosts, logs, mail and Slack; sends nothing. Exit status: 1 a part failed."
    _json(_verb(verbs, "doctor", text))


def _test_alert(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Send a test alert the whole way to everybody who is configured, and say who got it. Exit status: 1 not all."
    verb = _verb(verbs, "test-alert", text)
    verb.add_argument("--to", default="", metavar="RECEIVER", help="slack, email:oncall@example.com, C0123ABCD")
    _json(verb)


def _status(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "status", "Show all runs, worst first, or one run, from what is stored.")
    what = verb.add_mutually_exclusive_group()
    what.add_argument("run", nargs="?", metavar="RUN")
    what.add_argument("--self", action="store_true", dest="own", help="how trainstatus itself does")
    _json(verb)


def _mute(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "mute", "Hold back messages for a while; the runs are still watched.")
    verb.add_argument("target", metavar="RUN|HOST|all", help=_TARGET)
    verb.add_argument(
        "words", nargs="*", metavar="[KIND] [2h | until HH:MM] [REASON]", help="default: all kinds, 1h; times are UTC"
    )
    _json(verb)


def _unmute(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "unmute", "End a mute; what is still wrong is told once.")
    verb.add_argument("target", metavar="RUN|HOST|all", help=_TARGET)
    verb.add_argument("kind", nargs="?", default="", metavar="KIND")
    _json(verb)


def _mutes(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    _json(_verb(verbs, "mutes", "List the mutes in force."))


def _threshold(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Show thresholds with their sources, set one (`threshold set stuck 20m --run RUN`), or undo that."
    verb = _verb(verbs, "threshold", text)
    verb.add_argument("words", nargs="*", metavar="[show [RUN] | [set] [RUN] NAME VALUE | reset [RUN] NAME]")
    scope = verb.add_mutually_exclusive_group()
    scope.add_argument("--run", metavar="RUN", help="for this run")
    scope.add_argument("--host", metavar="HOST", help="for the runs of this host")
    scope.add_argument("--all", action="store_true", help="for all runs (the default)")
    verb.add_argument("--dry-run", action="store_true", help="only say what it would have done in the last 24h")
    _json(verb)


def _ack(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    for name, text in (("ack", "Say that you are on it."), ("unack", "Give back what you took.")):
        verb = _verb(verbs, name, text)
        verb.add_argument("target", metavar="RUN|INCIDENT")
        _json(verb)


def _history(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "history", "List incidents, newest first: what happened, when, for how long, who was on it.")
    verb.add_argument("run", nargs="?", metavar="RUN|HOST", help="of a run and its host, or of a host and its runs")
    verb.add_argument("--since", metavar="DURATION", help="those that held within the last 7d, 24h, …")
    _limit(verb)
    _json(verb)


def _why(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    text = "Tell why an incident was told: the rule with its values, each decision, each attempt and its answer."
    verb = _verb(verbs, "why", text)
    verb.add_argument("incident", metavar="INCIDENT", help="its number")
    _json(verb)


def _audit(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "audit", "List who did what and when, newest first, and who was not allowed to.")
    _limit(verb)
    _json(verb)


def _false_alarm(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "false-alarm", "Mark an incident as a false alarm; its alert says so.")
    verb.add_argument("incident", metavar="INCIDENT", help="its number")
    verb.add_argument("word", nargs="?", choices=["undo"], metavar="undo", help="as in Slack: the same as --undo")
    verb.add_argument("--undo", action="store_true", help="it was none after all")
    _json(verb)


def _limit(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--limit", metavar="N", type=int, default=20, help="at most so many (default: 20)")


def _backup(verbs: _Verbs[argparse.ArgumentParser]) -> None:
    verb = _verb(verbs, "backup", "Copy the database to a new file, while the monitor runs or not.")
    verb.add_argument("file", metavar="FILE", help="is not overwritten; only its owner can read it")
