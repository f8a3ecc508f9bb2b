"""The verb replay."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from monitor_core.cli.charted import chart_of, held, word
from monitor_core.cli.explained import text
from monitor_core.cli.setup import configuration, print_json
from monitor_core.detect.ending import learns
from monitor_core.errors import CommandError
from monitor_core.incident.scene import Scene
from monitor_core.incident.sentences import sentence
from monitor_core.model.message import Strong, Text, Time
from monitor_core.model.views import LEARNING
from monitor_core.model.words import taken_up
from monitor_core.notify.charts import Chart, png
from monitor_core.notify.render import Wording, plain
from monitor_core.parse import AUTO, DIALECTS, Format
from monitor_core.parse.signatures import advise, describe
from monitor_core.patterns import dialect, is_pattern
from monitor_core.replay.explain import explain
from monitor_core.replay.recording import Recording, read
from monitor_core.replay.simulate import Outcome, Told, median_ms, simulate
from monitor_core.thresholds import CATALOGUE, Preset, Values, preset_values
from monitor_core.units import (
    count,
    counted,
    duration,
    parse_duration,
    progress,
    seconds_per_iteration,
    significant,
    utc_date,
    utc_time,
)


def replay(arguments: argparse.Namespace, _extension: object) -> int:
    """Replay a recorded log and print what would have been told; exit status 2 if nothing was recognised."""
    preset = Preset(arguments.preset)
    values = _values(preset, arguments.set)
    interval, silence = (
        _duration("--check-interval", arguments.check_interval),
        _duration("--silence", arguments.silence),
    )
    layout, own = _format(arguments)
    try:
        if arguments.explain:
            return _explain(arguments, layout, own)
        arrivals = Path(arguments.arrivals) if arguments.arrivals else None
        recording = read(Path(arguments.log), arrivals, layout)
    except OSError as error:
        raise CommandError(f"{error.filename}: {error.strerror}") from error
    except ValueError as error:
        raise CommandError(str(error)) from error
    outcome = simulate(recording, values, preset, layout, max(interval, 0.1), silence)
    report = _report(recording, outcome)
    if arguments.json:
        print_json(report)
    else:
        _print(arguments.log, report, recording, outcome)
    if arguments.plot:
        _plot(Path(arguments.plot), chart_of(Path(arguments.log).name, values, recording, outcome))
    return 0 if report["iterations"]["count"] or report["cause"] else 2


def _format(arguments: argparse.Namespace) -> tuple[Format, tuple[str, ...]]:
    """Return the layout of the log, and the patterns of progress if it is one of people's own."""
    name = arguments.format
    if is_pattern(name):
        try:
            return (dialect("pattern", (name,)),), (name,)
        except ValueError as error:
            raise CommandError(f"--format {name}: {error}") from error
    own = configuration(arguments, secrets=False).formats if arguments.config else {}
    if name in own:
        return (own[name].dialect(name),), own[name].progress
    if name not in (AUTO, *DIALECTS):
        where = f"(known: {', '.join((AUTO, *DIALECTS, *own))})"
        hint = "" if arguments.config else "; for one of your own, name its file with --config, or write its pattern"
        raise CommandError(f"--format: {name!r} is not a log format {where}{hint}")
    return name, ()


def _explain(arguments: argparse.Namespace, format: Format, own: tuple[str, ...]) -> int:
    seen = explain(Path(arguments.log), format, own)
    if arguments.json:
        print_json(seen)
    else:
        print(text(arguments.log, seen))
    return 0 if seen.understood else 2


def _values(preset: Preset, pairs: list[str]) -> Values:
    values = dict(preset_values(preset))
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in CATALOGUE:
            raise CommandError(f"--set {pair}: {name} is no threshold; there are {', '.join(CATALOGUE)}")
        try:
            values[name] = CATALOGUE[name].read(text)
        except ValueError as error:
            raise CommandError(f"--set {pair}: {error}") from error
    return values


def _duration(option: str, text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError as error:
        raise CommandError(f"{option}: {error}") from error


def _report(recording: Recording, outcome: Outcome) -> dict[str, Any]:
    state, losses = outcome.watch.state, recording.losses
    counted = any(p.counted for p in recording.progress)
    times = [p.ms_per_iteration for p in recording.progress if p.ms_per_iteration is not None]
    return {
        "format": recording.format,
        "lines": recording.lines,
        "bytes": recording.size,
        "state": outcome.state,
        "cause": _cause(outcome),
        "iterations": {
            "first": None if counted else state.first_iteration,
            "last": None if counted else state.iteration,
            "total": state.total,
            "count": len(recording.progress),
            "launches": state.launches,
            "resumed": state.relaunch.resumed,
            "redone": state.relaunch.redone,
        },
        "ms_per_iteration": {"median": median_ms(recording), "last": times[-1] if times else None},
        "loss": {"first": losses[0] if losses else None, "last": losses[-1] if losses else None},
        "incidents": [_incident(told, synthetic=recording.synthetic) for told in outcome.told],
    }


def _cause(outcome: Outcome) -> dict[str, Any] | None:
    failure = outcome.watch.state.failure
    if failure is None or failure.resumed or outcome.state not in {"failed", "stopped"}:
        return None
    found = failure.failure
    return {"id": found.signature, "line": found.text, "line_number": found.line_number}


def _incident(told: Told, *, synthetic: bool) -> dict[str, Any]:
    incident = told.incident
    return {
        "kind": incident.kind,
        "severity": incident.severity,
        "at": None if synthetic else told.at,
        "iteration": told.iteration,
        "resolved_at": None if synthetic else told.resolved_at,
        "summary": _summary(told, synthetic=synthetic),
    }


def _summary(told: Told, *, synthetic: bool) -> str:
    said = sentence(told.first, Scene(), held(told))
    return f"{word(told)}. {plain(Wording().pieces(_since_start(said) if synthetic else said))}"


def _since_start(said: Text) -> Text:
    """A synthetic clock counts from the first line: its times are no dates."""
    spans = (inner for span in said for inner in (span.spans if isinstance(span, Strong) else (span,)))
    return tuple(f"{duration(span.epoch)} in" if isinstance(span, Time) else span for span in spans)


def _print(log: str, report: dict[str, Any], recording: Recording, outcome: Outcome) -> None:
    iterations, ms = report["iterations"], report["ms_per_iteration"]["median"]
    lines = [
        f"{log}: {recording.lines:,} lines, {recording.size:,} bytes, format {recording.format or 'not recognised'}"
    ]
    if iterations["count"]:
        lines.append(f"{_iterations(iterations)}, {_launches(iterations)}")
    if ms is not None:
        lines.append(f"usually {seconds_per_iteration(ms)} s per iteration")
    if report["loss"]["last"] is not None:
        first, last = report["loss"]["first"], report["loss"]["last"]
        lines.append(f"loss {significant(first)} to {significant(last)}")
    learning = f", {LEARNING}" if learns(outcome.watch.state) else ""
    lines.append(f"state: {report['state']}{learning}")
    if report["cause"]:
        lines += _cause_in_words(report["cause"], outcome)
    lines += [_row(told, synthetic=recording.synthetic) for told in outcome.told] or ["nothing would have been told"]
    print("\n".join(lines))
    if not iterations["count"] and not report["cause"]:
        print("neither progress nor a cause was recognised", file=sys.stderr)


def _cause_in_words(cause: dict[str, Any], outcome: Outcome) -> list[str]:
    seen = outcome.watch.state.failure
    assert seen is not None
    failure, hint = seen.failure, advise(cause["id"])
    where = (f"rank {failure.rank}" if failure.rank else "", failure.host, failure.frame)
    told = ", ".join(part for part in (describe(cause["id"]), *where) if part)
    quoted = f"cause: {cause['id']}, line {cause['line_number']:,}: {cause['line']}"
    return [quoted, f"  {told}", *([f"  hint: {hint}"] if hint else [])]


def _iterations(iterations: dict[str, Any]) -> str:
    if iterations["last"] is None:
        return counted(iterations["count"], "progress line")
    return f"iterations {count(iterations['first'])} to {progress(iterations['last'], iterations['total'])}"


def _launches(iterations: dict[str, Any]) -> str:
    number, how = iterations["launches"], taken_up(iterations["resumed"], iterations["redone"])
    return f"{count(number)} launch{'' if number == 1 else 'es'}{', the last ' if how else ''}{how}"


def _row(told: Told, *, synthetic: bool) -> str:
    at = duration(told.at) + " in" if synthetic else f"{utc_date(told.at)} {utc_time(told.at)}"
    return f"  {at}  {told.incident.severity}  {_summary(told, synthetic=synthetic)}"


def _plot(path: Path, chart: Chart) -> None:
    picture = png(chart)
    try:
        path.write_bytes(picture)
    except OSError as error:
        raise CommandError(f"--plot {path}: {error.strerror}") from error
