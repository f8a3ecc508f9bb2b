"""`python -m tests.bench.fit`: fits the noise of real trainings and writes tests/bench/noise.json.

It reads the shared data: the true times of the labelled runs (steps.tsv, outside the labelled events), and the printed
times and losses of the real logs that have a line for each iteration. All statistics are robust ones. Both sources have
the same weight, however many series they have: the runs are small ones on a busy processor, the logs are of GPUs.
"""

from __future__ import annotations

import json
import math
import os
import sys
from itertools import pairwise
from pathlib import Path
from statistics import median

from monitor_core.replay.recording import read
from monitor_core.track.pace import sound_ms
from tests.bench.noise import FILE, PROFILES, Noise, quantile_noise, rounded

SHARED = Path(os.environ.get("TRAINSTATUS_SHARED", Path(__file__).parents[3] / "shared"))
# Which quantile of each parameter a profile has.
SHARES = dict(zip(PROFILES, (0.1, 0.5, 0.9), strict=True))
# Fewer values say nothing of a spread, and the first ones are those of a start.
_LEAST, _WARM_UP = 60, 10
_LAGS = (1, 2, 4, 8, 16, 32, 64)
_MEMORIES = (0.5, 0.8, 0.9, 0.95, 0.98, 0.99)
_WINDOW = 21
# What stands out by more than this many spreads, and by a fifth, is a spike.
_STANDS_OUT, _LEAST_SPIKE = 6.0, math.log(1.2)
_SECONDS_AROUND = 1.0
# The lines of the generator come every ten seconds or more: what is forgotten within that is no drift to them.
_FORGOTTEN = 10.0
# Of the others the printed time is a running mean.
_PRINT_THEIR_OWN = {"megatron", "nanochat"}
# A loss that still falls steeply has no level to waver about.
_FALLS = 300


def fit(values, seconds=math.inf):
    """Return the noise of a series of positive values that are so many seconds apart."""
    logs = [math.log(value) for value in values]
    level = _level(logs)
    rest = [value - usual for value, usual in zip(logs, level, strict=True)]
    limit = max(_STANDS_OUT * _spread(rest), _LEAST_SPIKE)
    spikes = [value > limit for value in rest]
    calm = [usual if spike else value for value, usual, spike in zip(logs, level, spikes, strict=True)]
    begun = sum(now and not before for before, now in pairwise([False, *spikes]))
    heights = [math.expm1(value) for value, spike in zip(rest, spikes, strict=True) if spike]
    return Noise(
        *_as_lines_see_it(*_waver(calm), seconds),
        spikes=begun / len(values),
        spike_size=median(heights) if heights else 0.0,
        spike_length=sum(spikes) / begun if begun else 1.0,
    )


def _level(values):
    half = _WINDOW // 2
    return [median(values[max(0, at - half) : at + half + 1]) for at in range(len(values))]


def _spread(values):
    middle = median(values)
    return 1.4826 * median(abs(value - middle) for value in values)


def _waver(values):
    """Return sigma, drift and memory: those whose differences over some distances are most like those of the values."""
    lags = [lag for lag in _LAGS if lag * 4 <= len(values)]
    seen = [_spread([b - a for a, b in zip(values, values[lag:], strict=False)]) ** 2 / 2 for lag in lags]
    return min((_split(memory, lags, seen) for memory in _MEMORIES), key=lambda found: found[0])[1:]


def _as_lines_see_it(sigma, drift, memory, seconds):
    if memory ** (_FORGOTTEN / seconds) < 1 / math.e:
        return math.hypot(sigma, drift), 0.0, memory
    return sigma, drift, memory


def _split(memory, lags, seen):
    """Return how badly a memory explains the differences, and with it the best sigma and drift."""
    shares = [1 - memory**lag for lag in lags]
    mean, middle = sum(seen) / len(seen), sum(shares) / len(shares)
    spread = sum((share - middle) ** 2 for share in shares)
    together = sum((share - middle) * (value - mean) for share, value in zip(shares, seen, strict=True))
    slow = max(0.0, together / spread)
    own = max(0.0, mean - slow * middle)
    missed = sum((own + slow * share - value) ** 2 for share, value in zip(shares, seen, strict=True))
    return missed, math.sqrt(own), math.sqrt(slow), memory


def step_times(folder):
    """Return the times of the steps of a labelled run, in seconds, without those in which something was going on."""
    label = json.loads((folder / "label.json").read_text(encoding="utf-8"))
    rows = [line.split("\t") for line in (folder / "steps.tsv").read_text(encoding="utf-8").splitlines()]
    steps = [(float(at), int(step)) for at, step in rows]
    busy = [_span(event) for event in (*label["events"], *label["contention"])]
    pairs = [(a, b) for a, b in pairwise(steps) if b[1] == a[1] + 1][_WARM_UP:]
    return [b[0] - a[0] for a, b in pairs if b[0] > a[0] and not any(a[0] < to and b[0] > since for since, to in busy)]


def _span(event):
    return event["from"] - _SECONDS_AROUND, (event["to"] or event["from"]) + _SECONDS_AROUND


def printed(log):
    """Return the times (s) and the losses that a log prints, launch by launch, where each line is one iteration."""
    recording = read(log, None, "auto")
    single = [b for a, b in pairwise(recording.launch) if b.iteration == a.iteration + 1]
    own = single[_WARM_UP:] if recording.format in _PRINT_THEIR_OWN else []
    times = [ms / 1000 for line in own if (ms := sound_ms(line))]
    return times, [line.loss for line in single[_FALLS:] if line.loss and line.loss > 0]


def main():
    logs = [printed(log) for log in sorted(SHARED.glob("logs/*/*.log"))]
    runs = _fitted(step_times(label.parent) for label in sorted(SHARED.glob("runs/*/*/label.json")))
    times, losses = _fitted(times for times, _ in logs), _fitted((losses for _, losses in logs), times=False)
    if not (runs and times and losses):
        sys.stderr.write("fit: no shared data: put it beside the repository as ../shared, or set TRAINSTATUS_SHARED\n")
        return 2
    found = {
        "fitted": {"runs": len(runs), "logs": len(times), "losses": len(losses), "quantiles": SHARES},
        "profiles": {
            name: {
                "time": rounded(quantile_noise([runs, times], share)),
                "loss": rounded(quantile_noise([losses], share)),
            }
            for name, share in SHARES.items()
        },
    }
    FILE.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0


def _fitted(series, *, times=True):
    return [fit(values, median(values) if times else math.inf) for values in series if len(values) >= _LEAST]


if __name__ == "__main__":
    sys.exit(main())
