"""The Slack app: bolt over Socket Mode. What arrives is acknowledged first; the work is done in threads of our own."""

from __future__ import annotations

import html
import logging
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext, Respond
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler

from bot import answers, doctor, manual, messages
from bot.actions import Outcome, Press, command_of, pressed
from bot.auth import Caller
from bot.commands import Commands
from bot.connection import Connection
from bot.groups import Groups
from bot.notifier import SlackNotifier, make_client
from monitor_core.config.models import Config, Slack
from monitor_core.control import Control
from monitor_core.model.views import Diagnosis, Link

STOP = 2.0  # seconds
_WORKERS, _QUEUE = 8, 64  # commands done at the same time, and taken in all
_LOOKS = 16  # looks at hosts at the same time; none waits for a thread, so each is answered in its time
_ANY = re.compile(".*", re.DOTALL)
_log = logging.getLogger(__name__)
_bolt_log = logging.getLogger("slack_bolt")
# bolt reads SLACK_BOT_TOKEN by itself and warns that our client has a token already.
_bolt_log.addFilter(lambda record: "`token` will be unused" not in record.getMessage())
Body = dict[str, Any]
Work = Callable[[Commands, Caller, str], Outcome | None]


class SlackApp:
    """Commands and buttons in Slack, and the notifier of alerts. Monitoring does not depend on it."""

    def __init__(self, config: Config) -> None:
        if config.slack is None:
            raise ValueError("the configuration has no slack section")
        _quiet()
        self._slack: Slack = config.slack
        own = (run.channel for run in config.runs.values() if run.channel)
        self._channels = tuple(dict.fromkeys((config.slack.channel, *own)))
        self._client = make_client(config.slack)
        self._commands: Commands | None = None
        self._app: App | None = None
        self._room = threading.BoundedSemaphore(_QUEUE)
        self._looks = threading.BoundedSemaphore(_LOOKS)
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="slack-work")
        self._listeners = ThreadPoolExecutor(_WORKERS, thread_name_prefix="slack-listener")
        self._connection = Connection(self._handler)
        self.notifier = SlackNotifier(self._client)

    @property
    def connected(self) -> bool:
        """Return whether Slack can reach us now."""
        return self._connection.open

    @property
    def link(self) -> Link:
        """Return whether Slack can reach us now, and since when that is so."""
        return self._connection.link

    def examine(self) -> Iterator[Diagnosis]:
        """Find out whether Slack lets us in; nothing is posted."""
        return doctor.examine(self._client, self._slack, self._channels)

    def start(self, control: Control) -> None:
        """Begin to answer; returns at once and goes on trying while Slack is away."""
        groups = frozenset(one for one in self._slack.operators if one.startswith("S"))
        people = frozenset(self._slack.operators) - groups
        self._commands = Commands(control, people, Groups(self._client, groups))
        self._connection.start()

    def stop(self) -> None:
        """Close the socket; what is being answered has two seconds."""
        self._connection.stop(STOP)
        for pool in (self._listeners, self._workers):
            pool.shutdown(wait=False, cancel_futures=True)

    def _handler(self) -> SocketModeHandler:
        self._app = self._app or self._build()
        return SocketModeHandler(self._app, self._slack.app_token.get_secret_value(), logger=_bolt_log)

    def _build(self) -> App:
        """Return the bolt app; asks Slack who we are, so that no acknowledgement has to wait for that later."""
        app = App(client=self._client, logger=_bolt_log, name="trainstatus", listener_executor=self._listeners)
        app.command(manual.COMMAND)(self._command)
        app.command(_ANY)(self._other_command)
        app.action(_ANY)(self._action)
        for register in (app.shortcut, app.view, app.options, app.event):
            register(_ANY)(_acknowledge)
        app.error(_listener_failed)
        return app

    def _command(self, ack: Ack, body: Body, context: BoltContext, respond: Respond) -> None:
        text = html.unescape(body.get("text") or "")

        def work(commands: Commands, caller: Caller, workspace: str) -> Outcome:
            reply = commands.typed(text, caller, workspace)
            return Outcome(reply.answer, reply.share)

        self._later(work, text, ack, body, context, respond)

    def _action(self, ack: Ack, body: Body, context: BoltContext, respond: Respond) -> None:
        press = Press.read(body["actions"][0])

        def work(commands: Commands, caller: Caller, workspace: str) -> Outcome | None:
            return pressed(commands, press, caller, workspace)

        self._later(work, command_of(press), ack, body, context, respond)

    def _later(self, work: Work, command: str, ack: Ack, body: Body, context: BoltContext, respond: Respond) -> None:
        """Acknowledge, and have the work done and answered by a thread of ours.

        What asks a host has threads of its own: one that hangs takes nothing from the other commands.
        """
        looks = self._commands is not None and self._commands.looks(command)
        room, busy = (self._looks, messages.LOOKS_BUSY) if looks else (self._room, messages.BUSY)
        if not room.acquire(blocking=False):
            ack(busy)
            return
        ack()
        job = partial(self._answer, room, work, body, context, respond)
        if looks:
            threading.Thread(target=job, name="slack-look", daemon=True).start()
        else:
            self._workers.submit(job)

    def _answer(
        self, room: threading.Semaphore, work: Work, body: Body, context: BoltContext, respond: Respond
    ) -> None:
        try:
            _send(respond, self._outcome(work, body, context))
        except Exception:  # noqa: BLE001 the last line of a thread: there is nobody to raise to
            _log.exception("an answer did not reach Slack")
        finally:
            room.release()

    def _outcome(self, work: Work, body: Body, context: BoltContext) -> Outcome | None:
        workspace = context.authorize_result.team_id if context.authorize_result else None
        try:
            if self._commands is None:
                return Outcome(answers.plainly(messages.NOT_READY))
            return work(self._commands, caller_of(body), workspace or "")
        except Exception:  # noqa: BLE001 whatever breaks, the person gets a sentence
            _log.exception("a command failed")
            return Outcome(answers.plainly(messages.FAILED))

    @staticmethod
    def _other_command(ack: Ack, body: Body) -> None:
        ack(messages.unknown_command(body.get("command", "")))


def _quiet() -> None:
    """Keep what others log to what is of use, and secrets out of it."""
    for name in ("slack_bolt", "slack_sdk"):
        logging.getLogger(name).setLevel(logging.INFO)  # below that they log whole requests, response URLs included
    # A lost socket is told by the one who opens it anew. (The SDK sets this logger's level itself, each time.)
    logging.getLogger("websocket").propagate = False


def _listener_failed(error: Exception) -> None:
    """Log without the request, which bolt would add: it carries a response URL and a token."""
    _log.error("a request of Slack could not be taken: %s: %s", type(error).__name__, error)


def _acknowledge(ack: Ack) -> None:
    """Take what is of no use here, so that Slack does not tell the person that we are broken."""
    ack()


def _send(respond: Respond, outcome: Outcome | None) -> None:
    if outcome is None:
        return
    respond(
        text=outcome.answer.text,
        blocks=outcome.answer.blocks,
        response_type="in_channel" if outcome.share else "ephemeral",
        replace_original=outcome.replace,
    )


def caller_of(body: Body) -> Caller:
    """Return who typed or pressed; commands are flat, presses nested. The id counts, never the name."""
    user, team, channel = (body.get(part) or {} for part in ("user", "team", "channel"))
    return Caller(
        user=body.get("user_id") or user.get("id", ""),
        team=user.get("team_id") or body.get("team_id") or team.get("id", ""),
        channel=body.get("channel_id") or channel.get("id", ""),
        is_app=bool(body.get("bot_id")),
    )
