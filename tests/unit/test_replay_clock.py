"""When the lines of a recording were written, by what they say, and what follows for what is told."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from monitor_core.cli import main
from monitor_core.replay.recording import read
from tests.support.training import START, line

DATA = Path(__file__).parents[1] / "data"


def lines(count, *, first=1, every=10.0, began=0.0, stamped=False, **how):
    stamps = [began + every * number for number in range(1, count + 1)]
    return [
        (at, line(first + n, stamp=START + at if stamped else None, ms=every * 1000, **how))
        for n, at in enumerate(stamps)
    ]


HEADER = "  log_interval .................................... 1\n"
CRASH = """Traceback (most recent call last):
  File "train.py", line 3, in <module>
    main()
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB
"""


def dated(at):
    return f"datetime: {datetime.fromtimestamp(START + at, UTC):%Y-%m-%d %H:%M:%S} \n"


def stamped(first, began, count=20):
    return "".join(text for _, text in lines(count, first=first, began=began, stamped=True))


def with_pauses(text, lasting):
    """Return a log in which each 20 lines are followed by the text of a pause."""
    return "".join(
        stamped(1 + 20 * n, (200 + lasting) * n) + (text.format(20 * n + 20) if n < 3 else "") for n in range(4)
    )


SAVE = "saving checkpoint at iteration {0} to /c\n  successfully saved checkpoint from iteration {0} to /c\n"
EVALUATION = " validation loss at iteration {0} | lm loss value: 2.3E+00 |\n"


@pytest.fixture
def replay_text(replay, tmp_path):
    def run(*texts, padded=False):
        text = "".join(texts)
        # So many lines that the log is not walked line by line.
        (tmp_path / "train.log").write_text(("x" * 50 + "\n") * 30_000 * padded + text)
        return replay(tmp_path / "train.log")

    return run


def told(report):
    """Return what was told, and the seconds from the start at which it was told and closed."""
    return [
        (i["kind"], round(i["at"] - START), i["resolved_at"] and round(i["resolved_at"] - START))
        for i in report["incidents"]
    ]


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("lasting", [60, 115, 125, 300, 800])
def test_by_printed_times_a_marked_save_lasts_until_the_next_iteration_began(replay_text, lasting, padded):
    assert replay_text(with_pauses(SAVE, lasting), padded=padded)["incidents"] == []


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("lasting", [300, 400])
def test_by_printed_times_an_evaluation_lasts_until_the_next_iteration_began(replay_text, lasting, padded):
    header = "  eval_interval ................................... 20\n" + HEADER
    assert replay_text(header, with_pauses(EVALUATION, lasting), padded=padded)["incidents"] == []


@pytest.mark.parametrize(
    ("end", "restart", "expected"),
    [
        (CRASH, 1200, ("failed", 630, 1230)),
        ("[exiting program after 60 minutes]\n", 1200, ("stopped", 630, 1230)),
        ("[exiting program after 60 minutes] " + dated(602), 1200, ("stopped", 660, 1260)),
        ("[after training is done] " + dated(602), 3000, ("finished", 660, 3060)),
        (SAVE.format(60) + "[after training is done]\n", 3000, ("finished", 630, 3030)),
        ("", 3000, ("stuck", 720, 3060)),
        (SAVE.format(60), 3000, ("stuck", 720, 3060)),
    ],
)
@pytest.mark.parametrize("padded", [False, True])
def test_by_printed_times_an_end_is_told_before_the_relaunch_that_closes_it(
    replay_text, end, restart, expected, padded
):
    report = replay_text(HEADER, stamped(1, 0, 60), end, HEADER, stamped(61, restart, 60), padded=padded)
    ((kind, at, resolved_at),) = told(report)
    assert report["iterations"]["launches"] == 2
    assert (kind, at) == expected[:2]
    assert abs(resolved_at - expected[2]) <= 120


def test_a_line_with_the_time_of_another_zone_does_not_move_what_follows(replay_text):
    late = "[exiting program after 60 minutes] " + dated(8 * 3600)
    report = replay_text(HEADER, stamped(1, 0, 60), late, HEADER, stamped(61, 1200, 60))
    assert all(resolved_at <= 1300 for _, _, resolved_at in told(report))
    assert report["state"] == "training"


def test_a_launch_starts_no_later_than_its_start_up_lines_were_printed(replay_text):
    done = "[after training is done] " + dated(602)
    built = "[after dataloaders are built] " + dated(615)
    text = (HEADER, stamped(1, 0, 60), done, HEADER)
    assert told(replay_text(*text, built, stamped(61, 690, 60))) == []
    assert [kind for kind, _, _ in told(replay_text(*text, stamped(61, 690, 60)))] == ["finished"]


def test_the_usual_time_is_that_of_the_last_launch_though_it_went_on_where_the_first_ended(replay, written):
    again = [(1200, HEADER), *lines(40, first=101, began=1200.0, every=14.0)]
    report = replay(*written([*lines(100), *again]))
    assert (report["iterations"]["launches"], report["ms_per_iteration"]["median"]) == (2, 14_000.0)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("nan\t900", "finite"),
        ("inf\t900", "finite"),
        ("-inf\t900", "finite"),
        (f"{START + 900}\t-1", "size 0 or more"),
        (f"{START - 900}\t900", "before that of the row above"),
        ("900", "is not `unix_time"),
    ],
)
def test_arrivals_that_make_no_sense_are_refused_with_their_line(tmp_path, capsys, row, why):
    rows = tmp_path / "rows"
    rows.write_text(f"{START}\t0\n{row}\n")
    assert main(["replay", str(DATA / "megatron_stuck.log"), "--arrivals", str(rows)]) == 2
    shown = capsys.readouterr().err
    assert f"{rows}:2: " in shown
    assert why in shown


@pytest.mark.parametrize("stamp", [True, False])
def test_an_exit_without_arrivals_is_at_the_end_of_the_log(tmp_path, stamp):
    (tmp_path / "train.log").write_text("".join(text for _, text in lines(40, stamped=stamp)))
    (tmp_path / "rows").write_text("end\t1\n")
    recording = read(tmp_path / "train.log", tmp_path / "rows", "auto")
    assert recording.exited == (START + 400 if stamp else 400, 1)
