"""Sends messages by mail: one mail for each address, one thread for each incident."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP

from monitor_core.config.models import Email
from monitor_core.model.message import Look, Message
from monitor_core.notify.mail import mail_html, mail_text
from monitor_core.notify.render import clean
from monitor_core.notify.smtp import TOTAL, deliver

# Python encodes header tokens that are too long to fold, and an encoded Message-ID breaks threads: no header is folded.
# A body is encoded to lines of 76, or quoted-printable makes them 998 long.
_HEADERS = SMTP.clone(max_line_length=998)
_BODIES = SMTP.clone(max_line_length=76)
_LONGEST_DOMAIN = 24  # keeps a Message-ID under 60 characters
_ADDRESS = re.compile(r"[^@\s,;<>\"()\[\]\\:]+@[^@\s,;<>\"()\[\]\\:]+")


class EmailNotifier:
    """Sends each message to one address over the configured mail server, within `total` seconds or not at all."""

    name = "email"
    edits = False

    def __init__(self, config: Email, *, total: float = TOTAL) -> None:
        self._config = config
        self._total = total
        self._user, _, self._domain = config.sender.rpartition("@")

    def check_target(self, target: str) -> str:
        """Return what is wrong with the address; empty if mail can be sent to it."""
        if _ADDRESS.fullmatch(target) and clean(target) == target:
            return ""
        return f"{clean(target)!r} is not a mail address (example: oncall@example.com)"

    def send(self, target: str, message: Message, *, key: str, previous: str) -> str:
        """Send the message and return the Message-ID of its thread's first mail; raise NotifyError if refused."""
        own_id = self._message_id(key, message.incident)
        mail = self._mail(target, message, own_id, previous)
        deliver(self._config.smtp, mail, sender=self._config.sender, target=target, total=self._total)
        return previous or own_id

    def close(self) -> None:
        """Do nothing: each mail has its own connection."""

    def _message_id(self, key: str, incident: int) -> str:
        domain = self._domain.encode("ascii", "replace").decode().replace("?", "x")
        digest = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        return f"<i{incident}.{digest}@{domain[-_LONGEST_DOMAIN:].strip('.-')}>"

    def _mail(self, target: str, message: Message, own_id: str, previous: str) -> EmailMessage:
        footer = self._footer(target)
        mail = EmailMessage(policy=_BODIES)
        mail.set_content(mail_text(message, footer), cte="quoted-printable")
        mail.add_alternative(mail_html(message, footer), subtype="html", cte="quoted-printable")
        mail.policy = _HEADERS
        for name, value in self._headers(target, message, own_id, previous).items():
            mail[name] = value
        return mail

    def _headers(self, target: str, message: Message, own_id: str, previous: str) -> dict[str, object]:
        headers: dict[str, object] = {
            "From": Address("trainstatus", self._user, self._domain),
            "To": clean(target),
            "Subject": _subject(message, answer=bool(previous)),
            "Date": datetime.now(UTC),
            "Message-ID": own_id,
            "List-Id": f"trainstatus <trainstatus.{self._domain}>",
            "Auto-Submitted": "auto-generated",
            "X-Auto-Response-Suppress": "All",
        }
        if previous:
            headers |= {"In-Reply-To": previous, "References": previous}
        if self._config.reply_to:
            headers["Reply-To"] = clean(self._config.reply_to)
        if message.look is Look.CRITICAL:
            headers["Importance"] = "high"
        return headers

    def _footer(self, target: str) -> tuple[str, ...]:
        replies = f"Replies go to {clean(self._config.reply_to)}." if self._config.reply_to else ""
        lines = (
            f"You get this because {clean(target)} is a mail recipient of trainstatus.",
            replies,
            "To stop: mute, or have the address taken out of the configuration (email.recipients).",
        )
        return tuple(line for line in lines if line)


def _subject(message: Message, *, answer: bool) -> str:
    # "=?" would be read as the beginning of an encoded word, which may hide a line end.
    subject = " ".join(f"[trainstatus] {clean(message.subject)}".split()).replace("=?", "= ?")
    return f"Re: {subject}" if answer else subject
