"""A chart as `replay --plot` draws it: a training that slows down, hangs, is started again and goes on."""

from __future__ import annotations

import contextlib
import io
import math
import random
import tempfile
from pathlib import Path

from PIL import Image

from monitor_core.cli import main
from tests.support.training import START, line

_TOTAL, _STEP = 9_000, 10
_COLOURS = 96


def draw_chart(out):
    """Draw it into a folder, in few colours; return its path."""
    picture = out / "replay-plot.png"
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        log = Path(folder) / "llama-70b.log"
        log.write_text("".join(_lines()))
        main(["replay", str(log), "--plot", str(picture)])
    with Image.open(picture) as drawn:
        drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(picture, optimize=True)
    return picture


def _lines():
    chance, at = random.Random(7), START
    yield _said("setting number of micro-batches to constant 8")
    at += 420
    for iteration in range(4_010, 7_001, _STEP):
        at += _STEP * (seconds := _seconds(chance, 1.31 if iteration > 6_000 else 1.0))
        yield _progress(chance, iteration, at, seconds)
        if iteration % 1_000 == 0:
            yield _said(f"saving checkpoint at iteration    {iteration} to /data/ckpt")
            at += 90
            yield _said(f"  successfully saved checkpoint at iteration    {iteration} to /data/ckpt")
    for iteration in range(7_010, 7_151, _STEP):
        at += _STEP * (seconds := _seconds(chance, 1.31))
        yield _progress(chance, iteration, at, seconds)
    at += 2_400
    yield _said("setting number of micro-batches to constant 8")
    at += 420
    for iteration in range(7_010, 8_001, _STEP):
        at += _STEP * (seconds := _seconds(chance, 1.0))
        yield _progress(chance, iteration, at, seconds)


def _seconds(chance, factor):
    return 1.02 * factor * math.exp(chance.gauss(0, 0.012))


def _progress(chance, iteration, at, seconds):
    loss = 1.9 + 2.4 * math.exp(-iteration / 3_000) + chance.gauss(0, 0.015)
    return line(iteration, stamp=at, ms=1000 * seconds, total=_TOTAL, loss=f"{loss:.6E}")


def _said(text):
    return f"{text}\n"
