"""Sends sample messages through a mail notifier."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from monitor_core.config.models import Email, Smtp
from monitor_core.errors import NotifyError
from monitor_core.notify.email import EmailNotifier
from tests.support.messages import STUCK

ONCALL = "oncall@example.com"


def notifier(port, *, reply_to="", sender="trainstatus@example.com", total=20.0, **smtp):
    smtp = {"host": "127.0.0.1", "security": "none"} | smtp
    if "password" in smtp:
        smtp["password"] = SecretStr(smtp["password"])
    config = Email(smtp=Smtp(port=port, **smtp), sender=sender, reply_to=reply_to)
    return EmailNotifier(config, total=total)


def send(to, message=STUCK, *, target=ONCALL, key="4127:firing:oncall", previous=""):
    return to.send(target, message, key=key, previous=previous)


def refusal(to, **how):
    with pytest.raises(NotifyError) as caught:
        send(to, **how)
    return caught.value
