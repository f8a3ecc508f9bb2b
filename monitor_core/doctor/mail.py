"""Whether the mail server takes us, and the addresses are addresses; no mail is sent."""

from __future__ import annotations

from collections.abc import Iterator

from monitor_core.config.models import Email
from monitor_core.errors import NotifyError
from monitor_core.model.views import Diagnosis, State
from monitor_core.notify.email import EmailNotifier
from monitor_core.notify.smtp import probe

PART = "mail"
_PATIENCE = 20.0  # seconds
_UNREACHED = ("cannot be reached", "did not answer")
_REACH = "set email.smtp.host and port; whether a firewall lets it through: nc -vz {host} {port}"
_CORRECT = "correct email.smtp as the sentence says"


def examine(email: Email) -> Iterator[Diagnosis]:
    """Greet the mail server, encrypt, log in and leave; look at the addresses."""
    smtp = email.smtp
    try:
        probe(smtp, total=_PATIENCE)
    except NotifyError as error:
        unreached = any(sign in str(error) for sign in _UNREACHED)
        fix = _REACH.format(host=smtp.host, port=smtp.port) if unreached else _CORRECT
        yield Diagnosis(PART, State.FAIL, str(error), fix)
    else:
        account = f"with the account {smtp.username}" if smtp.username else "without an account"
        yield Diagnosis(PART, State.OK, f"{smtp.host}:{smtp.port} lets us in, {smtp.security}, {account}")
    notifier = EmailNotifier(email)
    for recipient in email.recipients:
        if wrong := notifier.check_target(recipient.address):
            yield Diagnosis(PART, State.FAIL, wrong, "correct it in email.recipients")
    if not email.recipients:
        yield Diagnosis(PART, State.WARN, "nobody gets mail", "name somebody in email.recipients")
