"""What is told of real logs and of labelled runs; `python -m tests.bench.recorded` prints it."""

from __future__ import annotations

import sys
from statistics import median

from monitor_core.model.incidents import ENDINGS, Kind
from monitor_core.thresholds import Preset
from tests.bench import meanings, shared
from tests.bench.alarms import PRESETS, calls, counted, judge, tell
from tests.bench.figures import Cells, Table
from tests.bench.generated_tables import kept, quantile, rate
from tests.bench.page import section

_RUNS = {"check_interval": 1.0, "stuck_floor": "5s"}
_CAUSE_RIGHT = 0.9
_ABSENT = Cells(("-", "no shared data here: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED"))


def tables():
    """Replay everything and return the tables."""
    logs = [(log, {preset: judge(log.recording, preset) for preset in PRESETS}) for log in shared.logs()]
    runs = [(run, {preset: judge(run.recording, preset, **_RUNS) for preset in PRESETS}) for run in shared.runs()]
    return [_logs(logs), *(_events(runs, preset) for preset in PRESETS), _runs(runs), _endings(logs, runs)]


def false_in(log, verdict):
    """Return the alarms of a healthy log that are not true."""
    return [alarm for alarm in verdict.alarms if calls(alarm) and alarm.kind not in log.right]


def false_outside(run, verdict):
    """Return the alarms of a labelled run that no event explains; in contention they count neither way."""
    spans = [*run.events, *run.busy]
    return [a for a in _training(verdict) if not any(span.meets(a) for span in spans)]


def wrong_within(run, verdict):
    """Return the alarms in the time of an event which tell of something else."""
    met = [(alarm, [event for event in run.events if event.meets(alarm)]) for alarm in _training(verdict)]
    return [alarm for alarm, events in met if events and not any(alarm.kind in event.right for event in events)]


def first_told(event, verdict):
    """Return the alarm that told of an event first, None if none did.

    A crash is labelled when its process was gone: the log told of it before.
    """
    right = [alarm for alarm in verdict.alarms if calls(alarm) and alarm.kind in event.right]
    return next((alarm for alarm in right if event.kind == "crash" or event.meets(alarm)), None)


def _training(verdict):
    """Return the alarms that are no endings: those are judged by themselves."""
    return [alarm for alarm in verdict.alarms if calls(alarm) and alarm.kind not in ENDINGS]


def _logs(logs):
    healthy = [(log, verdicts) for log, verdicts in logs if log.healthy]
    hours = sum((log.recording.ended - log.recording.began) / 3600 for log, _ in healthy)
    rows = []
    for preset in PRESETS if healthy else ():
        false = [alarm for log, verdicts in healthy for alarm in false_in(log, verdicts[preset])]
        told = [log.name for log, verdicts in healthy if false_in(log, verdicts[preset])]
        cells = (preset, f"{len(healthy)}", f"{hours:,.1f}", counted(false), rate(len(false), hours))
        rows.append(Cells((*cells, f"{len(told)}", ", ".join(told) if len(told) <= 8 else "-")))
    head = ("preset", "logs", "run-hours", "told", "in 1,000 run-hours", "logs with some", "which")
    return Table("False alarms in healthy real logs", meanings.LOGS, rows or [_ABSENT], head)


def _events(runs, preset):
    rows = []
    for kind in sorted({event.kind for run, _ in runs for event in run.events}):
        found = [(run, e, verdicts[preset]) for run, verdicts in runs for e in run.events if e.kind == kind]
        told = [(event, first_told(event, verdict)) for run, event, verdict in found]
        delays = [alarm.at - event.since for event, alarm in told if alarm is not None]
        missed = [run.name for (run, _, _), (_, alarm) in zip(found, told, strict=True) if alarm is None]
        spread = f"{median(delays):.1f}, {quantile(delays, 0.95):.1f}" if delays else "-"
        rows.append(Cells((kind, f"{len(found)}", f"{len(delays)}", spread, ", ".join(missed) or "-")))
    head = ("event", "n", "told", "delay in s: median, p95", "not told in")
    return Table(f"Labelled faults, preset {preset}", meanings.EVENTS, rows or [_ABSENT], head)


def _runs(runs):
    rows = []
    for preset in PRESETS if runs else ():
        wrong = [alarm for run, verdicts in runs for alarm in wrong_within(run, verdicts[preset])]
        outside = {run.name: false_outside(run, verdicts[preset]) for run, verdicts in runs}
        false = [alarm for alarms in outside.values() for alarm in alarms]
        states = [verdicts[preset].state in run.states for run, verdicts in runs]
        odd = [
            f"{run.name}: {verdicts[preset].state}"
            for (run, verdicts), right in zip(runs, states, strict=True)
            if not right
        ]
        with_some = sum(bool(alarms) for alarms in outside.values())
        cells = (preset, f"{len(runs)}", counted(wrong), counted(false), f"{with_some}")
        rows.append(Cells((*cells, f"{sum(states)} of {len(states)}", ", ".join(odd) or "-")))
    head = (
        "preset",
        "runs",
        "of another kind in an event",
        "outside events",
        "runs with some",
        "end right",
        "wrong end",
    )
    return Table("Labelled runs: what else was told, and their ends", meanings.RUNS, rows or [_ABSENT], head)


def _endings(logs, runs):
    crashed = [(log.name, {log.cause}, verdicts) for log, verdicts in logs if log.state == "failed"]
    crashed += [(run.name, run.causes, verdicts) for run, verdicts in runs if run.causes]
    finished = [(log.name, verdicts) for log, verdicts in logs if log.state == "finished"]
    finished += [(run.name, verdicts) for run, verdicts in runs if run.states == {"finished"}]
    rows = []
    for preset in PRESETS if crashed else ():
        wrong = [f"{name}: {v[preset].cause}" for name, causes, v in crashed if v[preset].cause not in causes]
        right = 1 - len(wrong) / len(crashed)
        failed = [name for name, v in finished if v[preset].state == Kind.FAILED]
        judged = preset is Preset.DEFAULT
        asked = f"≥ {_CAUSE_RIGHT:.0%}: {kept(right >= _CAUSE_RIGHT)}" if judged else "-"
        none = f"none: {kept(not failed)}" if judged else "-"
        rows += [
            Cells((preset, "root cause right", f"{len(crashed)}", f"{right:.0%}", asked, ", ".join(wrong) or "-")),
            Cells(
                (
                    preset,
                    "finished, called failed",
                    f"{len(finished)}",
                    f"{len(failed)}",
                    none,
                    ", ".join(failed) or "-",
                )
            ),
        ]
    head = ("preset", "judged", "n", "measured", "asked", "which are wrong")
    return Table("Causes and ends", meanings.ENDINGS, rows or [_ABSENT], head)


def _say(text, end="\n"):
    sys.stdout.write(text + end)


def main():
    for table in tables():
        _say(section(table), end="\n\n")
    for log in shared.logs():
        for alarm in false_in(log, judge(log.recording, Preset.DEFAULT)) if log.healthy else ():
            _say(tell(log.name, log.recording.began, alarm))
    for run in shared.runs():
        verdict = judge(run.recording, Preset.DEFAULT, **_RUNS)
        for alarm in false_outside(run, verdict) + wrong_within(run, verdict):
            _say(tell(run.name, run.recording.began, alarm))


if __name__ == "__main__":
    sys.exit(main())
