"""The Slack app under test: the real one, on a SQLite file, against the test Slack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sqlalchemy import text

from bot.app import SlackApp
from monitor_core.config.models import Config, Host, Run, Slack
from monitor_core.control import Control
from monitor_core.model.incidents import Incident, IncidentState, Kind, Phase, Severity, Subject, SubjectKind
from monitor_core.roster import Roster
from monitor_core.store import queries
from monitor_core.store.database import open_database
from monitor_core.store.queries import HostRow, RunRow
from monitor_core.track import memory
from monitor_core.track.state import RunState
from tests.support.slack_people import Interaction, wait_until
from tests.support.slack_server import SlackServer
from tests.support.slack_world import Posted

NOW = 1795515350.0  # 10:15:50 UTC, Tue 24 Nov
OWNER, OTHER_CHANNEL = "U056CAROL", "C0LOBBY01"


class Bot:
    """The app, its control and its Slack. Carol owns moe-16x3b, the group with bob in it are the operators."""

    def __init__(self, slack: SlackServer, folder: Path) -> None:
        self.slack = slack
        slack.add_person(OWNER, "carol")
        slack.add_channel(OTHER_CHANNEL, "lobby")
        self.config = Config(
            hosts={"gpu-07": Host(name="gpu-07", transport="local")},
            runs={
                "moe-16x3b": Run(name="moe-16x3b", host="gpu-07", logs=("/logs/moe",), owner=OWNER),
                "dense-13b": Run(name="dense-13b", host="gpu-07", logs=("/logs/dense",), thresholds={"slow": "1.3"}),
            },
            slack=Slack(
                channel=slack.channel,
                bot_token=slack.bot_token,
                app_token=slack.app_token,
                api_url=slack.api_url,
                operators=(slack.group,),
            ),
        )
        self.engine = open_database(f"sqlite:///{folder / 'trainstatus.db'}")
        self.app = SlackApp(self.config)
        roster = Roster(self.config, {"slack": self.app.notifier})
        self.control = Control(self.engine, roster, clock=lambda: NOW)

    def start(self) -> None:
        """Connect, and wait until Slack can reach us."""
        self.app.start(self.control)
        self.slack.wait_connected()

    def close(self) -> None:
        self.app.stop()
        self.app.notifier.close()
        self.engine.dispose()

    # What the monitor would have stored.

    def runs(self, name: str = "moe-16x3b") -> None:
        """Store that a run trains and was seen 9 s ago."""
        state = RunState(phase=Phase.TRAINING, launches=1, iteration=12400, total=50000, loss=2.314, ms=408.0)
        state = replace(state, line_at=NOW - 35, started_at=NOW - 7200)
        with self.engine.begin() as connection:
            queries.save_run(connection, RunRow(name, "gpu-07", memory.dump(state), "", NOW - 9, 0.0))
            queries.save_host(connection, HostRow("gpu-07", seen_at=NOW - 9))

    def fires(self, name: str = "moe-16x3b", kind: Kind = Kind.STUCK) -> str:
        """Store an incident and return its number."""
        incident = Incident(
            subject=Subject(SubjectKind.RUN, name),
            kind=kind,
            severity=Severity.CRITICAL,
            state=IncidentState.FIRING,
            starts_at=NOW - 1380,
            fired_at=NOW - 1200,
        )
        with self.engine.begin() as connection:
            return str(queries.save_incident(connection, incident).number)

    def resolve(self, number: str) -> None:
        with self.engine.begin() as connection:
            incident = queries.load_incident(connection, int(number))
            queries.save_incident(connection, replace(incident, state=IncidentState.RESOLVED, ends_at=NOW - 60))

    def incident(self, number: str) -> Incident:
        with self.engine.begin() as connection:
            return queries.load_incident(connection, int(number))

    def audit(self) -> list[tuple[str, str, str, str]]:
        """Return actor, verb, subject and why it was refused, oldest first."""
        with self.engine.begin() as connection:
            rows = connection.execute(text("SELECT actor, verb, subject, refused FROM audit ORDER BY number"))
            return [tuple(row) for row in rows]

    # What people do.

    def ask(self, command: str, *, user: str = "", channel: str = "") -> str:
        """Type a command and return what the answer shows."""
        return self.asked(command, user=user, channel=channel).shown

    def asked(self, command: str, *, user: str = "", channel: str = "") -> Posted:
        return answer_of(self.slack.command(command, user=user, channel=channel))

    def alert(self, *buttons: str, number: str) -> Posted:
        """Post an alert with these buttons, as the notifier would."""
        elements = [
            {"type": "button", "action_id": b, "value": number, "text": {"type": "plain_text", "text": b}}
            for b in buttons
        ]
        message = self.slack.say(self.slack.channel, self.slack.bot_user, "an alert")
        message.blocks = [{"type": "actions", "block_id": "incident", "elements": elements}]
        return message


def answer_of(done: Interaction) -> Posted:
    """Return the newest message that an interaction brought."""
    done.wait_for_answer()
    return wait_until(lambda: done.shown, "a shown answer")[-1]
