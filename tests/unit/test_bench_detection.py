"""How the bench counts what was told: bounds, delays, and which alarms are false."""

from __future__ import annotations

import pytest

from monitor_core.model.incidents import Kind, Severity
from monitor_core.replay.recording import Piece, Recording
from monitor_core.thresholds import Preset
from tests.bench.alarms import Alarm, Verdict, judge, keep, reaching
from tests.bench.conditions import CASES, CONDITIONS, Case, Gate
from tests.bench.generated import (
    HOURS_PER_RUN,
    Found,
    Healthy,
    Plan,
    case_stream,
    faulty_run,
    found_in,
    healthy_run,
    measure,
)
from tests.bench.generated_tables import quantile, tables
from tests.bench.poisson import upper_bound
from tests.bench.recorded import false_outside, first_told, wrong_within
from tests.bench.shared import Event, Run
from tests.bench.streams import Fault, Stream

AT = 1_795_513_955.0  # Tue 24 Nov 2026, 09:52:35 UTC


def alarm(kind=Kind.SLOW, at=AT, *, severity=Severity.WARNING, since=None, over=None, limit=None):
    return Alarm(kind, severity, at if since is None else since, at, 7, over, limit, "")


@pytest.mark.parametrize(
    ("count", "bound"), [(0, 2.9957), (1, 4.7439), (2, 6.2958), (5, 10.5130), (10, 16.9622), (50, 63.2871)]
)
def test_the_bound_of_a_count_is_that_of_the_tables(count, bound):
    assert upper_bound(count) == pytest.approx(bound, abs=0.001)


def test_the_bound_of_a_large_count_is_near_the_normal_one():
    assert upper_bound(10_000) == pytest.approx(10_000 + 1.645 * 100, rel=0.001)


def test_names_of_conditions_and_faults_tell_them_apart():
    for table in (CONDITIONS, CASES):
        assert len({entry.name for entry in table}) == len(table)


def test_a_healthy_run_is_judged_under_each_preset():
    found = healthy_run((0, 0, tuple(Preset)))
    assert [run.preset for run in found] == [*Preset]
    assert all(run.hours == pytest.approx(HOURS_PER_RUN, abs=0.1) for run in found)
    default, seed = found
    assert len(default.alarms) < len(seed.alarms)


def test_a_hang_is_found_at_its_limit():
    place = next(place for place, case in enumerate(CASES) if case.name == "hang of 30 min")
    (found,) = faulty_run((place, 0, (Preset.DEFAULT,)))
    assert found.late == pytest.approx(0, abs=1)
    assert found.lines == 0
    assert 0 <= found.resolved_seconds <= 120


def test_a_crash_is_found_with_its_cause():
    place = next(place for place, case in enumerate(CASES) if case.name == "crash: cuda_oom")
    (found,) = faulty_run((place, 0, (Preset.DEFAULT,)))
    assert found.cause
    assert found.seconds < 600


def test_a_fault_lies_after_what_is_normal_and_before_the_end():
    for case in CASES:
        stream = case_stream(case, "quiet", 1)
        assert 200 <= stream.lines_between(0, stream.began) <= 310
        if case.fault.lines and not case.fault.stops:
            assert stream.lines_between(stream.began, stream.ended) in {case.fault.lines, case.fault.lines + 1}
            assert stream.lines_between(stream.ended, stream.at) > 30


def judged(*alarms, fault=None, ended=AT + 100):
    case = Case("slow", fault or Fault("slow", 10, slower=2.0))
    stream = Stream(lines=[AT + 10 * n for n in range(100)], began=AT + 5, ended=ended, at=AT + 1000)
    return found_in(case, stream, Verdict(alarms, "training", None), Preset.DEFAULT, "quiet", 1)


def test_the_delay_runs_from_the_beginning_of_the_fault_to_the_look_that_told_it():
    found = judged(alarm(at=AT + 45, over=AT + 145))
    assert (found.lines, found.seconds, found.late) == (4, 40, 35)
    assert (found.resolved_lines, found.resolved_seconds) == (4, 45)


def test_what_is_told_long_after_a_fault_has_not_told_it():
    assert judged(alarm(at=AT + 161)).lines is None
    assert judged(alarm(at=AT + 159)).lines == 15


def test_what_comes_before_is_false_and_what_comes_with_it_is_another_kind():
    found = judged(alarm(at=AT + 1), alarm(Kind.STUCK, AT + 30), alarm(at=AT + 45))
    assert [a.at for a in found.early] == [AT + 1]
    assert [a.kind for a in found.wrong] == [Kind.STUCK]


def test_information_is_no_alarm():
    assert judged(alarm(Kind.LOSS_SPIKE, AT + 30, severity=Severity.INFO)).wrong == ()


def test_what_was_over_too_early_has_no_delay_of_its_end():
    assert judged(alarm(at=AT + 45, over=AT + 60)).resolved_lines is None


def test_a_silence_is_late_by_what_passes_after_its_limit():
    fault = Fault("stuck", 1, stops=90.0)
    assert judged(alarm(Kind.STUCK, AT + 80, since=AT + 5, limit=60.0), fault=fault).late == 15


def healthy(*alarms, hours=5000.0, pauses=0, condition=CONDITIONS[0].name, preset=Preset.DEFAULT):
    return Healthy(condition, preset, "quiet", 1, hours, pauses, alarms)


def rows(table):
    return [row.cells() for row in table.rows]


@pytest.mark.parametrize(("count", "kept"), [(9, "≤ 3: kept"), (10, "≤ 3: **missed**")])
def test_false_alarms_are_judged_by_their_bound(count, kept):
    overall, *_ = tables([healthy(*[alarm()] * count, hours=5500.0)], [])
    critical, warning, kind = rows(overall)
    assert critical == ("default", "all critical", "5,500", "0", "0.00 (≤ 0.54)", "≤ 1: kept")
    assert warning[-1] == kept
    assert kind[1] == "slow warning"


def test_the_marked_pauses_are_judged_only_if_there_were_enough():
    name = next(condition.name for condition in CONDITIONS if "marked save" in condition.name)
    told = {}
    for pauses in (1999, 2000):
        _, by_condition, *_ = tables([healthy(pauses=pauses, condition=name)], [])
        told[pauses] = rows(by_condition)[0][-1]
    assert told == {1999: "too few pauses (1,999)", 2000: "none in ≥ 2,000 pauses: kept (2,000)"}


def found(lines, profile="quiet", **changed):
    known = {"seconds": 1.0, "late": 1.0, "cause": True, "early": (), "wrong": ()}
    known |= {"resolved_lines": None, "resolved_seconds": None} | changed
    return Found(CASES[0].name, Preset.DEFAULT, profile, 1, lines, *known.values())


def asked(*runs):
    return rows(tables([], runs)[3])[0][-1]


def test_what_was_asked_of_a_fault_is_judged_in_the_noise_for_which_it_was_asked():
    assert CASES[0].gate == Gate(share=0.95, median=20, profiles=("quiet", "usual"))
    good = [found(12)] * 19
    assert asked(*good, found(None)).startswith("told ≥ 95%: kept")
    assert asked(*good, found(None), found(None)).startswith("told ≥ 95%: **missed**")
    assert asked(*good, *[found(None, "rough")] * 9).startswith("told ≥ 95%: kept")
    assert "median ≤ 20: **missed**" in asked(*[found(21)] * 3)


def test_a_quantile_is_a_value_that_was_measured():
    assert quantile(range(1, 101), 0.95) == 95
    assert quantile([3], 0.95) == 3


def test_little_is_measured_by_a_small_plan():
    runs, faults = measure(Plan(hours=1, runs=1, presets=(Preset.DEFAULT,), only="100 iterations", processes=1))
    assert [run.profile for run in runs] == ["quiet", "usual", "rough"]
    assert not faults


EMPTY = Recording((), (), (), (), None, 0, 0, synthetic=False)


def test_alarms_of_a_labelled_run_are_sorted_by_its_events():
    slow = Event("slow", AT + 100, AT + 120, (Kind.SLOW,))
    run = Run("made/up", EMPTY, [slow], [Event("contention", AT + 50, AT + 60, ())])
    told = {
        "early": alarm(at=AT + 20),
        "busy": alarm(at=AT + 55),
        "right": alarm(at=AT + 110),
        "wrong": alarm(Kind.STUCK, AT + 115),
        "late": alarm(at=AT + 140),
        "end": alarm(Kind.FINISHED, AT + 160, severity=Severity.INFO),
    }
    verdict = Verdict(tuple(told.values()), "finished", None)
    assert false_outside(run, verdict) == [told["early"], told["late"]]
    assert wrong_within(run, verdict) == [told["wrong"]]
    assert first_told(slow, verdict) == told["right"]


def test_a_kept_log_can_be_replayed(tmp_path):
    pieces = (Piece(AT, b"one\n"), Piece(AT + 60, b"two\nthree\n"))
    keep(tmp_path / "logs", "a", Recording(pieces, (), (), (), None, 3, 14, synthetic=False))
    assert (tmp_path / "logs" / "a.log").read_bytes() == b"one\ntwo\nthree\n"
    assert (tmp_path / "logs" / "a.arrivals.tsv").read_text() == f"{AT:.3f}\t4\n{AT + 60:.3f}\t14\n"


def test_what_flaps_is_told_once_and_what_is_critical_is_told_all_the_same():
    flap = alarm(Kind.FLAPPING, AT + 30, over=AT + 90)._replace(detail="slow")
    told = [alarm(at=AT), flap, alarm(at=AT + 40), alarm(at=AT + 50, severity=Severity.CRITICAL), alarm(at=AT + 95)]
    assert [a.at - AT for a in reaching(told)] == [0, 30, 50, 95]


def test_a_log_is_judged_with_the_thresholds_asked():
    case = Case("hang", Fault("stuck", 1, stops=1800.0))
    recording = case_stream(case, "quiet", 1).recording()
    assert [a.kind for a in judge(recording, Preset.DEFAULT).alarms] == [Kind.STUCK]
    assert not judge(recording, Preset.DEFAULT, stuck="2h").alarms
