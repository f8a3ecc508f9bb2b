"""Writes the log of a Megatron training: one line in eleven tells of progress, in a form that both tools understand."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

_TOTAL = 5_000_000
_BATCH = 512
_OTHERS = """\
[default0]:NCCL INFO Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM/read
[default3]:node-07:2254:2391 [3] NCCL INFO comm 0x55d0c8a0 rank 3 nranks 8 cudaDev 3 busId 5d000 - Init COMPLETE
 > finished creating batches of the next epoch ...
[Rank 0] (after 10 iterations) memory (MB) | allocated: 31022.5 | max allocated: 60111.9 | reserved: 64790.0
/env/lib/python3.11/site-packages/torch/utils/checkpoint.py:1399: FutureWarning: `torch.cpu.amp.autocast` is old.
  with torch.cuda.amp.autocast(enabled=False):
time (ms) | forward-backward: 812.42 | optimizer: 61.08 | batch-generator: 3.31 | all-grads-sync: 88.95
[default5]:I0301 12:00:19.755 ProcessGroupNCCL.cpp:978] [PG ID 2 PG GUID 3 Rank 5] ProcessGroupNCCL options: size 8
data loader: 4 workers, prefetch 2, shard 17 of 512, queue 31/32, read 211.4 MB/s, decoded 18.2 k samples/s
[default0]:heartbeat rank 0 alive, 512 of 512 ranks answered, slowest rank 388 (node-48) 14.2 ms behind the median
"""
_BLOCKS_AT_ONCE = 1000
# More than a block: its progress line can always be found again.
_TAIL = 8192
_ITERATION = re.compile(rb"iteration +(\d+)/")


def progress_line(iteration: int, at: float) -> str:
    """Return one progress line; `at` is in seconds since 1970 and is printed in UTC."""
    stamp = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    ms = 1000 + (iteration * 37 % 41 - 20) / 10
    return (
        f" [{stamp}] iteration {iteration:8d}/{_TOTAL:8d} | consumed samples: {iteration * _BATCH:12d} |"
        f" elapsed time per iteration (ms): {ms:.1f} | learning rate: 3.000E-04 | global batch size: {_BATCH:5d} |"
        f" lm loss: {2 + 100 / (iteration + 50):.6E} | load_balancing_loss: 1.002345E+00 | loss scale: 1.0 |"
        f" grad norm: 0.412 | num zeros: 0.0 | params norm: 1234.567 | number of skipped iterations:   0 |"
        " number of nan iterations:   0 |\n"
    )


BLOCK = len(progress_line(1, 0) + _OTHERS)


def grow(log: Path, size: int, until: float) -> int:
    """Append about `size` bytes, an iteration a second, the last one at `until`; return its number."""
    first, count = last_iteration(log) + 1, max(1, round(size / BLOCK))
    with log.open("a", encoding="ascii") as out:
        for start in range(0, count, _BLOCKS_AT_ONCE):
            numbers = range(start, min(count, start + _BLOCKS_AT_ONCE))
            out.write("".join(_OTHERS + progress_line(first + n, until - (count - 1 - n)) for n in numbers))
    return first + count - 1


def last_iteration(log: Path) -> int:
    """Return the iteration of the last progress line, 0 for a log that is not there yet."""
    if not log.exists():
        return 0
    with log.open("rb") as source:
        source.seek(max(0, log.stat().st_size - _TAIL), os.SEEK_SET)
        return int(_ITERATION.findall(source.read())[-1])
