"""Hands one mail to a mail server: the only place that knows smtplib and what its exceptions mean."""

from __future__ import annotations

import base64
import ipaddress
import smtplib
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from email.message import EmailMessage

from monitor_core.config.models import Smtp
from monitor_core.errors import NotifyError
from monitor_core.notify.render import clean
from monitor_core.redact import REDACTED

OPERATION = 15.0  # seconds for each connect, read and write
TOTAL = 60.0  # seconds for one mail: a server may answer each operation just in time for ever
# Greylisting servers ask for some minutes of patience and rarely say how many; postgrey's default delay is 300 s.
GREYLISTED = 300.0
# A certificate is renewed by people: the mail waits for them, it is not given up.
RENEWED = 300.0
_READY = 220
_BUSY = 421  # RFC 5321: the server shuts down or is full; it closes the connection and is soon back
_PERMANENT = 500


def deliver(server: Smtp, mail: EmailMessage, *, sender: str, target: str, total: float = TOTAL) -> None:
    """Hand the mail to the server for one target; raise NotifyError if it did not take it."""
    with _translated(server, sender, target), _session(server, total) as client:
        _hand_over(client, server, mail, sender, target)


def probe(server: Smtp, *, total: float = TOTAL) -> None:
    """Greet the server, encrypt and log in, and leave without a mail; raise NotifyError if that fails."""
    with _translated(server), _session(server, total):
        pass


@contextmanager
def _translated(server: Smtp, *addresses: str) -> Iterator[None]:
    """Raise NotifyError for whatever smtplib raises; the addresses are the sender's and the target's."""
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code, reply = next(iter(error.recipients.values()))
        raise _refused(server, f"{_name(server)} refused {addresses[-1]}", code, reply) from None
    except smtplib.SMTPAuthenticationError as error:
        what = f"{_name(server)} refused the login of {server.username} (check email.smtp.username and password)"
        raise _refused(server, what, error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPResponseException as error:
        what = "the mail" if addresses else "to talk to us"
        raise _refused(server, f"{_name(server)} refused {what}", error.smtp_code, error.smtp_error) from None
    except smtplib.SMTPServerDisconnected:
        raise NotifyError(f"{_name(server)} closed the connection or did not answer", permanent=False) from None
    except smtplib.SMTPException:  # the rest: the server lacks an extension that we need
        raise NotifyError(_unsupported(server, *addresses), permanent=True) from None
    except ssl.SSLCertVerificationError as error:
        raise NotifyError(_untrusted(server, error), permanent=False, retry_after=RENEWED) from None
    except OSError as error:
        reason = "no answer in time" if isinstance(error, TimeoutError) else clean(str(error))
        raise NotifyError(f"{_name(server)} cannot be reached: {reason}", permanent=False) from None
    except ValueError:
        # Its text could show the password.
        text = f"{_name(server)} cannot be used: its name, the user name or the password is not ASCII, or too long"
        raise NotifyError(text, permanent=True) from None


@contextmanager
def _session(server: Smtp, total: float) -> Iterator[smtplib.SMTP]:
    """Give a client that is logged in, and cut it off after `total` seconds."""
    _refuse_open_password(server)
    context = _context(server)
    client = _client(server, context, total)
    try:
        with _cut_after(client, total):
            _greet(client, server, context)
            yield client
            # The server has accepted: trouble in saying goodbye must not send the mail again.
            with suppress(OSError, smtplib.SMTPException):
                client.quit()
    finally:
        client.close()


def _hand_over(client: smtplib.SMTP, server: Smtp, mail: EmailMessage, sender: str, target: str) -> None:
    try:
        client.send_message(mail, sender, [target])
    except (smtplib.SMTPServerDisconnected, OSError) as error:
        if isinstance(error, smtplib.SMTPException) and not isinstance(error, smtplib.SMTPServerDisconnected):
            raise
        text = f"{_name(server)} closed the connection or did not answer while it was given the mail"
        raise NotifyError(text, permanent=False, doubtful=True) from None


def _client(server: Smtp, context: ssl.SSLContext, total: float) -> smtplib.SMTP:
    # A name of our own: smtplib would ask the resolver, without a time limit.
    own_name = socket.gethostname() if "." in socket.gethostname() else "[127.0.0.1]"
    patience = min(OPERATION, total)
    client = (
        smtplib.SMTP_SSL(local_hostname=own_name, timeout=patience, context=context)
        if server.security == "tls"
        else smtplib.SMTP(local_hostname=own_name, timeout=patience)
    )
    # The name that TLS verifies; only the constructor sets it, and would connect before we can watch the clock.
    client._host = server.host  # type: ignore[attr-defined]  # noqa: SLF001 there is no public way
    return client


@contextmanager
def _cut_after(client: smtplib.SMTP, seconds: float) -> Iterator[None]:
    """Cut the client's connection if the block takes longer: its next read or write then fails."""
    done = threading.Event()

    def watch() -> None:
        done.wait(seconds)
        while not done.wait(0.1):
            with suppress(OSError, AttributeError):  # not connected yet, or just closed
                # The plain socket's shutdown: that of TLS would take the session from under the reader.
                socket.socket.shutdown(client.sock, socket.SHUT_RDWR)  # type: ignore[arg-type]

    watcher = threading.Thread(target=watch, name="smtp-deadline", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def _greet(client: smtplib.SMTP, server: Smtp, context: ssl.SSLContext) -> None:
    code, reply = client.connect(server.host, server.port)
    if code != _READY:
        raise smtplib.SMTPConnectError(code, reply)
    client.ehlo_or_helo_if_needed()
    if server.security == "starttls":
        _start_tls(client, server, context)
    if server.username:
        client.login(server.username, server.password.get_secret_value())


def _start_tls(client: smtplib.SMTP, server: Smtp, context: ssl.SSLContext) -> None:
    if not client.has_extn("starttls"):
        text = (
            f"{_name(server)} does not offer STARTTLS, so nothing was sent; "
            "set email.smtp.security to tls (port 465), or to none for a server on this machine"
        )
        raise NotifyError(text, permanent=True)
    client.starttls(context=context)
    client.ehlo()


def _context(server: Smtp) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if server.ca_file:
        try:
            context.load_verify_locations(server.ca_file)
        except OSError as error:
            reason = error.strerror or "it holds no certificate"
            text = f"email.smtp.ca_file: {server.ca_file} cannot be used: {reason}; name a PEM file of certificates"
            raise NotifyError(text, permanent=True) from None
    return context


def _refuse_open_password(server: Smtp) -> None:
    if server.security == "none" and server.username and not _is_loopback(server.host):
        text = (
            f"the password would travel to {_name(server)} in the clear, so nothing was sent; "
            "set email.smtp.security to starttls or tls, or leave email.smtp.username out"
        )
        raise NotifyError(text, permanent=True)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(server: Smtp) -> str:
    return f"mail server {server.host}:{server.port}"


def _refused(server: Smtp, what: str, code: int, reply: bytes | str) -> NotifyError:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    permanent = code >= _PERMANENT
    retry_after = None if permanent or code == _BUSY else GREYLISTED
    said = _masked(server, clean(" ".join(text.split())))
    return NotifyError(f"{what}: {code} {said}", permanent=permanent, retry_after=retry_after)


def _masked(server: Smtp, reply: str) -> str:
    """Return the reply without the password: a server may quote the command it did not like."""
    user, password = server.username, server.password.get_secret_value()
    if not password:
        return reply
    sent = (password, f"\0{user}\0{password}", user)
    for secret in (password, *(base64.b64encode(text.encode()).decode() for text in sent)):
        reply = reply.replace(secret, REDACTED)
    return reply


def _untrusted(server: Smtp, error: ssl.SSLCertVerificationError) -> str:
    return (
        f"the certificate of {_name(server)} is not trusted: {error.verify_message}; renew it, set email.smtp.host to "
        "the name in it, or name its authority in email.smtp.ca_file"
    )


def _unsupported(server: Smtp, *addresses: str) -> str:
    for address in addresses:
        if not address.isascii():
            return f"{_name(server)} takes no address with other letters than ASCII (SMTPUTF8): {address}"
    return f"{_name(server)} offers no login that we know; leave email.smtp.username out, or use another port"
