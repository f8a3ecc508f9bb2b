"""What thresholds would have done: the records of a run, judged again, say what was judged when it happened."""

from __future__ import annotations

import time

import pytest

from monitor_core.model.incidents import IncidentState, Kind, Severity
from monitor_core.model.records import MOST_POINTS
from monitor_core.preview import Past, compare, judged
from monitor_core.thresholds import CATALOGUE, Preset
from tests.support.training import RUN, START, Training, values

CHECKPOINT = "saving checkpoint at iteration {:7d} to /ckpt in torch format"
SAVED = "  successfully saved checkpoint from iteration {:7d} to /ckpt [ t 1/1, p 1/1 ]"


class Followed(Training):
    """A training of which each incident that fired is remembered."""

    def __init__(self, **how):
        self.closed = []
        super().__init__(**how)

    def _take_down(self):
        self.closed += [incident for incident in self.watch.closed if incident.fired_at is not None]
        super()._take_down()

    @property
    def fired(self):
        return [*self.closed, *(i for i in self.watch.active if i.state is IncidentState.FIRING)]

    def past(self):
        return Past(RUN.name, self.watch.preset, list(self.watch.points), self.watch.state)

    def save(self, seconds):
        """Write a checkpoint, marked as Megatron marks it."""
        self.write(CHECKPOINT.format(self.iteration), after=0.1).wait(seconds)
        return self.write(SAVED.format(self.iteration))


def seen(incidents):
    """Return what matters of incidents, in the order in which they fired."""
    ends = [(i.kind, i.severity, i.fired_at, i.starts_at, i.ends_at) for i in incidents]
    return [
        (str(kind), str(severity), *(None if at is None else round(at - START, 2) for at in times))
        for kind, severity, *times in sorted(ends, key=lambda end: end[2])
    ]


def hang(run):
    run.train(100).wait(400).train(100)


def hang_for_long(run):
    run.train(100).wait(4000).train(30).wait(700)


def slowdown(run):
    run.train(120).train(80, every=14.0).train(120)


def checkpoints(run):
    for _ in range(4):
        run.train(40).save(500)
    run.train(10).save(2000).train(30)


def late_start(run):
    run.write("building the index of the data", after=5.0).wait(2500).train(60)


def talkative_start(run):
    for _ in range(40):
        run.write("still building the index", after=100.0)
        run.wait(0)
    run.wait(2400).train(60)


def blocks(run):
    run.train_in_blocks(20, 30).wait(1200).train_in_blocks(5, 30)


def relaunch(run):
    run.train(100).wait(300)
    run.iteration = 60
    run.train(100).wait(300)


def batches(run):
    run.train(100).train(100, every=20.0, batch_size=512).train(60, every=31.0, batch_size=512)


def finished(run):
    run.total = 100
    run.train(100).write("[after training is done] datetime: 2026-11-24 10:20:00", after=1.0).wait(4000)


def failed(run):
    run.train(100).write("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB", after=1.0).wait(4000)


def settings(run):
    run.write("  save_interval ................................... 50", after=1.0)
    run.write("  log_interval .................................... 1", after=1.0)
    run.train(50).wait(800).train(50).wait(1200).train(20)


STORIES = [
    *(hang, hang_for_long, slowdown, checkpoints, late_start, talkative_start, blocks, relaunch, batches, finished),
    *(failed, settings),
]


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("stamps", [True, False])
@pytest.mark.parametrize("story", STORIES)
def test_records_judged_again_give_what_was_told_at_the_time(story, stamps, preset):
    run = Followed(preset=preset, stamps=stamps)
    story(run)
    assert seen(judged(run.past(), run.watch.values)) == seen(run.fired)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("other", [{"stuck": "3m"}, {"stuck": "30m"}, {"stuck_floor": "60s"}, {"slow": "1.6"}])
def test_records_say_what_other_thresholds_would_have_told(story, other):
    with_default, with_other = Followed(), Followed(**other)
    story(with_default)
    story(with_other)
    then, real = seen(judged(with_default.past(), values(**other))), seen(with_other.fired)
    assert [one[:2] for one in then] == [one[:2] for one in real]
    # Lines without a time of their own are placed by the polls, which come at other moments with other thresholds.
    assert [at for one in then for at in one[2:]] == [pytest.approx(at, abs=1) for one in real for at in one[2:]]
