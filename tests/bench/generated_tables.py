"""The tables of what was told on generated streams, with what was asked of it."""

from __future__ import annotations

import math
from statistics import median

from monitor_core.model.incidents import Severity
from monitor_core.thresholds import Preset
from tests.bench import meanings
from tests.bench.alarms import PRESETS, counted
from tests.bench.conditions import CASES, CONDITIONS
from tests.bench.figures import Cells, Table
from tests.bench.noise import PROFILES
from tests.bench.poisson import upper_bound

_THOUSAND = 1000.0
# False alarms in 1,000 healthy run-hours, as upper bounds over all conditions.
MOST = {Severity.CRITICAL: 1.0, Severity.WARNING: 3.0}
# In the condition with this in its name none is allowed at all.
_MARKED, _LEAST_PAUSES = "a marked save", 2000


def tables(healthy, faults):
    """Return all of them; what was not measured has no rows."""
    return [_overall(healthy), *(_by_condition(healthy, p) for p in PRESETS), *(_faults(faults, p) for p in PRESETS)]


def rate(count, hours):
    """Write how many there were in 1,000 hours, and how many there may be."""
    if not hours:
        return "-"
    return f"{_figure(count / hours * _THOUSAND)} (≤ {_figure(upper_bound(count) / hours * _THOUSAND)})"


def _figure(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def kept(holds):
    return "kept" if holds else "**missed**"


def _overall(healthy):
    rows = []
    for preset in PRESETS:
        runs = [run for run in healthy if run.preset is preset]
        hours, alarms = sum(run.hours for run in runs), [alarm for run in runs for alarm in run.alarms]
        for severity, most in MOST.items() if runs else ():
            count = sum(alarm.severity is severity for alarm in alarms)
            holds = upper_bound(count) / hours * _THOUSAND <= most
            asked = f"≤ {most:g}: {kept(holds)}" if preset is Preset.DEFAULT else "-"
            rows.append((preset, f"all {severity}", f"{hours:,.0f}", f"{count:,}", rate(count, hours), asked))
        for name in sorted({alarm.name for alarm in alarms}):
            count = sum(alarm.name == name for alarm in alarms)
            rows.append((preset, name, f"{hours:,.0f}", f"{count:,}", rate(count, hours), "-"))
    head = ("preset", "kind and severity", "run-hours", "told", "in 1,000 run-hours", "asked of the bound")
    return Table("False alarms in generated healthy runs", meanings.HEALTHY, [*map(Cells, rows)], head)


def _by_condition(healthy, preset):
    rows = []
    for condition in CONDITIONS:
        runs = [run for run in healthy if run.preset is preset and run.condition == condition.name]
        if not runs:
            continue
        hours, alarms = sum(run.hours for run in runs), [alarm for run in runs for alarm in run.alarms]
        by = {severity: sum(alarm.severity is severity for alarm in alarms) for severity in MOST}
        cells = [condition.name, f"{hours:,.0f}", *(rate(count, hours) for count in by.values()), counted(alarms)]
        rows.append((*cells, _noisy(runs), _pauses(condition, runs) if preset is Preset.DEFAULT else "-"))
    head = ("condition", "run-hours", *(f"{s} in 1,000 h" for s in MOST), "told", "in which noise", "asked")
    return Table(f"False alarms by condition, preset {preset}", meanings.BY_CONDITION, [*map(Cells, rows)], head)


def _noisy(runs):
    """Write in which noise how many were told."""
    told = {name: sum(len(run.alarms) for run in runs if run.profile == name) for name in PROFILES}
    return ", ".join(f"{name} {count:,}" for name, count in told.items() if count) or "-"


def _pauses(condition, runs):
    if _MARKED not in condition.name:
        return "-"
    pauses = sum(run.pauses for run in runs)
    holds = not any(run.alarms for run in runs)
    text = f"none in ≥ {_LEAST_PAUSES:,} pauses: {kept(holds)}" if pauses >= _LEAST_PAUSES else "too few pauses"
    return f"{text} ({pauses:,})"


def _faults(faults, preset):
    rows = []
    for case in CASES:
        runs = [run for run in faults if run.preset is preset and run.case == case.name]
        if runs:
            rows.append(Cells(_fault(case, runs, judged=preset is Preset.DEFAULT)))
    head = (
        "fault",
        "n",
        "told",
        f"told by noise: {', '.join(PROFILES)}",
        "delay in lines: median, p95",
        "in seconds",
        "told to be over, after lines",
        "in seconds",
        "other alarms with it",
        "false alarms before",
        "asked",
    )
    return Table(f"Faults that were told, preset {preset}", meanings.FAULTS, rows, head)


def _fault(case, runs, *, judged):
    asked = _asked(case, runs) if judged and case.gate else "-"
    told = [run for run in runs if _told(case, run)]
    noises = [[run for run in runs if run.profile == name] for name in PROFILES]
    return (
        case.name,
        f"{len(runs):,}",
        _share(sum(_told(case, run) for run in runs), len(runs)),
        ", ".join(_share(sum(_told(case, run) for run in noise), len(noise)) for noise in noises),
        _spread([run.lines for run in told]),
        _spread([run.seconds for run in told]),
        _spread([run.resolved_lines for run in told]),
        _spread([run.resolved_seconds for run in told]),
        counted([alarm for run in runs for alarm in run.wrong]),
        counted([alarm for run in runs for alarm in run.early]),
        asked,
    )


def _told(case, run):
    """Whether a fault was told in time."""
    within = case.gate.within if case.gate else None
    return run.lines is not None and (within is None or run.lines <= within)


def _asked(case, runs):
    """Write each thing that was asked of a fault, and whether it was kept."""
    gate = case.gate
    runs = [run for run in runs if run.profile in gate.profiles]
    told = [run for run in runs if _told(case, run)]
    share, lines = len(told) / len(runs), [run.lines for run in told]
    noise = "" if gate.profiles == PROFILES else f" (noise {' and '.join(gate.profiles)}, n {len(runs)})"
    if gate.never:
        return f"never told: {kept(not told)}"
    said = [f"told ≥ {gate.share:.0%}: {kept(share >= gate.share)}{noise}"]
    if gate.median is not None:
        said.append(f"median ≤ {gate.median}: {kept(bool(lines) and median(lines) <= gate.median)}")
    if gate.p95 is not None:
        said.append(f"p95 ≤ {gate.p95}: {kept(bool(lines) and quantile(lines, 0.95) <= gate.p95)}")
    if gate.late is not None:
        late = max((run.late for run in told), default=math.inf)
        said.append(f"at most {gate.late:.0f} s late: {kept(late <= gate.late)} ({late:.0f} s)")
    if gate.cause is not None:
        right = sum(run.cause for run in runs) / len(runs)
        said.append(f"cause right ≥ {gate.cause:.0%}: {kept(right >= gate.cause)} ({right:.0%})")
    return "; ".join(said)


def _share(part, whole):
    return f"{100 * part / whole:.4g} %" if whole else "-"


def _spread(values):
    """Write median and p95 of what is known."""
    known = [value for value in values if value is not None]
    return f"{median(known):,.0f}, {quantile(known, 0.95):,.0f}" if known else "-"


def quantile(values, share):
    """Return the smallest value that so many of all do not exceed."""
    return sorted(values)[math.ceil(share * len(values)) - 1]
