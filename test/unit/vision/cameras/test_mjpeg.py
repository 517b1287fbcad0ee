from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import cv2
import numpy as np
import pytest

from dofbot_ros.core.clock import ManualClock, MonotonicClock
from dofbot_ros.vision.cameras.frames import CameraError, CameraLostError
from dofbot_ros.vision.cameras.mjpeg import START, MjpegStream

REDS = (40, 120, 200)


def jpeg(red: int) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), (10, 20, red), np.uint8))[1].tobytes()


class Handler(BaseHTTPRequestHandler):
    """A network camera that behaves as its path says."""

    def do_GET(self) -> None:
        stop: threading.Event = self.server.stop  # type: ignore[attr-defined]
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/slow-headers":
            while not stop.wait(0.02):
                self.wfile.write(b"X")
            return
        self.send_response(200)
        kind = "text/html" if self.path == "/page" else "multipart/x-mixed-replace; boundary=frame"
        self.send_header("Content-Type", kind)
        self.end_headers()
        if self.path == "/page":
            self.wfile.write(b"<html>")
            return
        if self.path == "/drops":
            self.wfile.write(START)
            while not stop.wait(0.01):
                self.wfile.write(b"\0")
            return
        if self.path == "/never-whole":
            while not stop.is_set():
                self._part(jpeg(90)[:3] + b"rubbish" + b"\xff\xd9", None, 1)
            return
        length = 7 if self.path == "/wrong-lengths" else None
        for red in REDS:
            self._part(jpeg(red), length, pieces=5 if self.path == "/pieces" else 1)
        if self.path == "/damaged":
            self._part(jpeg(90)[:3] + b"rubbish" + b"\xff\xd9", None, 1)
            self._part(jpeg(250), None, 1)
        if self.path == "/silent":
            stop.wait(20.0)

    def _part(self, data: bytes, length: int | None, pieces: int) -> None:
        self.wfile.write(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % (length or len(data)))
        for piece in np.array_split(np.frombuffer(data, np.uint8), pieces):
            self.wfile.write(piece.tobytes())
            self.wfile.flush()
        self.wfile.write(b"\r\n")

    def handle(self) -> None:
        with suppress(ConnectionError):  # a client that has seen enough
            super().handle()

    def log_message(self, *args: object) -> None:
        """Quiet."""


@contextmanager
def camera() -> Iterator[str]:
    """Address of a network camera on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.stop = threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.stop.set()  # type: ignore[attr-defined]
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with camera() as url:
        yield url


def red(stream: MjpegStream) -> float:
    return float(stream.read().image[..., 0].mean())


@pytest.mark.parametrize("path", ["/stream", "/pieces", "/wrong-lengths"])
def test_every_frame_arrives_however_it_is_cut(address: str, path: str) -> None:
    stream = MjpegStream(address + path, ManualClock(5.0))

    np.testing.assert_allclose([red(stream) for _ in REDS], REDS, atol=4)
    stream.close()


def test_frames_are_stamped_on_the_given_clock(address: str) -> None:
    clock = MonotonicClock()
    before = clock.now()
    stream = MjpegStream(address + "/stream", clock)

    stamps = [stream.read().stamp_s for _ in REDS]

    times = [before, *stamps, clock.now()]
    assert times == sorted(times)
    stream.close()


def test_a_damaged_frame_is_passed_over(address: str) -> None:
    stream = MjpegStream(address + "/damaged", ManualClock())

    np.testing.assert_allclose([red(stream) for _ in range(4)], [*REDS, 250], atol=4)
    stream.close()


def test_the_end_of_the_stream_is_a_lost_camera_that_can_be_opened_again(address: str) -> None:
    for _ in range(2):
        stream = MjpegStream(address + "/stream", ManualClock())
        for _ in REDS:
            stream.read()
        with pytest.raises(CameraLostError, match="the server ended the stream"):
            stream.read()
        stream.close()


def test_silence_is_a_lost_camera(address: str) -> None:
    stream = MjpegStream(address + "/silent", ManualClock(), timeout_s=0.2)
    for _ in REDS:
        stream.read()

    with pytest.raises(CameraLostError, match="timed out"):
        stream.read()
    stream.close()


class HastyClock(ManualClock):
    """A second passes whenever somebody asks for the time."""

    def now(self) -> float:
        self.advance(1.0)
        return super().now()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("/drops", r"/drops: no whole image within 30 s$"),
        ("/never-whole", r"/never-whole: no whole image within 30 s; the last one is no image that OpenCV can read"),
    ],
)
def test_bytes_that_never_make_an_image_are_a_lost_camera(address: str, path: str, message: str) -> None:
    stream = MjpegStream(address + path, HastyClock(), timeout_s=30.0)

    with pytest.raises(CameraLostError, match=message):
        stream.read()
    stream.close()


def test_headers_that_never_end_are_a_lost_camera(address: str) -> None:
    with pytest.raises(CameraLostError, match=r"no answer with whole headers within 0\.3 s"):
        MjpegStream(address + "/slow-headers", ManualClock(), timeout_s=0.3)


def test_nobody_there_is_worth_another_try() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]

    with pytest.raises(CameraLostError, match="Connection refused"):
        MjpegStream(f"http://127.0.0.1:{port}/stream", ManualClock())


@pytest.mark.parametrize(
    ("path", "message"), [("/gone", "the server answers 404"), ("/page", "sends text/html, not Motion JPEG")]
)
def test_an_answer_that_is_no_stream_is_not(address: str, path: str, message: str) -> None:
    with pytest.raises(CameraError, match=message) as caught:
        MjpegStream(address + path, ManualClock())
    assert not isinstance(caught.value, CameraLostError)


def test_what_is_no_address(address: str) -> None:
    with pytest.raises(CameraError, match="is no address of a stream"):
        MjpegStream("http://127.0.0.1:port/stream", ManualClock())
