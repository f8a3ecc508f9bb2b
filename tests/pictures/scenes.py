"""What is pictured: one morning on five hosts, from which every picture is taken at its moment."""

from __future__ import annotations

import contextlib
import os
import tempfile
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.blocks import alert
from bot.detail import run_page
from bot.overview import overview
from bot.people import mentioned, named
from tests.pictures.day import Day
from tests.support.incidents import AT, BY_KIND, LIVES, STATES, made, scene_of
from tests.support.slack_server import SlackServer
from tests.support.smtpd import MailServer
from tests.support.story import SimulatedClock

CAROL = "U056CAROL"
_ROWS = 5  # of a sheet
HOSTS = {"gpu-03": "192.0.2.13", "gpu-04": "192.0.2.14", "gpu-07": "192.0.2.17", "gpu-11": "192.0.2.21"}
HOSTS |= {"gpu-09": "192.0.2.19"}
AWAY = "gpu-12"
STUCK, SLOW, DONE, FAILED, WELL = "moe-16x3b", "dense-13b", "sft-7b", "code-1b", "vit-22b"
SWINGS, ENDS = "vision-2b", "dpo-3b"
SWEEP = tuple(f"ablate-lr{number}" for number in range(1, 4))
SHARD = "[2026-11-24 09:51:43] [rank5] open https://store.example.com/shard-0812?token=f3a9c1d27b8e4056 retry=3\n"
WATCHDOG = "[2026-11-24 09:56:44] [rank0] watchdog: ALLREDUCE of group 2 running for 301 s\n"
OUT_OF_MEMORY = (
    "[rank3]: Traceback (most recent call last):\n"
    '[rank3]:   File "pretrain_gpt.py", line 240, in forward_step\n'
    "[rank3]: torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 3 has 79.1 GiB\n"
)


@dataclass(frozen=True)
class Slack:
    """A message of the bot; `at` is the time that Slack prints beside it (seconds since 1970)."""

    name: str
    blocks: list
    at: float


@dataclass(frozen=True)
class Mail:
    """The HTML of a mail."""

    name: str
    html: str


def at(clock, days=0):
    """Return the moment that a clock on the wall shows in UTC, that Tuesday or `days` later."""
    day = datetime(2026, 11, 24, tzinfo=UTC) + timedelta(days=days)
    hour, minute, second = (int(part) for part in f"{clock}:00".split(":")[:3])
    return (day + timedelta(hours=hour, minutes=minute, seconds=second)).timestamp()


def scenes():
    """Live through the morning and return the pictures to take, and the names of the people in them."""
    with _morning() as day:
        return _taken(day), dict(day.slack.world.people)


@contextlib.contextmanager
def _morning():
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        shims = Path(folder) / "bin"
        shims.mkdir()
        path = os.environ["PATH"]
        stack.callback(os.environ.__setitem__, "PATH", path)
        os.environ["PATH"] = f"{shims}{os.pathsep}{path}"
        clock = SimulatedClock(shims, at("08:30"))
        slack, mail = stack.enter_context(SlackServer(clock=clock)), stack.enter_context(MailServer())
        slack.add_person(CAROL, "carol")
        runs = {
            STUCK: ("gpu-07", slack.bob),
            SLOW: ("gpu-03", CAROL),
            DONE: ("gpu-04", CAROL),
            FAILED: ("gpu-11", slack.bob),
            WELL: ("gpu-04", slack.alice),
            SWINGS: ("gpu-09", slack.bob),
            ENDS: ("gpu-09", CAROL),
            **dict.fromkeys(SWEEP, (AWAY, CAROL)),
        }
        day = Day(Path(folder), clock, slack, mail, {**HOSTS, AWAY: "192.0.2.22"}, runs)
        stack.callback(day.close)
        _plan(day)
        yield day


def _plan(day):
    moe = day.training(STUCK, at("06:56:42"), 50_000, 9_850)
    moe.train(215, 10, 4.1)
    moe.write(f"  successfully saved checkpoint from iteration {moe.iteration} to /ckpt/moe-16x3b\n", 30)
    moe.train(40, 10, 4.1)
    moe.write(SHARD, 16)
    moe.write(WATCHDOG, 301)
    moe.at = at("10:45:21")
    moe.write("[before the start of training step] datetime: 2026-11-24 10:45:21\n")
    moe.iteration = 12_000
    moe.train(80, 10, 4.1)
    dense = day.training(SLOW, at("08:30"), 40_000, 6_000)
    dense.train(104, 100, 0.408)
    dense.train(160, 100, 0.53)
    done = day.training(DONE, at("00:17"), 3_000)
    done.train(3000, 1, 11.1)
    done.write("  successfully saved checkpoint from iteration    3000 to /ckpt/sft-7b\n", 14)
    done.write("[after training is done] datetime: 2026-11-24 09:32:14\n")
    failed = day.training(FAILED, at("08:10"), 10_000, 600)
    failed.train(740, 10, 0.87)
    failed.write(f"  successfully saved checkpoint from iteration {failed.iteration} to /ckpt/code-1b\n", 2)
    failed.train(23, 10, 0.87)
    failed.write(OUT_OF_MEMORY, 3)
    well = day.training(WELL, at("08:25"), 9_000, 3_000)
    well.train(280, 10, 3.3)
    well.at += 217
    well.train(60, 10, 3.3)
    swings = day.training(SWINGS, at("08:55"), 9_000)
    swings.train(120, 1, 6.0)
    for _ in range(15):
        swings.train(10, 1, 7.9)
        swings.train(25, 1, 6.0)
    swings.train(1000, 1, 6.0)
    ends = day.training(ENDS, at("08:20"), 1_000)
    ends.train(1000, 1, 9.8)
    ends.write("[after training is done] datetime: 2026-11-24 11:03:20\n")
    for place, run in enumerate(SWEEP):
        day.training(run, at("08:26"), 8_000, 2_000 + 40 * place).train(240, 10, 2.4)


def _taken(day):
    day.play(at("09:58:10"))
    day.hosts[AWAY].cut = True
    day.play(at("10:05:30"))
    pictures = [
        *(_alert(day, name, run) for name, run in _FIRING.items()),
        _answer(day, "slack-run", run_page(day.control.run(STUCK), day.clock.now)),
    ]
    *_, mail = (mail for mail in day.mail.received if STUCK in mail.mail["Subject"])
    pictures += [Mail("mail-stuck", mail.body("html"))]
    day.control.ack(f"slack:{CAROL}", SLOW)
    day.control.mute(f"slack:{CAROL}", AWAY, until=at("12:00"), reason="new switch")
    day.tell()
    pictures += [_answer(day, "slack-overview", overview(day.control.overview()))]
    day.play(at("10:07"))
    day.control.ack(f"slack:{day.slack.alice}", STUCK)
    day.tell()
    pictures += [_alert(day, "slack-acknowledged", STUCK)]
    day.play(at("10:48"))
    pictures += [_alert(day, "slack-resolved", STUCK)]
    day.sleep(at("11:22"))
    day.play(at("11:24"))
    return [*pictures, _alert(day, "slack-blind", "trainstatus")]


_FIRING = {
    "slack-stuck": STUCK,
    "slack-slow": SLOW,
    "slack-failed": FAILED,
    "slack-finished": DONE,
    "slack-unreachable": AWAY,
    "slack-flapping": SWINGS,
}


def kinds():
    """Return every kind of incident in each state of its life, as its sample has it: sheets of a few rows each."""
    rows = [[_sample(kind, state) for of, state in LIVES if of is kind] for kind in BY_KIND]
    return {f"kinds-{place // _ROWS + 1}": rows[place : place + _ROWS] for place in range(0, len(rows), _ROWS)}


def _sample(kind, state):
    return Slack(f"{kind}-{state}", alert(_in_slack(kind, state))[1], AT + 372)


def _in_slack(kind, state):
    of = STATES[state](BY_KIND[kind])
    message = made(of, replace(scene_of(of), prefix="/trainstatus"))
    return named(message, lambda _: "alice") if state == "firing" else mentioned(message)


def _alert(day, name, subject):
    *_, message = (m for m in day.slack.messages(day.slack.channel) if f" {subject} " in f"{m.shown} ".splitlines()[0])
    return Slack(name, message.blocks, float(message.ts))


def _answer(day, name, answer):
    return Slack(name, answer.blocks, day.clock.now)
