"""The verb check: it looks at hosts, once."""

from __future__ import annotations

import argparse
from dataclasses import dataclass

from monitor_core.app import sight
from monitor_core.cli.passphrases import network
from monitor_core.cli.setup import configuration, print_json
from monitor_core.detect.ending import verdict
from monitor_core.errors import CollectError
from monitor_core.model.incidents import KINDS, Incident, IncidentState, Kind, Severity
from monitor_core.poller import Look
from monitor_core.targets import Targets
from monitor_core.units import duration, progress

_OK, _UNKNOWN = 0, 3
_STATUS = {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 2}
# What is critical must not hide behind what is unknown.
_BADNESS = (0, 1, 3, 2)
_WORDS = {0: "OK", 1: "WARNING", 2: "CRITICAL", 3: "UNKNOWN"}
_UNSEEN = frozenset({Kind.LOG_MISSING, Kind.LOG_UNREADABLE})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `check` says of one run: `status` as monitoring plugins have it (0 ok, 1 warning, 2 critical, 3 unknown)."""

    run: str
    status: int
    state: str
    text: str
    iteration: int | None = None
    total: int | None = None


def check(arguments: argparse.Namespace, _extension: object) -> int:
    """Look once, print a verdict for each run, and write nothing."""
    config = configuration(arguments, secrets=False, looking=True)
    hosts = {config.runs[name].host for name in {arguments.run} & config.runs.keys() or config.runs}
    with sight(config, network(config, hosts)) as poller:
        wanted = [Targets(poller.roster).run(arguments.run)] if arguments.run else list(config.runs)
        verdicts = []
        for host in dict.fromkeys(config.runs[name].host for name in wanted):
            names = [name for name in wanted if config.runs[name].host == host]
            try:
                looks = poller.peek(host, names)
            except CollectError as error:
                verdicts += [Verdict(name, _UNKNOWN, "unknown", f"{host}: {error}") for name in names]
            else:
                verdicts += [_verdict(name, looks.get(name), poller.clock()) for name in names]
    if arguments.json:
        print_json(verdicts)
    else:
        for found in verdicts:
            print(f"{_WORDS[found.status]} {found.run}: {found.text}")
    return max((found.status for found in verdicts), key=_BADNESS.index, default=_OK)


def _verdict(name: str, look: Look | None, now: float) -> Verdict:
    if look is None:
        return Verdict(name, _UNKNOWN, "unknown", "could not be judged; the lines above say why")
    state = look.watch.state
    ending = verdict(state)
    word = str(ending) if ending is not None else str(state.phase)
    if look.trouble:
        return Verdict(name, _UNKNOWN, "unknown", look.trouble, state.iteration, state.total)
    firing = [i for i in look.watch.active if i.state is IncidentState.FIRING and i.kind not in _UNSEEN]
    status = max((_STATUS[incident.severity] for incident in firing), default=_OK)
    at = "no progress line yet" if state.iteration is None else progress(state.iteration, state.total)
    parts = [*(_said(incident, now) for incident in firing), *(() if firing else (word,)), at]
    if state.line_at is not None and ending is None:
        parts.append(f"last line {duration(now - state.line_at)} ago")
    return Verdict(name, status, word, ", ".join(parts), state.iteration, state.total)


def _said(incident: Incident, now: float) -> str:
    text = incident.facts.get("text")
    why = f" ({text})" if text else ""
    return f"{KINDS[incident.kind].word} for {duration(now - incident.starts_at)}{why}"
