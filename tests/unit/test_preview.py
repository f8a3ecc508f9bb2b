"""What thresholds would have done: the records of a run, judged again, say what was judged when it happened."""

from __future__ import annotations

import pytest

from monitor_core.model.effect import Effect, Firings, KindEffect, Stall, sentence
from monitor_core.model.incidents import Incident, IncidentState, Kind, Severity
from monitor_core.preview import Past, compare, judged, kinds_of
from monitor_core.thresholds import Preset
from monitor_core.track.marks import Said, What, before
from tests.support.training import RUN, START, Training, line, values

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


def unmarked_pauses(run):
    for _ in range(6):
        run.train(50).wait(200)
    run.train(20).wait(260).train(20)


def blocks_from_the_first_sight(run):
    run.skip(3000)
    began = run.at - 2900
    for number in range(1, 30):
        run.iteration += 1
        run.write(line(run.iteration, stamp=began + number * 100.0, ms=100_000.0))
    run.wait(3000)
    for number in range(30, 60):
        run.iteration += 1
        run.write(line(run.iteration, stamp=began + number * 100.0, ms=100_000.0))
    run.wait(9000)


def first_sight_in_a_pause(run):
    run.skip(600)
    for number in range(1, 60):
        run.write(line(number))
    run.write(CHECKPOINT.format(59)).wait(1500)


def relaunch_that_starts_for_long(run):
    run.train(100).write("[before the start of training step] datetime: 2026-11-24 10:10:00", after=20.0)
    run.iteration = 60
    run.wait(1500).train(60)


def losses_that_are_no_number(run):
    run.train(80).train(20, loss="nan").train(80, loss="2.1E+00")


def process_gone(run):
    run.sees("alive").train(100).sees("not found").wait(2000)


def job_out_of_memory(run):
    run.sees("alive").train(100).sees("not found", word="OUT_OF_MEMORY", ended_at=run.at + 10.0).wait(2000)


def job_in_a_queue(run):
    run.sees("alive").train(100).sees("waiting").wait(5000).sees("alive").wait(600)
    run.iteration = 60
    run.train(60)


def loss_that_jumps_and_stands(run):
    for number in range(300):
        run.train(1, loss=f"{2.3 + 0.01 * (number % 7):.6E}")
    run.train(60, loss="9.1E+00").train(60, loss="2.3E+00").train(80, loss="2.345678E+00")


STORIES = [
    *(hang, hang_for_long, slowdown, checkpoints, late_start, talkative_start, blocks, relaunch, batches, finished),
    *(failed, settings, unmarked_pauses, blocks_from_the_first_sight, first_sight_in_a_pause),
    *(relaunch_that_starts_for_long, losses_that_are_no_number),
    *(process_gone, job_out_of_memory, job_in_a_queue, loss_that_jumps_and_stands),
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
    # What has no time of its own is placed by the polls, which come at other moments with other thresholds.
    assert [at for one in then for at in one[2:]] == [pytest.approx(at, abs=60) for one in real for at in one[2:]]


def test_where_the_beginning_is_not_kept_the_settings_and_pauses_known_now_count():
    run = Followed()
    settings(run)
    run.train(600)
    run.train(50).save(1500).train(60)
    past = run.past()
    assert seen(judged(Past(past.run, past.preset, past.points[-400:], past.state), run.watch.values)) == []


def test_what_happened_until_nobody_could_see_any_more_counts_and_nothing_later():
    run = Followed()
    run.train(100).wait(100)
    past = run.past()
    assert past.until == pytest.approx(START + 1100, abs=60)
    assert seen(judged(past, run.watch.values)) == []
    assert len(judged(past, values(stuck="50s"))) == 1


# What a change comes to


def incident(number=0, *, fired_at=100.0, ends_at=400.0, kind=Kind.STUCK, severity=Severity.WARNING, **how):
    state = IncidentState.FIRING if ends_at is None else IncidentState.RESOLVED
    return Incident(RUN, kind, severity, state, fired_at - 50, number=number, fired_at=fired_at, ends_at=ends_at, **how)


def test_each_stall_that_the_new_value_finds_in_time_comes_so_much_later_and_the_others_are_missed():
    real = [incident(4127), incident(4130, fired_at=1000.0, ends_at=1300.0)]
    [effect] = compare("stuck", 0.0, 2000.0, real, [incident(fired_at=220.0)], real)
    assert effect == KindEffect(
        Kind.STUCK, Firings(2, 600.0), Firings(1, 180.0), (Stall(4127, False, 120.0), Stall(4130, True))
    )


def test_what_still_fires_lasts_until_now_and_what_fired_before_does_not_count():
    [effect] = compare("stuck", 100.0, 500.0, [incident(ends_at=None)], [incident(fired_at=99.0)], [])
    assert (effect.now, effect.then) == (Firings(1, 400.0), Firings())


def test_a_critical_threshold_counts_what_has_become_critical():
    worse = incident(4127, severity=Severity.CRITICAL)
    [effect] = compare("stuck_critical", 0.0, 500.0, [worse, incident()], [incident()], [worse, incident(4128)])
    assert effect == KindEffect(Kind.STUCK, Firings(1, 300.0), Firings(), (Stall(4127, True),))


@pytest.mark.parametrize("name", ["unreachable", "log_missing", "flapping", "blind"])
def test_what_no_record_tells_of_is_not_tried(name):
    assert kinds_of(name) == ()


def effect(now=0, then=0, stalls=(), **how):
    kind = KindEffect(Kind.STUCK, Firings(now), Firings(then), tuple(stalls))
    return Effect((kind,), **{"covered": 1, "tried": 1, **how})


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (effect(0, 3), "Tried on the last 24h: would have fired 3 times (now: never); missed 0 stalls."),
        (
            effect(1, 1, [Stall(4127, False, 840.0)]),
            (
                "Tried on the last 24h: would have fired once (as now); incident 4127 would have come 14m later; "
                "missed 0 of 1 stall."
            ),
        ),
        (
            effect(2, 0, [Stall(1, True), Stall(2, True)]),
            "Tried on the last 24h: would not have fired (now: 2 times); missed 2 of 2 stalls (incidents 1, 2).",
        ),
        (
            effect(0, 1, covered=200, tried=12, hasty=True),
            (
                "Tried on the last 24h of 12 of 200 runs: would have fired once (now: never); "
                "more would have taken too long; missed 0 stalls."
            ),
        ),
        (
            effect(covered=3, tried=2, seconds=20000.0),
            (
                "Tried on the last 5h 33m of 2 of 3 runs: would not have fired (as now); "
                "the others have no records of that time; missed 0 stalls."
            ),
        ),
        (effect(tried=0), "Not tried: there are no records of the last 24h to try it on."),
        (effect(covered=0, tried=0), "Not tried: no run gets another value."),
        (None, "Not tried: this cannot be tried on stored records."),
    ],
)
def test_people_are_told_in_one_sentence(found, said):
    assert sentence(found) == said


def test_what_lines_say_beside_what_is_kept_of_each_is_kept_where_it_changes():
    run = Followed(stamps=False)
    run.train(3).train(2, batch_size=512, loss="nan").train(2, batch_size=512).wait(60)
    said = [
        (place, mark.value)
        for place, p in enumerate(run.watch.points)
        for mark in before(p.before, p.at)
        if mark.what == What.SAID
    ]
    assert [place for place, _ in said] == [0, 3, 5]
    lines = [Said.read(value).line(run.watch.points[place], None) for place, value in said]
    assert [(one.batch_size, str(one.loss)) for one in lines] == [(256, "2.314012"), (512, "nan"), (512, "2.314012")]
