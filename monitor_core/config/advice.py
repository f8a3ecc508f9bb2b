"""What is allowed in a configuration, and yet hardly meant."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase

from monitor_core.config.models import Config, Slack
from monitor_core.config.values import did_you_mean, jumps_in, shown

_TOKENS = (("bot_token", "xoxb-"), ("app_token", "xapp-"))


def warnings(config: Config) -> list[str]:
    """Return a sentence for each setting that is probably a mistake; none of them keeps trainstatus from its work."""
    return [*_terminal_only(config), *_patterns(config), *_idle_hosts(config), *_tokens(config.slack)]


def _terminal_only(config: Config) -> Iterator[str]:
    if not (config.slack or config.console or (config.email and config.email.recipients)):
        yield "alerts are only printed to this terminal: there is neither slack, nor email with recipients"


def _patterns(config: Config) -> Iterator[str]:
    for place, recipient in enumerate(config.email.recipients if config.email else ()):
        for pattern in recipient.runs:
            if not any(fnmatchcase(run, pattern) for run in config.runs):
                key = f"email.recipients[{place}].runs"
                yield f"{key}: {shown(pattern)} matches none of the runs{did_you_mean(pattern, config.runs)}"


def _idle_hosts(config: Config) -> Iterator[str]:
    jumps = {jump for host in config.hosts.values() for jump in jumps_in(host.jump)}
    used = jumps | {run.host for run in config.runs.values()}
    for name in config.hosts:
        if name not in used:
            yield f"hosts.{name}: no run is on this host, so it is not looked at"


def _tokens(slack: Slack | None) -> Iterator[str]:
    for key, start in _TOKENS if slack else ():
        if not getattr(slack, key).get_secret_value().startswith(start):
            yield f"slack.{key}: does not start with {start}, so Slack will refuse it (are the two swapped?)"
