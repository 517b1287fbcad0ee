"""Opens an http address within a time that no server can stretch by sending its headers byte by byte."""

from __future__ import annotations

import http.client
import socket
import threading
import urllib.request
from contextlib import suppress
from typing import Any


class _Watched:
    """Connections of one request; close() ends whatever waits on them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sockets: list[socket.socket] = []
        self.expired = False

    def add(self, sock: socket.socket) -> None:
        with self._lock:
            self._sockets.append(sock)
            if self.expired:
                _shut(sock)

    def expire(self) -> None:
        with self._lock:
            self.expired = True
            for sock in self._sockets:
                _shut(sock)


def open_url(url: str, timeout_s: float) -> http.client.HTTPResponse:
    """The response of `url`, once all of its headers have come.

    Args:
        url: http or https.
        timeout_s: of each wait for bytes, and of all of them together until the headers are whole [s].

    Raises:
        OSError: nobody answers, or not in time.
        ValueError, http.client.HTTPException: no such address, or no HTTP.
    """
    watched = _Watched()
    watchdog = threading.Timer(timeout_s, watched.expire)
    watchdog.daemon = True
    watchdog.start()
    try:
        opener = urllib.request.build_opener(*_handlers(watched))
        response: http.client.HTTPResponse = opener.open(url, timeout=timeout_s)
    except (OSError, http.client.HTTPException) as error:
        if watched.expired:
            raise TimeoutError(f"no answer with whole headers within {timeout_s:g} s") from error
        raise
    finally:
        watchdog.cancel()
    return response


def _handlers(watched: _Watched) -> list[urllib.request.BaseHandler]:
    class Plain(http.client.HTTPConnection):
        def connect(self) -> None:
            super().connect()
            watched.add(self.sock)

    class Secure(http.client.HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            watched.add(self.sock)

    class PlainHandler(urllib.request.HTTPHandler):
        def http_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Plain, request)

    class SecureHandler(urllib.request.HTTPSHandler):
        def https_open(self, request: urllib.request.Request) -> Any:
            return self.do_open(Secure, request)

    return [PlainHandler(), SecureHandler()]


def _shut(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.shutdown(socket.SHUT_RDWR)
