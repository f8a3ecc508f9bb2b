"""What is believed of a host's answer."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from monitor_core.collect.frames import parse

TOKEN = "0123456789abcdef"


def said(*words):
    return b"\n" + b" ".join([TOKEN.encode(), *words]) + b"\n"


def file(data, count=None, path=b"/data/train.log", exact=b"1700000000.250000000", how=b"on", real_path=b""):
    size = b"%d" % (len(data) if count is None else count)
    header = said(b"file", b"0", how, b"1:2", size, b"1700000000", exact, b"0", size, path)
    return header + data + said(b"end", real_path)


CLOCK, DONE = said(b"clock", b"1700000001.5"), said(b"done")


def test_clock_files_and_refusals_are_taken():
    answer = parse(CLOCK + file(b"one\n") + said(b"refused", b"1", b"missing", b"/a b") + DONE, TOKEN)
    assert (answer.clock, answer.whole, answer.torn) == (1_700_000_001.5, True, set())
    (frame,) = answer.files
    assert (frame.path, frame.data, frame.mtime, frame.goes_on) == (
        "/data/train.log",
        b"one\n",
        1_700_000_000.25,
        True,
    )
    (refusal,) = answer.refusals
    assert (refusal.run, refusal.why, refusal.path) == (1, "missing", "/a b")


def test_where_a_file_really_is_comes_at_its_end():
    answer = parse(
        CLOCK + file(b"one\n", real_path=b"/a folder/x.log") + file(b"", real_path=b"/caf\xe9") + DONE, TOKEN
    )
    assert [frame.real_path for frame in answer.files] == ["/a folder/x.log", ""]


def test_what_a_search_found_is_no_file_that_was_asked_for():
    answer = parse(CLOCK + file(b"x", how=b"kin") + file(b"", how=b"text") + file(b"", how=b"other") + DONE, TOKEN)
    assert ([len(found) for found in (answer.kin, answer.texts, answer.files)], answer.files[0].goes_on) == (
        [1] * 3,
        False,
    )


def test_what_was_found_of_processes_is_taken():
    answer = parse(CLOCK + said(b"process", b"3", b"none") + said(b"process", b"4", b"pid", b"7 8 9 10") + DONE, TOKEN)
    assert [(each.run, each.kind, each.text) for each in answer.processes] == [(3, "none", ""), (4, "pid", "7 8 9 10")]


@given(st.binary(), st.binary(), st.binary())
def test_whatever_bytes_a_file_has_it_comes_out_of_the_noise_around_it(before, data, after):
    answer = parse(before + CLOCK + file(data) + after + file(b"two", path=b"/b") + DONE, TOKEN)
    assert [frame.data for frame in answer.files] == [data, b"two"]
    assert answer.whole


def test_a_file_that_was_truncated_while_it_was_read_is_torn_and_the_next_one_is_read():
    answer = parse(CLOCK + file(b"shorter", count=100) + file(b"two\n", path=b"/b") + DONE, TOKEN)
    assert [frame.path for frame in answer.files] == ["/b"]
    assert answer.torn == {(0, "/data/train.log")}


def test_noise_within_the_bytes_of_a_file_tears_it():
    assert parse(CLOCK + file(b"one\nnoise", count=4) + DONE, TOKEN).files == []


def test_where_an_answer_breaks_off_is_told_by_what_was_about_to_be_touched():
    at = CLOCK + said(b"at", b"0", b"/data/train.log")
    assert parse(CLOCK, TOKEN).place is None
    assert parse(CLOCK + said(b"at", b"3", b"1"), TOKEN).place == (3, "1")
    assert parse(CLOCK + said(b"at", b"3"), TOKEN).place == (3, "")
    assert parse(at, TOKEN).place == (0, "/data/train.log")


@given(st.integers(0, 40))
def test_of_a_file_in_which_an_answer_breaks_off_the_bytes_count_that_came(came):
    data = b"one\ntwo\nthree\nfour\n"
    end = said(b"end", b"")
    begun = CLOCK + file(data).removesuffix(data + end)
    answer = parse((begun + data + end)[: len(begun) + came], TOKEN)
    (frame,) = answer.files
    assert frame.data == data[:came]
    assert (answer.torn, answer.whole) == (set(), False)


def test_marks_of_another_read_say_nothing():
    answer = parse(CLOCK + file(b"one\n") + DONE, "f" * 16)
    assert (answer.clock, answer.files, answer.whole) == (None, [], False)


def test_a_log_that_imitates_an_answer_is_a_log():
    imitation = said(b"refused", b"0", b"missing", b"/x").replace(TOKEN.encode(), b"f" * 16)
    answer = parse(CLOCK + file(imitation) + DONE, TOKEN)
    assert answer.files[0].data == imitation
    assert answer.refusals == []


def test_an_answer_without_its_end_is_not_whole():
    assert not parse(CLOCK + file(b"one\n"), TOKEN).whole


def test_a_stat_that_knows_no_fractions_gives_whole_seconds():
    for exact in (b"?", b"%.Y", b"1.Y", b"1700000000"):
        assert parse(file(b"x", exact=exact), TOKEN).files[0].mtime == 1_700_000_000.0


def test_a_name_that_is_not_utf8_is_refused():
    answer = parse(file(b"x", path=b"/caf\xe9.log"), TOKEN)
    assert answer.files == []
    assert [(refusal.why, refusal.path) for refusal in answer.refusals] == [("name", "/caf\\xe9.log")]
