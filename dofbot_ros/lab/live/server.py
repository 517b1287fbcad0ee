"""Serves the page and its frames while a network learns: server-sent events, to this machine alone."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType

from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.page import frame_data, page
from dofbot_ros.lab.live.recorder import Frame

HOST = "127.0.0.1"
PATIENCE_S = 1.0
"""A connection that waits for a frame looks so often whether the server is closing [s]."""


class FrameServer:
    """A page on 127.0.0.1 that is fed frames as they come; whoever opens it later gets all of them.

    Args:
        port: of the server; 0 for any that is free.
        title: of the page.

    Attributes:
        url: where the page is.

    Raises:
        InputError: the port is taken.
    """

    def __init__(self, port: int, title: str) -> None:
        self._frames: list[str] = []
        self._change = threading.Condition()
        self._done = self._closing = False
        try:
            self._server = ThreadingHTTPServer((HOST, port), _handler(self, page(title, live=True)))
        except OSError as error:
            raise InputError(f"port {port} of {HOST} cannot be served: {error.strerror}; take another, or 0") from error
        self._server.daemon_threads = True
        self.url = f"http://{HOST}:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> FrameServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, frame: Frame) -> None:
        """Pass a frame on to all pages that are open."""
        text = json.dumps(frame_data(frame))
        with self._change:
            self._frames.append(text)
            self._change.notify_all()

    def finish(self) -> None:
        """No more frames come: open pages go on without asking for them."""
        with self._change:
            self._done = True
            self._change.notify_all()

    def close(self) -> None:
        """Stop serving."""
        with self._change:
            self._closing = True
            self._change.notify_all()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def wait(self, seen: int) -> tuple[list[str], bool]:
        """Frames after the first `seen`, as soon as there are some, and whether those are the last."""
        with self._change:
            while len(self._frames) <= seen and not self._done and not self._closing:
                self._change.wait(PATIENCE_S)
            return self._frames[seen:], self._done or self._closing


def _handler(server: FrameServer, content: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The page at /, its frames at /frames."""

        def do_GET(self) -> None:
            if self.path == "/":
                self._answer("text/html; charset=utf-8")
                self.wfile.write(content.encode())
            elif self.path == "/frames":
                self._answer("text/event-stream")
                self._stream()
            else:
                self.send_error(404)

        def log_message(self, *_: object) -> None:
            """Requests are not worth a line each."""

        def _answer(self, kind: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Cache-Control", "no-store")
            self.end_headers()

        def _stream(self) -> None:
            seen = 0
            try:
                while True:
                    frames, done = server.wait(seen)
                    for frame in frames:
                        self.wfile.write(f"data: {frame}\n\n".encode())
                    seen += len(frames)
                    if done:
                        self.wfile.write(b"event: end\ndata: end\n\n")
                        return
            except OSError:
                return  # the page was closed

    return Handler
