"""The catalogue of error lines."""

from __future__ import annotations

import time

import pytest

from monitor_core.model.records import Failure, Role
from monitor_core.parse import SIGNATURES, Parser, describe
from monitor_core.parse.signatures import advise
from monitor_core.parse.signatures.exits import EXITS, exit_of

FRAMES = 'Traceback (most recent call last):\n  File "/job/train.py", line 1, in <module>\n    main()\n'


def printed(line):
    return [record.signature for record in Parser().feed(f"{line}\n".encode())]


def raised(line):
    return [record.signature for record in Parser().feed(f"{FRAMES}{line}\n".encode())]


@pytest.mark.parametrize(
    ("line", "signature"),
    [
        (
            "[rank118]:[E603 ProcessGroupNCCL.cpp:632] [Rank 118] Watchdog caught collective operation timeout: Work",
            "nccl_timeout",
        ),
        (
            "[rank0]:[E603 17:48:01 ProcessGroupNCCL.cpp:1] [Rank 0] Heartbeat monitor timed out! Process",
            "nccl_heartbeat",
        ),
        ("terminate called after throwing an instance of 'c10::CUDAError': CUDA out of memory", "cuda_oom"),
        ("[Tue Mar 3] Out of memory: Killed process 14750 (python) total-vm:1kB", "host_oom"),
        ("slurmstepd: error: Detected 1 oom_kill event in StepId=123.0. Some of the step tasks have", "host_oom"),
        ("slurmstepd: error: Detected 1 oom-kill event(s) in step 7.batch cgroup.", "host_oom"),
        ("tee: /logs/run.log: No space left on device", "disk_full"),
        ("cp: writing 'x': Disk quota exceeded", "disk_full"),
        ("./run.sh: line 3: 1234 Segmentation fault      (core dumped) python train.py", "segv"),
        ("Fatal Python error: Segmentation fault", "segv"),
        ("E1124 api.py:1002] failed (exitcode: 1) local_rank: 1 (pid: 2604) of binary: python", "child_failed"),
        ("W1124 api.py:1028] Sending process 2255 closing signal SIGTERM", "sigterm"),
        ("W1124 api.py:753] Received 15 death signal, shutting down workers", "stopped_by_signal"),
        (
            "slurmstepd: error: *** JOB 42221 ON n1 CANCELLED AT 2022-04-14T16:20:46 DUE TO TIME LIMIT ***",
            "slurm_time_limit",
        ),
        (
            "slurmstepd: error: *** JOB 42221 ON n1 CANCELLED AT 2022-04-14T16:20:46 DUE TO PREEMPTION ***",
            "slurm_preempted",
        ),
        (
            "0: [2026-05-22T03:56:59.931] error: *** STEP 7.1 ON n1 CANCELLED AT 2026-05-22T03:56 DUE TO TASK FAILURE",
            "slurm_task",
        ),
        ("slurmstepd: error: *** STEP 9999.0 ON n1 CANCELLED AT 2022-04-14T16:20:46 ***", "slurm_cancelled"),
        ("srun: error: n1: tasks 29,31: Aborted", "srun_task"),
        ("RuntimeError: CUDA error: device-side assert triggered", "cuda_assert"),
        ("what():  CUDA error: an illegal memory access was encountered", "cuda_assert"),
        ("pretrain_gpt.py: error: unrecognized arguments: --no-such-thing", "arguments"),
        ("[launch.py:325:sigkill_handler] ['python', '-u', 'train.py'] exits with return code = 1", "deepspeed_exit"),
        ("terminate called after throwing an instance of 'c10::DistBackendError'", "aborted"),
        ("Fatal Python error: Aborted", "aborted"),
    ],
)
def test_an_error_line_is_known_by_itself(line, signature):
    assert printed(line) == [signature]


@pytest.mark.parametrize(
    ("line", "signature"),
    [
        ("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "cuda_oom"),
        ("RuntimeError: CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`", "cuda_oom"),
        ("MemoryError", "host_oom"),
        ("OSError: [Errno 28] No space left on device", "disk_full"),
        (
            "RuntimeError: [enforce fail at inline_container.cc:858] . PytorchStreamWriter failed writing",
            "write_failed",
        ),
        (
            "RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos 16571776 vs 16571664",
            "write_failed",
        ),
        ("OSError: [Errno 116] Stale file handle", "filesystem"),
        ("RuntimeError: DataLoader worker (pid 123) is killed by signal: Bus error. It is possible that", "shm"),
        ("RuntimeError: DataLoader worker (pid(s) 123) exited unexpectedly", "dataloader"),
        ("RuntimeError: CUDA error: uncorrectable ECC error encountered", "cuda_hardware"),
        ("AssertionError: Rank 3: found NaN in local grad norm in backward pass", "nan"),
        ("torch.distributed.elastic.rendezvous.api.RendezvousClosedError", "rendezvous"),
        ("torch.distributed.DistNetworkError: failed to listen: Address already in use", "port_in_use"),
        ("ModuleNotFoundError: No module named 'dataclasses'", "import"),
        ("RuntimeError: Error(s) in loading state_dict for GPTModel:", "checkpoint_mismatch"),
        ("KeyboardInterrupt", "interrupted"),
        (
            "torch.distributed.elastic.multiprocessing.api.SignalException: Process 3013 got signal: 15",
            "stopped_by_signal",
        ),
        ("RuntimeError: [pair.cc:553] Connection closed by peer [127.0.0.1]:14211.", "peer_lost"),
        (
            "RuntimeError: [unbound_buffer.cc:78] Timed out waiting 20000ms for recv operation to complete",
            "nccl_timeout",
        ),
        ("torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1970, internal error", "nccl_error"),
        ("torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ", "child_failed"),
        ("ValueError: could not decode sample 48213", "exception"),
    ],
)
def test_an_exception_is_known_by_its_text(line, signature):
    assert raised(line) == [signature]


@pytest.mark.parametrize(
    "line",
    [
        "UserWarning: Failed to import peft plugin due to: ImportError('peft>=0.17.0 is required')",
        "CUDA kernel errors might be asynchronously reported at some other API call; error: CUDA out of memory",
        "For debugging consider passing CUDA_LAUNCH_BLOCKING=1 (an error: CUDA out of memory)",
        "ERROR: Unexpected bus error in worker. This might be caused by insufficient shared memory (shm).",
        "n1:1:9 [0] NCCL INFO misc/socket.cc:47 -> 3 error: Segmentation fault",
        "n1:1:9 [0] NCCL WARN NET/IB : No device found, unhandled system error",
        "[launch.py:325] ['python', '-u', 'train.py'] exits with return code = 0",
        'Error.  nthreads cannot be larger than environment variable "NUMEXPR_MAX_THREADS" (64)',
        "slurmstepd: error: couldn't chdir to `/workspace': No such file or directory: going to /tmp instead",
        "the error of the fit: 0.02",
    ],
)
def test_advice_information_and_warnings_prove_nothing(line):
    assert printed(line) == []


def test_what_the_failure_tells_beside_its_signature():
    line = "3: [rank3]: slurmstepd: error: *** JOB 4 ON n1 CANCELLED AT 2026-05-22T03:32:37 DUE TO TIME LIMIT ***"
    assert Parser().feed(f"one\ntwo\n{line}\n".encode()) == [
        Failure(
            "slurm_time_limit",
            Role.ROOT,
            "slurmstepd: error: *** JOB 4 ON n1 CANCELLED AT 2026-05-22T03:32:37 DUE TO TIME LIMIT ***",
            rank="3",
            timestamp=1779420757.0,
            line_number=3,
        )
    ]


def test_each_signature_has_a_sentence_for_people():
    assert describe("cuda_oom") == "GPU out of memory"
    assert all(describe(name) and describe(name) != name for name in SIGNATURES)


@pytest.mark.parametrize(
    "signature", [each for each in SIGNATURES.values() if each.line or each.error], ids=lambda s: s.id
)
def test_each_example_of_the_catalogue_is_recognised_as_its_own(signature):
    assert signature.examples
    for example in signature.examples:
        assert signature.id in {*printed(example)[:1], *raised(example)[:1]}, example


@pytest.mark.parametrize("signature", SIGNATURES.values(), ids=SIGNATURES)
def test_what_a_cause_means_and_what_to_try_are_short_and_plain(signature):
    texts = [signature.sentence] if signature.role is Role.CONTEXT else [signature.sentence, signature.advice]
    for text in texts:
        assert 8 < len(text) <= 120
        assert not text.endswith(".")
        assert "please" not in text.lower()


def test_the_words_of_an_exit_code_are_the_same_however_a_signal_is_written():
    assert exit_of(-9) == exit_of(137) == exit_of(247) == EXITS[137]
    assert exit_of(-9).signature == "sigkill"
    assert exit_of(3) is None
    assert describe("exit_code", 3) == "exit code 3"
    assert describe("exit_code", 17).startswith("exit code 17: Megatron's check of a result failed")
    assert (advise("exit_code", 3), bool(advise("exit_code", 124))) == ("", True)


@pytest.mark.parametrize(
    ("number", "signature"),
    [
        (79, "xid_hardware"),
        (149, "xid_hardware"),
        (61, "xid_hardware"),
        (31, "xid_app"),
        (43, "xid_app"),
        (45, "xid_info"),
        (63, "xid_info"),
        (999, "xid_info"),
    ],
)
def test_an_xid_is_a_cause_by_its_class(number, signature):
    assert printed(f"[2051234.1] NVRM: Xid (PCI:0000:10:1c): {number}, pid=1896, name=python, text") == [signature]


REPORT = """\
Failures:
[1]:
  host      : gpu-08
  rank      : 5 (local_rank: 5)
  exitcode  : -15 (pid: 14755)
Root Cause (first observed failure):
[0]:
  time      : 2026-04-14_16:20:46
  host      : gpu-07
  rank      : 3 (local_rank: 3)
  exitcode  : {} (pid: 14753)
  error_file: <N/A>
============================================================
"""


@pytest.mark.parametrize(
    ("code", "signatures"), [(-9, ["sigkill", "child_failed"]), (-11, ["segv", "child_failed"]), (1, ["child_failed"])]
)
def test_a_report_of_torchrun_tells_rank_host_and_exit_code_of_the_first_that_failed(code, signatures):
    told = [found for found in Parser().feed(REPORT.format(code).encode()) if found.role is not Role.CONTEXT]
    assert [found.signature for found in told] == signatures
    assert {(found.rank, found.host, found.exit_code) for found in told} == {("3", "gpu-07", code)}


def test_a_report_goes_on_where_the_parser_was_written_down():
    lines = REPORT.format(-9).encode().splitlines(keepends=True)
    whole = Parser().feed(b"".join(lines))
    for cut in range(len(lines)):
        parser = Parser()
        before = parser.feed(b"".join(lines[:cut]))
        again = Parser.restore(parser.state())
        assert before + again.feed(b"".join(lines[cut:])) == whole


@pytest.mark.parametrize(
    ("line", "process"),
    [
        ("srun: error: gpu-07: task 3: Exited with exit code 1", ("3", "gpu-07", 1)),
        ("['python', '-u', 'train.py', '--local_rank=3'] exits with return code = 1", ("", "", 1)),
        (
            "mpirun noticed that process rank 3 with PID 7 on node gpu-07 exited on signal 6 (Aborted).",
            ("3", "gpu-07", None),
        ),
    ],
)
def test_a_launcher_names_the_process_that_failed(line, process):
    (found,) = Parser().feed(f"{line}\n".encode())
    assert (found.rank, found.host, found.exit_code) == process


@pytest.mark.parametrize(
    "line", ["x" * 8000 + " error " + "y" * 8000, " error" * 3000, "NET/IB : Got completion" * 900]
)
def test_a_long_line_is_gone_through_at_once(line):
    began = time.process_time()
    assert printed(line) == []
    assert time.process_time() - began < 1.0


def test_a_signature_that_the_catalogue_has_no_more_is_shown_by_its_id():
    assert describe("of_an_older_version") == "of_an_older_version"
