"""Python tracebacks in logs into which many ranks write."""

from __future__ import annotations

import pytest

from monitor_core.model.records import Failure, Role
from monitor_core.parse import Parser

TRACEBACK = (
    "Traceback (most recent call last):",
    '  File "/job/train.py", line 120, in <module>',
    "    step(batch)",
    "    ^^^^^^^^^^^",
    '  File "/job/train.py", line 67, in step',
    "    raise ValueError('no such sample')",
)
CHAINS = (
    "During handling of the above exception, another exception occurred:",
    "The above exception was the direct cause of the following exception:",
)


def read(*lines):
    return Parser().feed("".join(f"{line}\n" for line in lines).encode())


def tagged(tag, *lines):
    return [tag + line for line in lines]


def test_a_traceback_is_one_failure_told_by_its_exception():
    assert read("before", *TRACEBACK, "ValueError: no such sample", "after") == [
        Failure("exception", Role.ROOT, "ValueError: no such sample", line_number=8, frame="train.py:67 in step")
    ]


@pytest.mark.parametrize(
    ("tag", "rank"),
    [
        ("[rank3]: ", "3"),
        ("[default3]:", "3"),
        ("3: ", "3"),
        (" 3: ", "3"),
        ("0: [default3]:", "3"),
        ("0: [default0]:[rank3]: ", "3"),
        ("[1,3]<stderr>:", "3"),
        ("192.168.1.20: [rank3]: ", "3"),
        ("localhost: [rank3]: ", "3"),
        ("localhost: ", ""),
        ("192.168.1.20: ", ""),
        ("gpu-01: ", ""),
    ],
)
def test_the_rank_is_read_from_what_launchers_put_before_a_line(tag, rank):
    (failure,) = read(*tagged(tag, *TRACEBACK, "ValueError: no such sample"))
    assert (failure.text, failure.rank) == ("ValueError: no such sample", rank)


def test_tracebacks_of_many_ranks_are_followed_through_each_other():
    ranks = [tagged(f"[rank{rank}]: ", *TRACEBACK, f"ValueError: of {rank}") for rank in range(64)]
    failures = read(*(line for lines in zip(*ranks, strict=True) for line in lines))
    assert [(failure.rank, failure.text) for failure in failures] == [
        (str(rank), f"ValueError: of {rank}") for rank in range(64)
    ]


def test_other_output_between_the_lines_of_a_traceback_does_no_harm():
    lines = [extra for line in TRACEBACK for extra in (line, "[rank1]: WARNING: x", "loading shard 3")]
    (failure,) = read(*lines, "WARNING: slow", "ValueError: no such sample")
    assert failure.text == "ValueError: no such sample"


def test_what_looks_like_an_exception_before_the_first_frame_is_none():
    (failure,) = read(TRACEBACK[0], "Loading: shard 3", *TRACEBACK[1:], "ValueError: no such sample")
    assert failure.text == "ValueError: no such sample"


def test_unlabelled_tracebacks_of_two_processes_give_both_exceptions():
    lines = [line for line in TRACEBACK for _ in range(2)]
    assert [failure.text for failure in read(*lines, "ValueError: a", "KeyError: 'b'")] == [
        "ValueError: a",
        "KeyError: 'b'",
    ]


@pytest.mark.parametrize("chain", CHAINS)
def test_of_a_chain_the_first_exception_is_the_cause_and_the_next_follows_from_it(chain):
    failures = read(
        *tagged("[rank0]: ", *TRACEBACK, "RuntimeError: first"),
        "",
        *tagged("[rank0]: ", chain),
        "",
        *tagged("[rank0]: ", *TRACEBACK, "RuntimeError: second"),
    )
    assert [(failure.text, failure.role) for failure in failures] == [
        ("RuntimeError: first", Role.ROOT),
        ("RuntimeError: second", Role.CASCADE),
    ]


@pytest.mark.parametrize("between", [[], [""], ["restarting"], [CHAINS[0], "restarting"]])
def test_a_second_traceback_that_is_not_chained_is_a_cause_of_its_own(between):
    failures = read(*TRACEBACK, "RuntimeError: first", *between, *TRACEBACK, "RuntimeError: second")
    assert [failure.role for failure in failures] == [Role.ROOT, Role.ROOT]


def test_a_traceback_that_is_only_printed_as_a_list_of_strings_is_no_failure():
    assert (
        read(
            "14: WARNING:megatron.core.utils:",
            "14: ['Traceback (most recent call last):\\n', '  File \"x.py\", line 3, in f\\n', 'StopIteration\\n']",
            "14: StopIteration",
        )
        == []
    )


def test_a_traceback_inside_the_lines_of_a_logger_is_no_failure():
    head = "[rank1]:W0818 03:13:05.760000 24041 torch/_inductor/bundler.py:228] [2/1] "
    assert read(*tagged(head, *TRACEBACK, "RuntimeError: not found")) == []


@pytest.mark.parametrize(
    "exception",
    [
        "KeyError: 'x'",
        "AssertionError",
        "KeyboardInterrupt",
        "queue.Empty",
        "struct.error: unpack requires 4 bytes",
        "urllib3.exceptions.MaxRetryError: HTTPSConnectionPool",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 1.00 GiB",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
    ],
)
def test_exceptions_are_known_by_their_form(exception):
    (failure,) = read(*TRACEBACK, exception)
    assert failure.text == exception.strip()


def test_program_text_in_a_frame_proves_nothing():
    lines = [*TRACEBACK[:2], "    except torch.OutOfMemoryError:  # on error: CUDA out of memory", "ValueError: no"]
    assert [failure.signature for failure in read(*lines)] == ["exception"]


def test_a_traceback_that_never_ends_is_given_up():
    parser = Parser()
    parser.feed("".join(f"{line}\n" for line in TRACEBACK).encode())
    parser.feed(b"a line of something else\n" * 2100)
    assert parser.state()["tracebacks"] == {}


def test_the_number_of_tracebacks_that_are_followed_is_bounded():
    parser = Parser()
    parser.feed("".join(f"[rank{rank}]: {TRACEBACK[0]}\n" for rank in range(5000)).encode())
    assert len(parser.state()["tracebacks"]) <= 1024


def test_secrets_are_taken_out_of_the_text():
    (failure,) = read(*TRACEBACK, "ValueError: cannot reach https://me:hunter2secret@example.com/data")
    assert "hunter2secret" not in failure.text


def test_a_secret_at_the_cut_is_taken_out_before_the_text_is_cut():
    token = "hf_" + "a1B2" * 8
    (failure,) = read(*TRACEBACK, f"ValueError: {'x' * 480} {token}")
    assert len(failure.text) <= 500
    assert "hf_a" not in failure.text


@pytest.mark.parametrize(
    "secret", ["https://me:{}@example.com/data", "token eyJhbGciOi.{}.c2lnbmF0dXJl", 'api_key="{}"', "{}@example.com"]
)
@pytest.mark.parametrize("before", [0, 480, 1470, 8000])
def test_no_part_of_a_secret_is_let_out_however_long_the_line_is(before, secret):
    long_secret = secret.format("a1B2" * 600)
    (failure,) = read(*TRACEBACK, f"ValueError: at https://u:{'x' * before} {long_secret} {'and so on ' * 1000}")
    assert "a1B2" not in failure.text


def test_the_beginning_of_a_long_line_is_told():
    (failure,) = read(*TRACEBACK, f"ValueError: {'and so on ' * 1000}")
    assert failure.text == f"ValueError: {'and so on ' * 1000}"[:500].rstrip()


def test_a_traceback_on_one_line_is_not_followed():
    line = f'{TRACEBACK[0]}\\n  File "x.py", line 3, in f\\nStopIteration'
    assert read(line, *TRACEBACK[1:], "ValueError: no such sample") == []


def test_an_exception_in_any_encoding_is_told():
    log = "".join(f"{line}\n" for line in TRACEBACK).encode() + b"ValueError: caf\xe9\n"
    (failure,) = Parser().feed(log)
    assert failure.text == "ValueError: caf\ufffd"


def test_what_a_finalizer_raises_is_ignored_by_python_and_here():
    lines = [
        b"Exception ignored in: <function _MultiProcessingDataLoaderIter.__del__ at 0x7f>",
        b"Traceback (most recent call last):",
        b'  File "/opt/site-packages/torch/utils/data/dataloader.py", line 1478, in __del__',
        b"    self._shutdown_workers()",
        b'  File "/usr/lib/python3.11/multiprocessing/process.py", line 160, in is_alive',
        b"    assert self._parent_pid == os.getpid(), 'can only test a child process'",
        b"AssertionError: can only test a child process",
    ]
    assert Parser().feed(b"\n".join(lines) + b"\n") == []
