"""Cameras of the Linux kernel: /dev/video*."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import cv2

from dofbot_ros.core.clock import Clock
from dofbot_ros.errors import one_of
from dofbot_ros.vision.cameras.frame_files import rgb_of
from dofbot_ros.vision.cameras.frames import CameraError, CameraLostError, Frame

PIXEL_FORMATS = {
    "mjpeg2rgb": "MJPG",
    "raw_mjpeg": "MJPG",
    "yuyv": "YUYV",
    "yuyv2rgb": "YUYV",
    "uyvy": "UYVY",
    "uyvy2rgb": "UYVY",
}
"""usb_cam's pixel_format -> the kernel's four-character code; the images delivered are RGB for all."""


class V4l2Camera:
    """A camera of this machine.

    Args:
        device: /dev/videoN, a link to one (/dev/v4l/by-id/...), or N.
        size: width and height [px].
        framerate: frames a second; 0: what the camera is set to.
        pixel_format: a key of PIXEL_FORMATS.
        clock: stamps the frames.

    Raises:
        CameraError: no such device (those there are get listed), no permission, or it cannot do what is asked.
    """

    def __init__(
        self, device: str, clock: Clock, *, size: tuple[int, int], framerate: float, pixel_format: str
    ) -> None:
        if pixel_format not in PIXEL_FORMATS:
            raise CameraError(one_of("pixel_format", pixel_format, PIXEL_FORMATS))
        self._clock = clock
        self._path = f"/dev/video{device}" if device.isdigit() else device
        _check(self._path)
        self._path = os.path.realpath(self._path)  # a link such as those in /dev/v4l/by-id is followed anew at each try
        self._capture = cv2.VideoCapture(self._path, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise CameraError(f"{self._path}: is no camera, or another program uses it; {_cameras_here()}")
        fourcc = cv2.VideoWriter.fourcc(*PIXEL_FORMATS[pixel_format])
        self._capture.set(cv2.CAP_PROP_FOURCC, fourcc)
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
        if framerate > 0:
            self._capture.set(cv2.CAP_PROP_FPS, framerate)
        # One buffered frame: an older one would be stamped as if it were new.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
        got = tuple(int(self._capture.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        if got != size:
            self.close()
            raise CameraError(f"{self._path}: gives {got[0]}x{got[1]} images, not {size[0]}x{size[1]}")

    def read(self) -> Frame:
        """Wait for the next frame; stamped when it came, before it is decoded.

        Raises:
            CameraLostError: none came (OpenCV gives up after ten seconds), or the device went away.
        """
        came = self._capture.grab()
        stamp_s = self._clock.now()
        ok, bgr = self._capture.retrieve() if came else (False, None)
        if not ok or bgr is None:
            raise CameraLostError(f"{self._path}: the camera gives no more images")
        return Frame(rgb_of(bgr), stamp_s)

    def close(self) -> None:
        """Let go of the device."""
        self._capture.release()


def cameras(folder: Path = Path("/dev"), names: Path = Path("/sys/class/video4linux")) -> dict[str, str]:
    """Device path -> the name its driver gives it, of every video device here."""
    found = {}
    for path in sorted(folder.glob("video[0-9]*"), key=lambda p: int(p.name.removeprefix("video"))):
        name = names / path.name / "name"
        found[str(path)] = name.read_text().strip() if name.is_file() else "unknown"
    return found


def identity(device: str, names: Path = Path("/sys/class/video4linux")) -> dict[str, str]:
    """What tells this camera from another one of its kind: name, USB ids, serial number and the port it is plugged in.

    Args:
        device: as for V4l2Camera; anything else has no identity.
        names: sysfs's folder of video devices.
    """
    path = Path(os.path.realpath(f"/dev/video{device}" if device.isdigit() else device))
    entry = names / path.name
    if not entry.exists():
        return {}
    found = {"name": _line(entry / "name"), "bus": ""}
    interface = (entry / "device").resolve()
    for folder in (interface, interface.parent):
        if (folder / "idVendor").is_file():
            found["bus"] = folder.name
            found["usb_id"] = f"{_line(folder / 'idVendor')}:{_line(folder / 'idProduct')}"
            found["serial"] = _line(folder / "serial")
            break
    return {what: value for what, value in found.items() if value}


def _line(file: Path) -> str:
    return file.read_text(errors="replace").strip() if file.is_file() else ""


def _cameras_here() -> str:
    found = ", ".join(f"{path} ({name})" for path, name in cameras().items())
    return f"cameras here: {found or 'none'}"


def _check(path: str) -> None:
    """Say what OpenCV would not: why the device cannot be opened."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise CameraError(f"{path}: no such camera; {_cameras_here()}") from error
    if not stat.S_ISCHR(mode):
        raise CameraError(f"{path}: is no camera device; {_cameras_here()}")
    if not os.access(path, os.R_OK | os.W_OK):
        raise CameraError(f"{path}: permission denied; join the group that owns it: sudo usermod -aG video $USER")
