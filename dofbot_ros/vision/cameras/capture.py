"""Opens whatever gives images, under the parameter names of ROS's usb_cam."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote, urlparse

from dofbot_ros.config.ranges import Checked, Count, Range
from dofbot_ros.core.clock import Clock
from dofbot_ros.core.resources import PACKAGE, package_share, share_file
from dofbot_ros.errors import ConfigError, one_of
from dofbot_ros.vision.cameras.frame_files import VideoFile
from dofbot_ros.vision.cameras.frames import FrameSource
from dofbot_ros.vision.cameras.image_folder import ImageFolder
from dofbot_ros.vision.cameras.mjpeg import MjpegStream
from dofbot_ros.vision.cameras.v4l2 import PIXEL_FORMATS, V4l2Camera
from dofbot_ros.vision.intrinsics import OVERHEAD_FRAME


@dataclass(frozen=True)
class CaptureConfig(Checked):
    """Where images come from.

    Attributes:
        video_device: /dev/videoN, N, a video file, a folder of images, or an http(s) address of a Motion JPEG stream.
        framerate: frames a second; 0: the source's own; inf: files as fast as they are read.
        image_width: asked of a /dev/video device, which must give it [px]; the others are as they are.
        image_height: likewise [px].
        pixel_format: how a /dev/video device sends them, a key of PIXEL_FORMATS.
        camera_name: name in camera_info files.
        camera_info_url: calibration: a path, file:///path or package://name/path; empty: none.
        frame_id: optical frame of the images; camera_optical_frame is the wrist camera's.
        loop: files and folders begin again at their end.
    """

    video_device: str = "/dev/video0"
    framerate: Annotated[float, Range(0.0, infinite=True)] = 0.0
    image_width: Count = 640
    image_height: Count = 480
    pixel_format: str = "mjpeg2rgb"
    camera_name: str = "camera"
    camera_info_url: str = ""
    frame_id: str = OVERHEAD_FRAME
    loop: bool = False

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        if self.pixel_format not in PIXEL_FORMATS:
            yield one_of("pixel_format", self.pixel_format, PIXEL_FORMATS)


def open_source(config: CaptureConfig, clock: Clock) -> FrameSource:
    """Open what `config.video_device` names.

    Raises:
        CameraError: there is no such thing, or it gives no images; a CameraLostError is worth another try.
    """
    device = config.video_device
    if urlparse(device).scheme in ("http", "https"):
        return MjpegStream(device, clock)
    if Path(device).is_dir():
        return ImageFolder(device, clock, config.framerate, config.loop)
    if Path(device).is_file() or (Path(device).suffix and not device.startswith("/dev/")):
        return VideoFile(device, clock, config.framerate, config.loop)
    size = (config.image_width, config.image_height)
    return V4l2Camera(device, clock, size=size, framerate=config.framerate, pixel_format=config.pixel_format)


def camera_info_path(url: str) -> Path:
    """The file that a camera_info_url names.

    Raises:
        InputError: a scheme that is not supported, or another package.
    """
    parts = urlparse(url)
    if parts.scheme == "package":
        names = unquote(parts.path).strip("/").split("/")
        return share_file(*names) if parts.netloc == PACKAGE else package_share(parts.netloc).joinpath(*names)
    if parts.scheme not in ("", "file"):
        raise ConfigError(one_of("scheme", parts.scheme, ["file", "package"]), url)
    return Path(unquote(parts.path))


def default_camera_info(camera_name: str) -> str:
    """Where ROS's camera_info_manager keeps the calibration of a camera without a camera_info_url."""
    home = os.environ.get("ROS_HOME") or str(Path.home() / ".ros")
    return str(Path(home) / "camera_info" / f"{camera_name}.yaml")


def retry_delays(first_s: float = 0.5, most_s: float = 8.0) -> Iterator[float]:
    """How long to wait before each try to open a lost camera again: doubling, without end [s]."""
    delay = first_s
    while True:
        yield delay
        delay = min(2.0 * delay, most_s)
