"""The verb demo: the real pipeline on a simulated log, in about a minute."""

from __future__ import annotations

import argparse
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from monitor_core.app import App
from monitor_core.config.load import load
from monitor_core.model.incidents import ENDINGS, IncidentState
from monitor_core.store import outbox, queries

_CONFIG = """\
database: sqlite:///{folder}/demo.db
console: true
defaults: {{check_interval: 1s, thresholds: {{stuck_floor: 5s}}}}
hosts: {{this-machine: {{transport: local}}}}
runs: {{demo-7b: {{host: this-machine, logs: ["{folder}/train.log"], owner: you}}}}
"""
_INTRODUCTION = """\
trainstatus demo: a simulated training writes a Megatron log on this machine; the real pipeline watches it.
It hangs after some seconds, goes on, slows down, recovers and finishes. This takes about a minute.
"""
_CLOSING = """\
That was all: one alert for each trouble, and one when it was over. To watch your own runs, type `trainstatus init`
(after `make run`: .venv/bin/trainstatus init); it says what comes next.
"""
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Act:
    """A stretch of the simulated training: so many iterations of so many seconds, after a silence."""

    iterations: int
    seconds: float
    silence: float = 0.0
    word: str = ""


_ACTS = (
    Act(30, 0.15, word="training at 0.15 s per iteration"),
    Act(25, 0.15, silence=8.0, word="(the simulated training hangs for 8 s)"),
    Act(22, 0.42, word="(the simulated training slows down)"),
    Act(45, 0.15, word="(back to its usual pace)"),
)


def demo(arguments: argparse.Namespace, _extension: object) -> int:
    """Run the monitor over the simulated training until it has told the ending; exit status 0."""
    print(_INTRODUCTION, flush=True)
    with tempfile.TemporaryDirectory(prefix="trainstatus-demo-") as name:
        folder = Path(name)
        (folder / "train.log").touch()
        (folder / "demo.yaml").write_text(_CONFIG.format(folder=folder), encoding="utf-8")
        app = App(load(str(folder / "demo.yaml"), environment={}, ask=None))
        training = threading.Thread(target=_train, args=[folder / "train.log"], daemon=True)
        app.start()
        training.start()
        try:
            _await_ending(app)
        finally:
            app.stop()
    print(_CLOSING, flush=True)
    return 0


def _train(log: Path) -> None:
    with log.open("a", encoding="utf-8") as out:
        for line in _lines():
            out.write(line + "\n")
            out.flush()


def _lines() -> Iterator[str]:
    total, iteration = sum(act.iterations for act in _ACTS), 0
    yield "[before the start of training step] datetime: " + _stamp(" ")
    for act in _ACTS:
        print(f"  {act.word}", flush=True)
        time.sleep(act.silence)
        for _ in range(act.iterations):
            time.sleep(act.seconds)
            iteration += 1
            loss = 2.2 + 8.0 / iteration
            yield (
                f" [{_stamp(' ')}] iteration {iteration:8d}/{total:8d} | consumed samples: {iteration * 256:12d} |"
                f" elapsed time per iteration (ms): {act.seconds * 1000:.1f} | learning rate: 3.000E-04 |"
                f" global batch size:   256 | lm loss: {loss:.6E} | loss scale: 1.0 |"
                f" grad norm: 0.{iteration % 90 + 10} |"
                " number of skipped iterations:   0 | number of nan iterations:   0 |"
            )
    yield f"[after training is done] datetime: {_stamp(' ')}"


def _stamp(between: str) -> str:
    return datetime.now().astimezone().strftime(f"%Y-%m-%d{between}%H:%M:%S.%f")


def _await_ending(app: App) -> None:
    ends_at = time.monotonic() + _PATIENCE
    while time.monotonic() < ends_at and not _told_ending(app):
        time.sleep(0.2)


def _told_ending(app: App) -> bool:
    with app.engine.begin() as connection:
        ended = [
            i for i in queries.active_incidents(connection) if i.kind in ENDINGS and i.state is IncidentState.FIRING
        ]
        told = [outbox.told(connection, incident.number) for incident in ended]
    return bool(told) and all(delivery.sent_at is not None for of in told for delivery in of.values())
