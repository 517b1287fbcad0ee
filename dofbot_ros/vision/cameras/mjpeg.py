"""Network cameras that send Motion JPEG: one HTTP response of many parts, each a JPEG (multipart/x-mixed-replace)."""

from __future__ import annotations

import http.client
import urllib.error

from dofbot_ros.core.clock import Clock
from dofbot_ros.vision.cameras.frames import CameraError, CameraLostError, Frame
from dofbot_ros.vision.cameras.http_stream import open_url
from dofbot_ros.vision.cameras.pictures import PictureError, decode_picture

TIMEOUT_S = 5.0
CHUNK = 16384
MAX_JPEG = 16 * 1024 * 1024
"""A stream without an end of image is no camera [bytes]."""

START, END = b"\xff\xd8\xff", b"\xff\xd9"
"""First and last bytes of a JPEG: coded data holds no FF D9, so that the parts' headers (many cameras get their
lengths wrong) are not needed. Only an embedded preview would, and no stream carries one."""


class MjpegStream:
    """A network camera.

    Args:
        url: http or https address of the stream.
        clock: stamps the frames.
        timeout_s: after so long without a whole image the camera counts as lost, however many bytes come [s]. The
            answer's headers have as long.

    Raises:
        CameraLostError: nobody answers.
        CameraError: the answer is no Motion JPEG.
    """

    def __init__(self, url: str, clock: Clock, timeout_s: float = TIMEOUT_S) -> None:
        self._url, self._clock, self._timeout_s = url, clock, timeout_s
        self._buffer = bytearray()
        try:
            self._response: http.client.HTTPResponse = open_url(url, timeout_s)
        except urllib.error.HTTPError as error:
            raise CameraError(f"{url}: the server answers {error.code} {error.reason}") from error
        except (ValueError, http.client.InvalidURL) as error:
            raise CameraError(f"{url}: is no address of a stream: {error}") from error
        except (OSError, http.client.HTTPException) as error:
            raise CameraLostError(f"{url}: {getattr(error, 'reason', error)}") from error
        kind = self._response.headers.get_content_type()
        if kind != "multipart/x-mixed-replace":
            self.close()
            raise CameraError(f"{url}: sends {kind}, not Motion JPEG (multipart/x-mixed-replace)")

    def read(self) -> Frame:
        """Wait for the next frame; stamped when its last byte came.

        Raises:
            CameraLostError: the connection broke, went silent, or brought no whole image in time.
        """
        deadline_s, bad = self._clock.now() + self._timeout_s, ""
        while True:
            jpeg = self._next_jpeg(deadline_s, bad)
            stamp_s = self._clock.now()
            try:
                return Frame(decode_picture(jpeg), stamp_s)
            except PictureError as error:
                bad = f"; the last one {error}"

    def close(self) -> None:
        """Close the connection."""
        self._response.close()

    def _next_jpeg(self, deadline_s: float, bad: str) -> bytes:
        searched = 0
        while True:
            start = self._buffer.find(START)
            end = self._buffer.find(END, max(start, searched)) if start >= 0 else -1
            if end >= 0:
                jpeg = bytes(self._buffer[start : end + 2])
                del self._buffer[: end + 2]
                if self._clock.now() <= deadline_s:
                    return jpeg
            if self._clock.now() > deadline_s:
                raise CameraLostError(f"{self._url}: no whole image within {self._timeout_s:g} s{bad}")
            searched = max(0, len(self._buffer) - 1)
            if len(self._buffer) > MAX_JPEG:
                raise CameraLostError(f"{self._url}: {MAX_JPEG} bytes and no end of an image")
            try:
                chunk = self._response.read1(CHUNK)
            except (OSError, ValueError, http.client.HTTPException) as error:
                raise CameraLostError(f"{self._url}: {error}") from error
            if not chunk:
                raise CameraLostError(f"{self._url}: the server ended the stream")
            self._buffer += chunk
