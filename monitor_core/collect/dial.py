"""Opens TCP connections within a time, also where the name service does not answer."""

from __future__ import annotations

import queue
import socket
import threading
import time

from monitor_core.errors import Unreachable

_CONNECT_TIMEOUT = 10.0
# Unacknowledged data for so long ends a connection: the kernel's own limit is about a quarter of an hour.
_USER_TIMEOUT_MS = 30_000

_Address = tuple[int, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


def dial(address: str, port: int, *, ends_at: float) -> socket.socket:
    """Return a connection; `ends_at` is a time of the monotonic clock.

    Raises Unreachable with a sentence.
    """
    found = _resolve(address, port, ends_at)
    for place, (family, where) in enumerate(found, 1):
        timeout = max(0.1, min(_CONNECT_TIMEOUT, (ends_at - time.monotonic()) / (len(found) - place + 1)))
        connection = socket.socket(family, socket.SOCK_STREAM)
        try:
            connection.settimeout(timeout)
            connection.connect(where)
            _tune(connection)
        except OSError as error:
            connection.close()
            if place == len(found):
                raise Unreachable(_sentence(error, f"{address}:{port}", timeout)) from error
        else:
            return connection
    raise Unreachable(f"the name {address} has no address")


def _tune(connection: socket.socket) -> None:
    # Without it each exchange can wait 44 ms for a delayed acknowledgement.
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _USER_TIMEOUT_MS)


def _sentence(error: OSError, where: str, timeout: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer from {where} within {timeout:.3g} s"
    if isinstance(error, ConnectionRefusedError):
        return f"connection refused by {where}: no SSH server listens there"
    return f"{where} cannot be reached: {error.strerror or 'the connection broke off'}"


def _resolve(address: str, port: int, ends_at: float) -> list[_Address]:
    """Look the name up in a thread of its own: the lookup itself takes no timeout."""
    answers: queue.SimpleQueue[list[_Address] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(address, port, answers), name="lookup", daemon=True).start()
    try:
        answer = answers.get(timeout=max(0.1, ends_at - time.monotonic()))
    except queue.Empty:
        raise Unreachable(f"the name service did not answer for {address}") from None
    if isinstance(answer, OSError):
        raise Unreachable(f"the name {address} is not known to the name service") from answer
    return answer


def _look_up(address: str, port: int, answers: queue.SimpleQueue[list[_Address] | OSError]) -> None:
    try:
        found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        answers.put(error if isinstance(error, OSError) else OSError(str(error)))
    else:
        answers.put([(family, where) for family, _, _, _, where in found])
