"""Last words of runs, put together from what their processes said and what launchers make of it."""

from __future__ import annotations

import contextlib
import io
import json
from dataclasses import dataclass
from pathlib import Path

from monitor_core.cli import main

TAILS = Path(__file__).parents[1] / "data" / "tails"
_FRAMES = """\
Traceback (most recent call last):
  File "/job/train.py", line 212, in <module>
    main()
  File "/job/train.py", line 88, in step
    loss = model(batch)
  File "/env/lib/python3.11/site-packages/torch/nn/modules/module.py", line 1511, in _call_impl
    return forward_call(*args, **kwargs)
"""
_PEER = f"{_FRAMES}RuntimeError: [../gloo/transport/tcp/pair.cc:553] Connection closed by peer [192.0.2.7]:14211. Bye"
_NCCL = (
    f"{_FRAMES}torch.distributed.DistBackendError: NCCL error in: ../ProcessGroupNCCL.cpp:1970, remote process exited "
    "or there was a network error, NCCL version 2.21.5\nncclRemoteError: A call failed possibly due to a network error"
)
_WATCHDOG = (
    "[rank{rank}]:[E414 16:30:46.{rank}01 ProcessGroupNCCL.cpp:632] [Rank {rank}] Watchdog caught collective operation "
    "timeout: WorkNCCL(SeqNum=812, OpType=ALLREDUCE, NumelIn=1, NumelOut=1, Timeout(ms)=600000) ran for 600068 "
    "milliseconds before timing out."
)
_ABORT = (
    "terminate called after throwing an instance of 'c10::DistBackendError'\n  what():  [Rank {rank}] Process group "
    "watchdog thread terminated with exception: [Rank {rank}] Watchdog caught collective operation timeout: WorkNCCL"
)
_ELASTIC = """\
Traceback (most recent call last):
  File "/env/bin/torchrun", line 8, in <module>
    sys.exit(main())
  File "/env/lib/python3.11/site-packages/torch/distributed/launcher/api.py", line 383, in launch_agent
    raise ChildFailedError(
torch.distributed.elastic.multiprocessing.errors.ChildFailedError:
============================================================
train.py FAILED
------------------------------------------------------------
Failures:
[1]:
  time      : 2026-04-14_16:20:49
  host      : gpu-07
  rank      : 5 (local_rank: 5)
  exitcode  : -15 (pid: 14755)
  error_file: <N/A>
  traceback : Signal 15 (SIGTERM) received by PID 14755
------------------------------------------------------------
Root Cause (first observed failure):
[0]:
  time      : 2026-04-14_16:20:46
  host      : gpu-07
  rank      : 3 (local_rank: 3)
  exitcode  : 1 (pid: 14753)
  error_file: <N/A>
  traceback : To enable traceback see: https://pytorch.org/docs/stable/elastic/errors.html
============================================================"""
_CLOSING = (
    "W0414 16:20:46.201000 14700 torch/distributed/elastic/multiprocessing/api.py:1028] Sending process 14755 closing "
    "signal SIGTERM\nE0414 16:20:46.355000 14700 torch/distributed/elastic/multiprocessing/api.py:1002] failed "
    "(exitcode: 1) local_rank: 3 (pid: 14753) of binary: /env/bin/python"
)
_KILLING = "[2026-04-14 16:20:47,069] [INFO] [launch.py:253:sigkill_handler] Killing subprocess 14755"
_EXITS = (
    "[2026-04-14 16:20:47,115] [ERROR] [launch.py:259:sigkill_handler] ['/env/bin/python', '-u', 'train.py', "
    "'--local_rank=3'] exits with return code = 1"
)
_SRUN = """\
srun: error: gpu-07: task 3: Exited with exit code 1
srun: Terminating StepId=4711.0
slurmstepd: error: *** STEP 4711.0 ON gpu-01 CANCELLED AT 2026-04-14T16:20:47 DUE TO TASK FAILURE ***
srun: error: gpu-01: tasks 0-2: Terminated"""


@dataclass(frozen=True)
class Tail:
    """The end of a log: what it is called here, its cause (empty if it goes on), and its text."""

    name: str
    cause: str
    text: str


def crashed(name):
    """Return the tails of a file, each message under two launchers."""
    tails = []
    for number, (title, words) in enumerate(_messages(name)):
        cause, how = title.split(" | ")
        root = _FRAMES + words if how == "raised" else words
        for offset in (0, 4):
            launcher = _LAUNCHERS[(number + offset) % len(_LAUNCHERS)]
            label = f"{Path(name).stem} {number + 1:03} {cause}, {launcher.__name__.strip('_')}"
            tails.append(Tail(label, cause, _progress(1, 40) + launcher(root) + "\n"))
    return tails


def healthy():
    """Return the tails of runs that go on."""
    return [
        Tail(title, "", f"{_progress(1, 20)}{words}\n{_progress(21, 40)}") for title, words in _messages("healthy.txt")
    ]


def read(tail, path):
    """Return the state and the cause that a replay tells of a tail."""
    log = path / "tail.log"
    log.write_text(tail.text, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()):
        main(["replay", str(log), "--json"])
    report = json.loads(out.getvalue())
    return report["state"], (report["cause"] or {}).get("id", "")


def _messages(name):
    text = (TAILS / name).read_text(encoding="utf-8")
    for part in text.split("\n== ")[1:]:
        title, _, words = part.partition("\n")
        yield title, words.rstrip("\n")


def _progress(first, last):
    return "".join(
        f" [2026-04-14 16:{20 * n // 60:02}:{20 * n % 60:02}] iteration {n:8d}/    1000 |"
        f" elapsed time per iteration (ms): 20000.0 | learning rate: 3.000E-04 | lm loss: {2 + 9 / n:.6E} |\n"
        for n in range(first, last + 1)
    )


def _labelled(label, text):
    return "\n".join(f"{label}{line}" for line in text.split("\n"))


def _interleaved(*texts):
    split = [text.split("\n") for text in texts]
    longest = max(map(len, split))
    return "\n".join(lines[n] for n in range(longest) for lines in split if n < len(lines))


def _plain(root):
    return root


def _torchrun(root):
    return "\n".join((_labelled("[rank3]: ", root), _labelled("[rank0]: ", _PEER), _CLOSING, _ELASTIC))


def _torchrun_peers_first(root):
    peers = _interleaved(_labelled("[default0]:[rank0]: ", _PEER), _labelled("[default5]:[rank5]: ", _NCCL))
    return "\n".join((peers, _labelled("[default3]:[rank3]: ", root), _CLOSING, _ELASTIC))


def _deepspeed(root):
    return "\n".join((_labelled("gpu-07: ", root), _labelled("gpu-01: ", f"{_NCCL}\n{_KILLING}"), f"gpu-07: {_EXITS}"))


def _srun_watchdogs_after(root):
    ranks = "\n".join(f"{n}: {_WATCHDOG.format(rank=n)}\n{n}: {_ABORT.format(rank=n)}" for n in (0, 1))
    return "\n".join((_labelled("3: ", root), ranks, _SRUN))


def _watchdogs_first(root):
    watchdogs = "\n".join(_WATCHDOG.format(rank=rank) for rank in (0, 1, 2))
    return "\n".join((watchdogs, _labelled("[rank3]: ", root), _labelled("[rank0]: ", _ABORT.format(rank=0)), _CLOSING))


def _sbatch(root):
    return f"{root}\n{_SRUN}"


def _interleaved_ranks(root):
    return "\n".join((_interleaved(_labelled("3: ", root), _labelled("5: ", _NCCL), _labelled("0: ", _PEER)), _SRUN))


_LAUNCHERS = (
    _plain,
    _torchrun,
    _deepspeed,
    _srun_watchdogs_after,
    _torchrun_peers_first,
    _watchdogs_first,
    _sbatch,
    _interleaved_ranks,
)
