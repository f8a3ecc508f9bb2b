"""Replaying a recording tells what the monitor would have told, by whichever clock the recording has."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor_core.cli import main
from monitor_core.cli.charted import chart_of
from monitor_core.notify.charts import Clock, png
from monitor_core.patterns import dialect
from monitor_core.replay.recording import read
from monitor_core.replay.simulate import simulate
from monitor_core.thresholds import Preset
from monitor_core.units import utc_time
from tests.support.training import START, line, values

DATA = Path(__file__).parents[1] / "data"


def lines(count, *, first=1, every=10.0, began=0.0, stamped=False, **how):
    stamps = [began + every * number for number in range(1, count + 1)]
    return [
        (at, line(first + n, stamp=START + at if stamped else None, ms=every * 1000, **how))
        for n, at in enumerate(stamps)
    ]


def launch(number, resumed=None, redone=None):
    return {"launches": number, "resumed": resumed, "redone": redone}


def kinds(report):
    return [(incident["kind"], incident["severity"]) for incident in report["incidents"]]


def test_by_printed_times_a_silence_is_told_when_it_was_too_long(replay):
    report = replay(DATA / "megatron_stuck.log")
    assert report["state"] == "finished"
    assert report["iterations"] == {"first": 1, "last": 70, "total": 70, "count": 70} | launch(1)
    stuck, finished = report["incidents"]
    assert (stuck["kind"], stuck["severity"], stuck["iteration"]) == ("stuck", "critical", 40)
    assert stuck["at"] == pytest.approx(START + 400 + 120, abs=0.01)
    assert START + 1010 <= stuck["resolved_at"] <= START + 1070
    assert finished["kind"] == "finished"
    assert finished["summary"].replace("\u00a0", " ") == (
        "FINISHED in 21m. 70 / 70 iterations, ended 10:14 UTC (Tue 24 Nov): end marker seen."
    )


def test_by_the_times_per_iteration_a_slowdown_is_told_without_a_date(replay):
    report = replay(DATA / "megatron_slow_unstamped.log", "--check-interval", "10s")
    (slow,) = report["incidents"]
    assert (slow["kind"], slow["severity"], slow["at"], slow["resolved_at"]) == ("slow", "warning", None, None)
    assert 95 <= slow["iteration"] <= 102
    assert (report["state"], report["ms_per_iteration"]) == ("training", {"median": 10_000.0, "last": 13_000.0})


def test_by_arrivals_a_crash_is_told_with_its_cause(replay):
    report = replay(DATA / "megatron_crash.log", "--arrivals", str(DATA / "megatron_crash.arrivals.tsv"))
    assert (report["state"], report["cause"]["id"], report["cause"]["line_number"]) == ("failed", "cuda_oom", 39)
    assert report["cause"]["line"].startswith("torch.OutOfMemoryError: CUDA out of memory.")
    assert kinds(report) == [("failed", "critical")]
    assert report["incidents"][0]["at"] == START + 302


def test_the_object_has_exactly_the_keys_that_scripts_rely_on(replay):
    report = replay(DATA / "megatron_stuck.log")
    assert list(report) == [
        "format",
        "lines",
        "bytes",
        "state",
        "cause",
        "iterations",
        "ms_per_iteration",
        "loss",
        "incidents",
    ]
    assert list(report["incidents"][0]) == ["kind", "severity", "at", "iteration", "resolved_at", "summary"]
    assert (report["format"], report["lines"], report["cause"]) == ("megatron", 76, None)
    assert report["bytes"] == (DATA / "megatron_stuck.log").stat().st_size
    assert report["loss"] == {"first": 2.314012, "last": 2.314012}


def test_what_is_not_finite_is_a_string(replay, written):
    report = replay(*written([*lines(20), (210, line(21, loss="nan")), (220, line(22, loss="inf"))]))
    assert report["loss"]["last"] == "inf"
    report = replay(*written([*lines(20), (210, line(21, loss="nan"))]))
    assert report["loss"]["last"] == "nan"


def test_a_log_that_just_stops_is_in_its_last_phase_until_silence_is_asked_for(replay):
    log = DATA / "megatron_slow_unstamped.log"
    assert [i["kind"] for i in replay(log)["incidents"]] == ["slow"]
    report = replay(log, "--silence", "30m")
    assert [(i["kind"], i["severity"]) for i in report["incidents"]] == [("slow", "warning"), ("stuck", "critical")]
    assert report["state"] == "training"


@pytest.mark.parametrize(("code", "state"), [(None, "training"), (0, "stopped"), (1, "failed"), (137, "failed")])
def test_the_exit_code_of_the_end_row_decides_where_there_is_no_marker(replay, written, code, state):
    report = replay(*written(lines(40), end=code))
    assert (report["state"], report["cause"]) == (state, None)
    assert [incident["kind"] for incident in report["incidents"]] == ([] if code is None else [state])


def test_an_exit_with_0_after_the_last_iteration_is_a_finish(replay, written):
    assert replay(*written(lines(40, total=40), end=0))["state"] == "finished"


def test_an_exit_with_an_error_makes_a_failure_of_a_finish(replay, written):
    pieces = [*lines(40, total=40), (410, "[after training is done] datetime: 2026-11-24 10:00:00\n")]
    assert replay(*written(pieces, end=0))["state"] == "finished"
    assert replay(*written(pieces, end=134))["state"] == "failed"


def test_an_empty_log_whose_process_died_has_failed_and_is_not_recognised(replay, tmp_path):
    (tmp_path / "train.log").write_bytes(b"")
    (tmp_path / "rows").write_text("end\t137\n")
    report = replay(tmp_path / "train.log", "--arrivals", str(tmp_path / "rows"), status=2)
    assert (report["state"], kinds(report)) == ("failed", [("failed", "critical")])


@pytest.mark.parametrize("rows", ["", f"{START}\t0\n"])
def test_an_empty_log_is_nothing_or_a_start(replay, tmp_path, rows):
    (tmp_path / "train.log").write_bytes(b"")
    (tmp_path / "rows").write_text(rows)
    report = replay(tmp_path / "train.log", "--arrivals", str(tmp_path / "rows"), status=2)
    assert report["state"] == ("starting" if rows else "unknown")


def test_an_empty_log_whose_process_left_with_0_is_unknown(replay, tmp_path):
    (tmp_path / "train.log").write_bytes(b"")
    (tmp_path / "rows").write_text(f"{START}\t0\nend\t0\n")
    assert replay(tmp_path / "train.log", "--arrivals", str(tmp_path / "rows"), status=2)["state"] == "unknown"


def test_a_row_that_is_smaller_than_the_one_before_is_a_truncation(replay, written, tmp_path):
    log, _, rows = written(lines(30, first=31, began=300.0))
    Path(rows).write_text(f"{START + 10:.0f}\t5000\n{START + 290:.0f}\t9000\nend\t1\n" + Path(rows).read_text())
    report = replay(log, "--arrivals", rows)
    assert (report["iterations"]["first"], report["iterations"]["last"], report["iterations"]["count"]) == (31, 60, 30)
    assert (report["state"], report["incidents"]) == ("training", [])


def test_two_launches_in_one_log_are_told_apart(replay, written):
    first = [
        *lines(40, stamped=True),
        (401, "[exiting program after receiving SIGTERM.] datetime: 2026-11-24 10:00:00\n"),
    ]
    second = [(900, "[before the start of training step] datetime: 2026-11-24 10:07:35\n")]
    report = replay(*written([*first, *second, *lines(40, first=31, began=900.0, every=14.0, stamped=True)]))
    assert report["iterations"] == {"first": 1, "last": 70, "total": 100_000, "count": 80} | launch(2, 30, 10)
    assert report["ms_per_iteration"]["median"] == 14_000.0
    assert kinds(report) == [("stopped", "warning")]
    assert report["incidents"][0]["resolved_at"] == pytest.approx(START + 960, abs=60)


def test_polls_are_placed_at_the_check_interval_and_at_deadlines(replay, written):
    log = written([*lines(40), *lines(10, first=41, began=1000.0)])
    for interval in ("1s", "60s", "10m"):
        (stuck,) = replay(*log, "--check-interval", interval)["incidents"]
        assert stuck["at"] == pytest.approx(START + 520, abs=0.01) or interval == "10m"
        assert stuck["at"] <= START + 600.01


def test_bytes_beyond_the_last_row_came_with_it_and_rows_may_repeat_a_size(replay, written):
    log, option, rows = written(lines(30))
    text = Path(rows).read_text().splitlines()
    Path(rows).write_text("\n".join([*text[:20], text[19], text[19]]) + "\n")
    assert replay(log, option, rows)["iterations"]["count"] == 30


def test_thresholds_and_preset_can_be_set(replay, written):
    log = written([*lines(40), *lines(10, first=41, began=490.0)])
    assert replay(*log)["incidents"] == []
    assert [i["kind"] for i in replay(*log, "--set", "stuck_floor=30s")["incidents"]] == ["stuck"]
    assert [i["kind"] for i in replay(*log, "--set", "stuck=40s")["incidents"]] == ["stuck"]
    assert [i["kind"] for i in replay(*log, "--preset", "seed")["incidents"]][:1] == ["stuck"]


def test_lines_end_as_they_may_in_a_recording(replay, tmp_path):
    text = "".join(piece for _, piece in lines(30, stamped=True)).replace("\n", "\r\n").rstrip("\r\n")
    (tmp_path / "train.log").write_bytes(b"\0" * 300 + b"\n" + text.encode())
    assert replay(tmp_path / "train.log")["iterations"]["count"] == 30


def test_a_log_without_progress_or_cause_exits_with_2_and_prints_what_was_seen(replay, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing of interest\n" * 5)
    report = replay(tmp_path / "notes.txt", status=2)
    assert (report["format"], report["lines"], report["iterations"]["count"]) == (None, 5, 0)


def test_a_log_that_holds_only_a_cause_is_recognised(replay, tmp_path):
    (tmp_path / "err.log").write_text("slurmstepd: error: *** STEP 1.0 ON a CANCELLED AT 2026-11-24T10:00:00 ***\n")
    report = replay(tmp_path / "err.log")
    assert (report["state"], report["cause"]["id"]) == ("stopped", "slurm_cancelled")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["missing.log"], "missing.log: No such file or directory"),
        (["{log}", "--set", "slo=2"], "slo is no threshold"),
        (["{log}", "--set", "slow=0.5"], "allowed for slow"),
        (["{log}", "--check-interval", "soon"], "--check-interval: 'soon' is not a duration"),
        (["{log}", "--arrivals", "{log}"], ":1: "),
    ],
)
def test_what_cannot_be_replayed_is_refused_with_the_reason(capsys, options, words):
    log = str(DATA / "megatron_stuck.log")
    assert main(["replay", *(option.format(log=log) for option in options)]) == 2
    assert words in capsys.readouterr().err


def test_people_read_the_same_in_words(capsys):
    assert main(["replay", str(DATA / "megatron_crash.log")]) == 0
    shown = capsys.readouterr().out.replace("\u00a0", " ").splitlines()
    assert shown[0].endswith("megatron_crash.log: 39 lines, 9,144 bytes, format megatron")
    assert shown[1:4] == [
        "iterations 1 to 30 / 70 (42.9%), 1 launch",
        "usually 10.0 s per iteration",
        "loss 2.314 to 2.314",
    ]
    assert "state: failed" in shown


def test_people_read_that_a_run_of_few_lines_is_still_learning(capsys, tmp_path):
    log = tmp_path / "train.log"
    log.write_text("".join((DATA / "megatron_stuck.log").read_text().splitlines(keepends=True)[:12]))
    assert main(["replay", str(log)]) == 0
    assert "state: training, learning" in capsys.readouterr().out.splitlines()


def test_people_read_how_many_lines_there_are_where_none_tells_its_iteration(capsys, tmp_path):
    log = tmp_path / "train.log"
    log.write_text("".join(f"{{'loss': 2.{n:02}, 'learning_rate': 1e-05, 'epoch': 0.{n:02}}}\n" for n in range(30)))
    assert main(["replay", str(log)]) == 0
    assert "30 progress lines, 1 launch" in capsys.readouterr().out.splitlines()
    chart = charted(log)
    assert (chart.unit, chart.facts) == ("line", ("no alerts", "hf-trainer", "30 lines"))


def test_a_plot_is_written_beside_the_report(capsys, tmp_path):
    out = tmp_path / "out.png"
    log = str(DATA / "megatron_stuck.log")
    assert main(["replay", log, "--json"]) == 0
    without = capsys.readouterr()
    assert main(["replay", log, "--json", "--plot", str(out)]) == 0
    assert capsys.readouterr() == without
    assert out.read_bytes().startswith(b"\x89PNG")


def charted(log, *, preset=Preset.DEFAULT, **thresholds):
    recording = read(log, None, "auto")
    chosen = values(preset, **thresholds)
    return chart_of(log.name, chosen, recording, simulate(recording, chosen, preset, "auto", 60.0, 0.0))


def test_a_plot_shows_what_was_told_and_when_it_held_was_told_and_became_critical():
    chart = charted(DATA / "megatron_stuck.log")
    stuck, finished = chart.alerts
    assert stuck.name.replace("\u00a0", " ") == "STUCK 10m"
    moments = (stuck.since, stuck.told, stuck.worse, stuck.until)
    assert [utc_time(each) for each in moments] == ["09:59:15 UTC", "10:01:15 UTC", "10:09:15 UTC", "10:09:25 UTC"]
    assert (finished.name, finished.since, finished.until) == ("FINISHED in 21m", chart.until, chart.until)
    assert (chart.name, chart.state, chart.facts) == (
        "megatron_stuck.log",
        "finished",
        ("2 alerts", "megatron", "iteration 70 of 70"),
    )
    assert (chart.limit, len(chart.lines), chart.clock) == (1.1, 70, Clock.UTC)


def test_a_plot_of_a_slow_run_shows_its_usual_as_it_was_learned_and_the_limit_in_force():
    chart = charted(DATA / "megatron_slow_unstamped.log", slow="1.2")
    (slow,) = chart.alerts
    assert (slow.name, slow.usual, slow.until) == ("SLOW 1.30x", 10.0, chart.until)
    assert next(line.iteration for line in chart.lines if slow.since <= line.at) == 91
    assert (chart.limit, chart.clock) == (1.2, Clock.ELAPSED)
    usual = {line.iteration: line.usual for line in chart.lines}
    assert (usual[5], usual[50], usual[130]) == (None, 10_000.0, 10_000.0)


def test_a_plot_shows_the_phases_and_what_a_launch_has_done_again(tmp_path):
    log = tmp_path / "train.log"
    log.write_text(
        "".join(line(n, stamp=START + 10 * n, total=80) for n in range(1, 41))
        + "saving checkpoint at iteration      40 to /data/ckpt\n"
        + "  successfully saved checkpoint at iteration      40 to /data/ckpt\n"
        + "".join(line(n, stamp=START + 60 + 10 * n, total=80) for n in range(41, 51))
        + "".join(line(n, stamp=START + 1200 + 10 * n, total=80) for n in range(41, 81))
    )
    chart = charted(log)
    assert [phase.phase for phase in chart.phases] == ["training", "checkpointing", "training"]
    assert [(launch.number, launch.resumed, launch.redone) for launch in chart.launches] == [
        (1, None, None),
        (2, 40, 10),
    ]
    assert [sum(line.launch == number for line in chart.lines) for number in (1, 2)] == [50, 40]


def test_a_start_without_a_date_is_drawn_where_the_first_line_says_it_was(tmp_path):
    log = tmp_path / "train.log"
    log.write_text(
        "  log_interval ......................... 1\n  save_interval ........................ 1000\n"
        + "".join(line(n, stamp=START + 10 * n, total=80) for n in range(1, 41))
    )
    chart = charted(log)
    assert [launch.at for launch in chart.launches] == [pytest.approx(START, abs=15)]
    assert min(chart.span) >= START - 15


def test_lines_of_one_second_are_drawn_one_after_the_other(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("".join(line(n, stamp=START + n // 4, ms=250.0, total=80) for n in range(1, 81)))
    moments = [each.at for each in charted(log).lines]
    assert len(set(moments)) == 80
    assert moments == sorted(moments)


def test_a_log_without_times_is_plotted_by_its_iterations(tmp_path):
    log = tmp_path / "train.log"
    log.write_text("".join(f"step {n} of 60 loss 2.{n:02}\n" for n in range(1, 61)))
    layout = (dialect("pattern", ("step {iteration} of {total} loss {loss}",)),)
    recording = read(log, None, layout)
    chosen = values(Preset.DEFAULT)
    chart = chart_of("train.log", chosen, recording, simulate(recording, chosen, Preset.DEFAULT, layout, 60.0, 0.0))
    assert chart.clock is Clock.NONE
    assert [each.at for each in chart.lines] == list(range(1, 61))
    assert png(chart).startswith(b"\x89PNG")


def test_a_plot_of_nothing_is_refused_and_what_was_seen_is_printed(capsys, tmp_path):
    (tmp_path / "notes.txt").write_text("nothing of interest\n" * 5)
    assert main(["replay", str(tmp_path / "notes.txt"), "--plot", str(tmp_path / "out.png")]) == 2
    shown = capsys.readouterr()
    assert "There is nothing to draw" in shown.err
    assert "5 lines" in shown.out
    assert not (tmp_path / "out.png").exists()


def test_a_plot_that_cannot_be_written_is_refused_with_the_reason(capsys, tmp_path):
    out = tmp_path / "missing" / "out.png"
    assert main(["replay", str(DATA / "megatron_stuck.log"), "--plot", str(out)]) == 2
    assert capsys.readouterr().err == f"--plot {out}: No such file or directory\n"


def test_without_timestamps_times_count_from_the_first_line(capsys):
    status = main(["replay", str(DATA / "megatron_slow_unstamped.log"), "--json"])
    report = json.loads(capsys.readouterr().out)
    assert status == 0
    summaries = [incident["summary"] for incident in report["incidents"]]
    assert summaries
    assert all(" in" in summary and "UTC" not in summary for summary in summaries)
