"""The test Slack's HTTP side: reads a call, lets the asked-for fault happen, answers and logs."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Protocol
from urllib.parse import parse_qsl

from tests.support.slack_world import Refusal, World


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call; nothing by default. `wire` says when the connection breaks."""

    error: str = ""
    status: int = 200
    retry_after: int | None = None
    page: str = ""
    wire: Literal["", "before", "after", "half", "hang"] = ""

    @property
    def refuses(self) -> bool:
        """Return whether the call is answered without being done."""
        return bool(self.error or self.page)


@dataclass(frozen=True)
class Call:
    """One call as it was logged: `answer` is None if nothing was answered; `at` is on Slack's clock."""

    method: str
    args: dict[str, Any]
    token: str
    status: int
    answer: dict[str, Any] | None
    at: float

    @property
    def error(self) -> str:
        return (self.answer or {}).get("error", "")


@dataclass(frozen=True)
class _Reply:
    status: int
    body: str
    data: dict[str, Any] | None
    retry_after: int | None = None


class Backend(Protocol):
    """What the HTTP side needs of the server."""

    world: World
    scopes: frozenset[str]
    calls: list[Call]

    def fault(self, method: str) -> Fault: ...
    def answer(self, method: str, token: str, args: dict[str, Any]) -> dict[str, Any]: ...
    def respond(self, name: str, body: dict[str, Any]) -> dict[str, Any]: ...


class WebServer:
    """Serves http:// on a free port in threads of its own."""

    def __init__(self, backend: Backend) -> None:
        self._closing = threading.Event()
        closing = self._closing

        class Handler(_Handler):
            slack, hang = backend, closing

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = False
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="slack-http")
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    slack: Backend
    hang: threading.Event

    def do_POST(self) -> None:  # the name that http.server wants
        kind, _, name = self.path.partition("?")[0].strip("/").partition("/")
        method = name if kind == "api" else "respond"
        args, token = self._read()
        fault = self.slack.fault(method)
        if fault.wire in {"before", "hang"}:
            self._log(method, args, token, 0, None)
            if fault.wire == "hang":
                self.hang.wait()
            return
        reply = self._faulty(fault) if fault.refuses else self._do(method, name, token, args)
        self._log(method, args, token, reply.status, None if fault.wire else reply.data)
        if fault.wire != "after":
            self._write(reply, half=fault.wire == "half")

    def _read(self) -> tuple[dict[str, Any], str]:
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        if "json" in self.headers.get("Content-Type", ""):
            args = json.loads(raw or "{}")
        else:
            args = {key: _unpack(key, value) for key, value in parse_qsl(raw, keep_blank_values=True)}
        token = self.headers.get("Authorization", "").removeprefix("Bearer ") or args.pop("token", "")
        return args, token

    def _do(self, method: str, name: str, token: str, args: dict[str, Any]) -> _Reply:
        try:
            if method == "respond":
                return _answer(200, {"ok": True, **self.slack.respond(name, args)})
            return _answer(200, {"ok": True, **self.slack.answer(method, token, args)})
        except Refusal as no:
            return _answer(no.status, {"ok": False, "error": no.code, **no.more}, no.retry_after)

    @staticmethod
    def _faulty(fault: Fault) -> _Reply:
        if fault.page:
            return _Reply(fault.status, fault.page, None)
        return _answer(fault.status, {"ok": False, "error": fault.error}, fault.retry_after)

    def _log(self, method: str, args: dict[str, Any], token: str, status: int, data: dict[str, Any] | None) -> None:
        self.slack.calls.append(Call(method, args, token, status, data, self.slack.world.now()))

    def _write(self, reply: _Reply, *, half: bool) -> None:
        body = reply.body.encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json; charset=utf-8" if reply.data else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-OAuth-Scopes", ",".join(sorted(self.slack.scopes)))
        if reply.retry_after is not None:
            self.send_header("Retry-After", str(reply.retry_after))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if half else body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the calls are logged for assertions."""


def _answer(status: int, data: dict[str, Any], retry_after: int | None = None) -> _Reply:
    return _Reply(status, json.dumps(data), data, retry_after)


def _unpack(key: str, value: str) -> Any:
    """Return a form field: Slack takes JSON text for what is not a string."""
    return json.loads(value) if key in {"blocks", "metadata", "view"} else value
