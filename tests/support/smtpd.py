"""A real mail server in this process: with or without TLS and login, refusing, dying or silent when told to."""

from __future__ import annotations

import asyncio
import contextlib
import email
import email.policy
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email.message import EmailMessage

import trustme
from aiosmtpd.smtp import SMTP, AuthResult


class Authority:
    """A certificate authority of our own, and its file to trust."""

    def __init__(self, folder):
        self._authority = trustme.CA()
        self.file = str(folder / "authority.pem")
        self._authority.cert_pem.write_to_path(self.file)

    def server_context(self, *names):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._authority.issue_cert(*names).configure_cert(context)
        return context


@dataclass
class Received:
    """One mail as the server got it."""

    sender: str
    targets: list[str]
    raw: bytes

    @property
    def mail(self) -> EmailMessage:
        return email.message_from_bytes(self.raw, policy=email.policy.default)

    def body(self, kind):
        return self.mail.get_body((kind,)).get_content()


@dataclass
class MailServer:
    """Listens on a free port of 127.0.0.1 while entered; `received` fills up with what it accepted.

    `context` holds its certificate for `security` starttls or tls. `login` is the one account. `replies` says what it
    answers to an address, to the whole mail (`DATA`) or to QUIT instead of yes. `dies_in` names the command at which
    it drops the connection.
    """

    security: str = "none"
    context: ssl.SSLContext | None = None
    login: tuple[str, str] | None = None
    replies: dict[str, str] = field(default_factory=dict)
    dies_in: str = ""
    utf8: bool = False
    port: int = 0
    received: list[Received] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)

    def __enter__(self):
        self._loop = asyncio.new_event_loop()
        self._connections = []
        self._speaking = asyncio.Event()
        self._speaking.set()
        self._server = self._loop.run_until_complete(
            self._loop.create_server(
                self._protocol, "127.0.0.1", self.port, ssl=self.context if self.security == "tls" else None
            )
        )
        self.port = self._server.sockets[0].getsockname()[1]
        self._thread = threading.Thread(target=self._loop.run_forever, name="mail server")
        self._thread.start()
        return self

    def __exit__(self, *exc):
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def fall_silent(self):
        """From now on take mails and do not say so, until `speak`."""
        self._loop.call_soon_threadsafe(self._speaking.clear)

    def speak(self):
        self._loop.call_soon_threadsafe(self._speaking.set)

    async def _stop(self):
        self._server.close()
        for connection in self._connections:
            if connection.transport is not None:
                # One over TLS that is just ending has let go of what it would abort.
                with contextlib.suppress(AttributeError):
                    connection.transport.abort()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await self._server.wait_closed()
        await asyncio.sleep(0)

    def _protocol(self):
        connection = SMTP(
            self,
            hostname="mail.test",
            loop=self._loop,
            enable_SMTPUTF8=self.utf8,
            tls_context=self.context if self.security == "starttls" else None,
            require_starttls=self.security == "starttls",
            authenticator=self._authenticate if self.login else None,
            auth_require_tls=self.security == "starttls",  # aiosmtpd knows no other TLS; handle_MAIL asks for the login
            auth_exclude_mechanism=() if self.login else ("LOGIN", "PLAIN"),
        )
        self._connections.append(connection)
        return connection

    def _authenticate(self, _server, _session, _envelope, _mechanism, data):
        given = (data.login.decode(), data.password.decode())
        self.logins.append(given)
        # handled=False, or aiosmtpd sends no answer to a wrong password
        return AuthResult(success=given == self.login, handled=False)

    async def handle_MAIL(self, _server, session, envelope, address, options):  # noqa: N802 aiosmtpd's name
        if self.login and not session.authenticated:
            return "530 5.7.0 Authentication required"
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802 aiosmtpd's name
        if address in self.replies:
            return self.replies[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, _session, envelope):  # noqa: N802 aiosmtpd's name
        if "DATA" in self.replies:
            return self.replies["DATA"]
        if self.dies_in == "DATA":
            server.transport.abort()
            return "250 never heard"
        self.received.append(Received(envelope.mail_from, list(envelope.rcpt_tos), envelope.content))
        await self._speaking.wait()
        return "250 OK"

    async def handle_QUIT(self, server, _session, _envelope):  # noqa: N802 aiosmtpd's name
        if self.dies_in == "QUIT":
            server.transport.abort()
        return self.replies.get("QUIT", "221 bye")


@contextlib.contextmanager
def scripted_server(*chunks, pause=0.0):
    """Accept connections on a free port, send the chunks with a pause between them, then say nothing more."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.1)

    def serve():
        with contextlib.ExitStack() as connections:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    connection = connections.enter_context(listener.accept()[0])
                    for chunk in chunks:
                        with contextlib.suppress(OSError):
                            connection.sendall(chunk)
                        if stop.wait(pause):
                            break

    thread = threading.Thread(target=serve, name="scripted server")
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        thread.join(10)
        listener.close()
