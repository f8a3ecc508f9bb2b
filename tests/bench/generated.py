"""`python -m tests.bench.generated`: false alarms and detection on generated streams, for those who work on detectors.

It prints what `make bench` writes on the page, from fewer hours, and on demand each false alarm.
"""

from __future__ import annotations

import argparse
import functools
import multiprocessing
import sys
from dataclasses import dataclass

from monitor_core.model.incidents import Kind
from monitor_core.thresholds import Preset
from tests.bench import generated_tables
from tests.bench.alarms import PRESETS, calls, judge, keep, tell
from tests.bench.conditions import CASES, CONDITIONS
from tests.bench.noise import PROFILES, profiles
from tests.bench.page import section
from tests.bench.streams import START, generate

# A run is as long as a day and a half: what happens only at its beginning then has its share.
HOURS_PER_RUN = 40.0
# The fault begins after so many lines.
_BEFORE = 200
_FEWER = 3
_FEWER_HOURS = 5
# For so long somebody looks on after a crash.
_SILENCE = 1800.0


@dataclass(frozen=True)
class Plan:
    """How much is generated: healthy hours per condition, and runs per fault.

    The seed preset sees a fifth of the hours, since it tells so much, and a third of the faults.
    `only` is part of the names of the conditions and faults that are wanted.
    """

    hours: float = 5000.0
    runs: int = 210
    presets: tuple[Preset, ...] = PRESETS
    only: str = ""
    processes: int = 2

    def wanted(self, table):
        return [(place, entry) for place, entry in enumerate(table) if self.only in entry.name]


@dataclass(frozen=True)
class Healthy:
    """What was told in one healthy run; `alarms` are false ones."""

    condition: str
    preset: Preset
    profile: str
    seed: int
    hours: float
    pauses: int
    alarms: tuple


@dataclass(frozen=True)
class Found:
    """What was told of one fault; delays are in lines and seconds, and None where nothing was told.

    `late` are seconds after the limit of a silence, or after the first line that shows it. `early` are the false
    alarms before, `wrong` the kinds of those that came with it.
    """

    case: str
    preset: Preset
    profile: str
    seed: int
    lines: int | None
    seconds: float | None
    late: float | None
    cause: bool
    early: tuple
    wrong: tuple
    resolved_lines: int | None
    resolved_seconds: float | None


def measure(plan):
    """Generate and judge all that is planned; return what was told in healthy runs, and of faults."""
    healthy = [
        (place, run, _presets(plan, run, _FEWER_HOURS))
        for place, condition in plan.wanted(CONDITIONS)
        for run in range(_runs(plan.hours, len(condition.profiles)))
    ]
    faults = [(place, run, _presets(plan, run, _FEWER)) for place, _ in plan.wanted(CASES) for run in range(plan.runs)]
    with multiprocessing.Pool(plan.processes) as pool:
        return _flat(pool.imap_unordered(healthy_run, healthy)), _flat(pool.imap_unordered(faulty_run, faults))


def _presets(plan, run, fewer):
    return tuple(preset for preset in plan.presets if preset is Preset.DEFAULT or run % fewer == 0)


def _runs(hours, profiles_of_it):
    """Return how many runs have so many hours; each noise has as many."""
    whole = -(-hours // HOURS_PER_RUN)
    return int(-(-whole // profiles_of_it) * profiles_of_it)


def _flat(lists):
    return [entry for found in lists for entry in found]


def healthy_run(job):
    """Judge one run of a condition under each preset."""
    place, run, presets = job
    condition = CONDITIONS[place]
    stream, profile = stream_of(condition, run)
    found = []
    for preset in presets:
        alarms = judge(stream.recording(), preset).alarms
        false = tuple(alarm for alarm in alarms if alarm.kind not in condition.right)
        found.append(Healthy(condition.name, preset, profile, run, stream.hours, stream.pauses, false))
    return found


def stream_of(condition, run):
    """Return the stream of a condition's run, and the name of its noise."""
    profile = condition.profiles[run % len(condition.profiles)]
    return generate(condition.training, _profiles()[profile], f"{condition.name}/{run}", HOURS_PER_RUN), profile


def faulty_run(job):
    """Judge one run with a fault under each preset."""
    place, run, presets = job
    case = CASES[place]
    # A third of the runs, which the seed preset sees too, has each noise.
    profile = PROFILES[run // _FEWER % len(PROFILES)]
    stream = case_stream(case, profile, run)
    recording, silence = stream.recording(), _SILENCE if case.fault.ends else 0.0
    verdicts = [(preset, judge(recording, preset, silence=silence)) for preset in presets]
    return [found_in(case, stream, verdict, preset, profile, run) for preset, verdict in verdicts]


def case_stream(case, profile, run):
    """Return the stream of a fault's run."""
    training, fault = case.training, case.fault
    step = training.log_interval * training.seconds
    hours = (_BEFORE + 100 + fault.lines * fault.slower + case.afterwards) * step * 1.1 / 3600 + fault.stops / 3600
    stream = generate(training, _profiles()[profile], f"{case.name}/{run}", hours, fault, after=_BEFORE)
    while stream.began is None:  # Its iterations were so slow that it did not come that far.
        hours *= 2
        stream = generate(training, _profiles()[profile], f"{case.name}/{run}", hours, fault, after=_BEFORE)
    return stream


def found_in(case, stream, verdict, preset, profile, run):
    """Compare what was told of a stream with its fault."""
    fault, began = case.fault, stream.began
    until = float("inf") if stream.ended is None else stream.ended + 60
    here = [alarm for alarm in verdict.alarms if calls(alarm) and alarm.at > began]
    right = [alarm for alarm in here if alarm.kind == fault.kind and alarm.at <= until]
    told = right[0] if right else None
    over = _over(stream, right[-1]) if right else None
    return Found(
        case.name,
        preset,
        profile,
        run,
        None if told is None else stream.lines_between(began, told.at),
        None if told is None else told.at - began,
        None if told is None else told.at - _moment(stream, told),
        verdict.cause == (fault.cause or None),
        tuple(alarm for alarm in verdict.alarms if calls(alarm) and alarm.at <= began),
        tuple(alarm for alarm in here if alarm.kind not in {fault.kind, *fault.beside}),
        None if over is None else stream.lines_between(stream.ended, over),
        None if over is None else over - stream.ended,
    )


def _over(stream, last):
    """Return when it was told to be over, None if that was never told, or too early."""
    if stream.ended is None or last.resolved_at is None or last.resolved_at < stream.ended:
        return None
    return last.resolved_at


def _moment(stream, told):
    """Return when it could be told: at the limit of the silence, else when the first line showed it, or the end did."""
    if told.kind is Kind.STUCK and told.limit is not None:
        return told.since + told.limit
    return next((at for at in stream.lines if at > stream.began), stream.at)


@functools.cache
def _profiles():
    return profiles()


def _say(text, end="\n"):
    sys.stdout.write(text + end)


def main(argv):
    arguments = _arguments(argv)
    presets = tuple(Preset(name) for name in arguments.preset) or PRESETS
    plan = Plan(arguments.hours, arguments.runs, presets, arguments.only, arguments.processes)
    healthy, faults = measure(plan)
    for table in filter(lambda table: table.rows, generated_tables.tables(healthy, faults)):
        _say(section(table), end="\n\n")
    if arguments.alarms:
        _tell(healthy, faults)
    if arguments.keep:
        _keep(arguments.keep, plan, healthy)
    return 0


def _tell(healthy, faults):
    for run in healthy:
        for alarm in run.alarms:
            _say(tell(f"{run.condition}/{run.seed} ({run.profile}, {run.preset})", START, alarm))
    for run in faults:
        where = f"{run.case}/{run.seed} ({run.profile}, {run.preset})"
        for alarm in (*run.early, *run.wrong):
            _say(tell(where, START, alarm))
        if run.lines is None:
            _say(f"{where}: not told")


def _keep(folder, plan, healthy):
    """Write the logs of the healthy runs in which there were false alarms."""
    wrong = {(run.condition, run.seed) for run in healthy if run.alarms}
    for place, condition in plan.wanted(CONDITIONS):
        for name, run in wrong:
            if name == condition.name:
                keep(folder, f"condition-{place}-run-{run}", stream_of(condition, run)[0].recording())


def _arguments(argv):
    parser = argparse.ArgumentParser(prog="python -m tests.bench.generated", description=__doc__)
    parser.add_argument("--hours", type=float, default=300.0, help="run-hours per healthy condition (default: 300)")
    parser.add_argument("--runs", type=int, default=30, help="runs per fault (default: 30)")
    parser.add_argument("--only", default="", metavar="TEXT", help="conditions and faults with this in their names")
    parser.add_argument("--preset", action="append", default=[], choices=[*Preset], help="default: both")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--alarms", action="store_true", help="print each false alarm, with its run and moment")
    parser.add_argument("--keep", metavar="FOLDER", help="write the logs with false alarms and their arrivals there")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
