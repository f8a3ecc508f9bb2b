"""`replay --explain` shows why a log is read as it is, and what to try where it is not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from monitor_core.cli import main
from monitor_core.replay.suggest import suggest

DATA = Path(__file__).parents[1] / "data"
CONFIG = """\
hosts: {here: {transport: local}}
formats:
  ours:
    progress: "step {iteration} of {total} took {ms}ms, train_loss={loss}"
    pause: "saving to {any}"
    end: all finished
runs:
  small: {host: here, logs: /train.log, format: ours}
"""
PATTERN = "step {iteration} of {total} took {ms}ms, train_loss={loss}"


@pytest.fixture
def log(tmp_path):
    """A log of a loop of one's own."""
    lines = ["starting, world size 8", "export HF_TOKEN=hf_abcdefghijklmnopqrstuvwxyz123456"]
    lines += [
        f"2026-11-24 10:{step // 100:02d}:00 INFO step {step:5d} of 2000 took 812ms, train_loss=2.{step}"
        for step in range(10, 1010, 10)
    ]
    lines += ["saving to /ckpt/step_1000", "step 1010 of 2000 stopped by hand", "all finished"]
    path = tmp_path / "train.log"
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def explain(capsys):
    def run(log, *options, status=0):
        assert main(["replay", str(log), "--explain", *options]) == status
        return capsys.readouterr().out

    return run


@pytest.fixture
def explained(explain):
    return lambda log, *options, status=0: json.loads(explain(log, *options, "--json", status=status))


def test_the_two_lines_that_decided_and_the_rule_of_each_line_are_told(explain):
    told = explain(DATA / "megatron_crash.log")
    assert "39 lines, format megatron, decided by lines 6 and 7\n" in told
    assert re.search(r"^ +6  progress 1 / 70, .*   by `elapsed time per iteration`", told, re.MULTILINE)
    assert re.search(r"^ +5  training begins   by `", told, re.MULTILINE)
    assert re.search(r"^ +39  error cuda_oom$", told, re.MULTILINE)
    assert "       30  progress\n" in told
    assert "never told: throughput, date and time" in told
    assert "A pattern to start from" not in told


def test_of_each_kind_a_few_lines_are_shown_and_of_progress_the_last(explained):
    seen = explained(DATA / "megatron_crash.log")
    assert [line["number"] for line in seen["recognised"] if line["kind"] == "progress"] == [6, 7, 8, 35]
    assert (seen["kinds"]["progress"], seen["lines"], seen["decided_by"]) == (30, 39, [6, 7])


def test_a_log_that_nobody_knows_gets_a_pattern_to_start_from_that_works(explain, explained, log):
    told = explain(log, status=2)
    assert "105 lines, format not recognised" in told
    assert "        3  100 lines such as this one" in told
    assert f"      progress: '{PATTERN}'" in told
    pattern = explained(log, status=2)["suggestion"]
    assert pattern == PATTERN
    assert explained(log, "--format", pattern)["kinds"]["progress"] == 100


def test_secrets_in_lines_are_masked_and_lines_are_cut_to_the_terminal(explain, log, monkeypatch):
    monkeypatch.setenv("COLUMNS", "70")
    told = explain(log, status=2)
    assert "[redacted]" in told
    assert "hf_abc" not in told
    seen, _, copied = told.partition("A pattern to start from")
    assert max(len(line) for line in seen.splitlines() if line[:13].endswith("  | ")) == 70
    assert f"--format '{PATTERN}'" in copied


def test_a_format_of_ones_own_is_explained_with_its_pauses_and_its_end(explained, log, tmp_path):
    (tmp_path / "own.yaml").write_text(CONFIG)
    seen = explained(log, "--config", str(tmp_path / "own.yaml"), "--format", "ours")
    assert seen["format"] == "ours"
    assert seen["kinds"] == {"progress": 100, "pause begins": 1, "training ends": 1}
    assert seen["decided_by"] == []
    (refused,) = seen["refused"]
    assert refused["why"] == "fits `step {iteration} of {total}`, but not ` took {ms}ms, train_loss={loss}`"
    assert refused["number"] == 104


def test_a_pattern_that_nearly_fits_says_up_to_where(explain, log):
    told = explain(log, "--format", "step {iteration} of {total} in {ms}ms", status=2)
    assert "Looks like something known, and is not taken\n" in told
    assert "        3  100 lines such as this one: fits `step {iteration} of {total}`, but not ` in {ms}ms`\n" in told


def test_a_line_that_looks_like_a_frameworks_says_why_it_is_not_taken(explained, tmp_path):
    log = tmp_path / "mixed.log"
    log.write_text((DATA / "megatron_crash.log").read_text() + "iteration 9/ elapsed time per iteration\n" * 2)
    (refused,) = explained(log)["refused"]
    assert refused["why"] == "holds `elapsed time per iteration` of megatron, but the rest does not fit"
    assert (refused["number"], refused["count"]) == (40, 2)


def test_an_empty_log_is_told_as_one(explain, tmp_path):
    (tmp_path / "empty.log").write_text("")
    assert "0 lines, format not recognised" in explain(tmp_path / "empty.log", status=2)


def test_a_replay_knows_the_formats_of_the_file_that_is_named_and_of_no_other(
    replay, log, tmp_path, capsys, monkeypatch
):
    (tmp_path / "trainstatus.yaml").write_text(CONFIG)
    report = replay(log, "--config", str(tmp_path / "trainstatus.yaml"), "--format", "ours")
    assert (report["format"], report["state"]) == ("ours", "finished")
    counted = report["iterations"]
    assert (counted["first"], counted["last"], counted["total"], counted["count"]) == (10, 1000, 2000, 100)
    monkeypatch.chdir(tmp_path)
    assert main(["replay", str(log), "--format", "ours"]) == 2
    refused = capsys.readouterr().err
    assert "'ours' is not a log format (known: auto, " in refused
    assert "name its file with --config, or write its pattern" in refused


def test_a_replay_takes_a_pattern_and_says_what_is_wrong_with_one(replay, log, capsys):
    assert replay(log, "--format", PATTERN)["ms_per_iteration"]["median"] == 812.0
    assert main(["replay", str(log), "--format", "step {iter}"]) == 2
    assert "--format step {iter}: {iter} is not a field (known: any, iteration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("first", "last", "pattern"),
    [
        ("step 10 loss 3.0", "step 20 loss 2.0", "step {iteration} loss {loss}"),
        (
            "Iter: 10/500 | lr: 1e-4 | grad norm: 0.4 | 2.5 it/s",
            "Iter: 20/500 | lr: 1e-4 | grad norm: 0.4 | 2.5 it/s",
            "Iter: {iteration}/{total} | lr: {learning_rate} | grad norm: {grad_norm} | {it_per_s} it/s",
        ),
        ("{10} seen 7", "{20} seen 7", "{iteration}"),
        ("epoch 1/3 batch 5 of 100", "epoch 1/3 batch 6 of 100", "epoch {epoch}/{epochs} batch {batch} of {batches}"),
        ("{x} step 5", "{x} step 6", "step {iteration}"),
        ("step 5 {a: 1} loss 2", "step 6 {a: 1} loss 2", "step {iteration} {{a: {any}}} loss {loss}"),
        ("listening on port 8080", "listening on port 8080", ""),
    ],
)
def test_what_is_suggested_names_the_numbers_by_the_words_around_them(first, last, pattern):
    assert suggest(first, last) == pattern
