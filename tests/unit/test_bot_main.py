from __future__ import annotations

import subprocess
import sys

from bot.__main__ import slack
from monitor_core.app import Extension
from monitor_core.config.models import Config, Slack

LOADED = """
import sys
from bot.__main__ import slack
from monitor_core.config.models import Config
assert slack(Config()) is None
print(sorted(name for name in sys.modules if name.startswith("slack")))
"""


def test_without_a_slack_section_nothing_of_slack_is_loaded():
    done = subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_with_a_slack_section_there_is_an_app_that_has_not_connected():
    app: Extension = slack(Config(slack=Slack(channel="C0TRAIN01", bot_token="xoxb-1", app_token="xapp-1")))
    assert app.notifier.name == "slack"
    assert not app.connected
    app.stop()
