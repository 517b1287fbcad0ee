"""Frames for a reader that may be slower than the camera: always the newest one, what it misses is dropped."""

from __future__ import annotations

import threading

from dofbot_ros.vision.cameras.frames import CameraError, Frame, FrameSource

CLOSE_S = 2.0
"""A read that hangs in the kernel is left behind with the process after this [s]."""


class LatestFrame:
    """A FrameSource with room for one frame: a newer one takes the place of one that nobody has read.

    Attributes:
        frames: how many came.
        dropped: how many of them were replaced unread.
    """

    def __init__(self) -> None:
        self.frames = self.dropped = 0
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._ended = False
        self._error: CameraError | None = None

    def put(self, frame: Frame) -> None:
        """Offer a frame; may be called from any thread."""
        with self._changed:
            self.frames += 1
            self.dropped += self._frame is not None
            self._frame = frame
            self._changed.notify_all()

    def end(self, error: CameraError | None = None) -> None:
        """No more frames: the reader gets what is left, then `error`, or None."""
        with self._changed:
            self._ended, self._error = True, error
            self._changed.notify_all()

    def read(self) -> Frame | None:
        """Wait for a frame that was not read before; None at the end.

        Raises:
            CameraError: the error that the frames ended with.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._frame is not None or self._ended)
            frame, self._frame = self._frame, None
            if frame is None and self._error is not None:
                raise self._error
            return frame

    def close(self) -> None:
        """Let a waiting reader go."""
        self.end()


class NewestFrames(LatestFrame):
    """Reads a source in a thread of its own, as fast as it delivers.

    Args:
        source: closed with this.
    """

    def __init__(self, source: FrameSource) -> None:
        super().__init__()
        self._source = source
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop reading and let go of the source."""
        self._stop.set()
        super().close()
        self._thread.join(CLOSE_S)

    def _run(self) -> None:
        # The source is closed here and not by close(): OpenCV does not take a release during a read.
        try:
            while not self._stop.is_set():
                frame = self._source.read()
                if frame is None:
                    break
                self.put(frame)
            self.end()
        except CameraError as error:
            self.end(error)
        finally:
            self._source.close()
