"""`camera_node`: publishes a V4L2 camera, a video file, a folder of images or an http stream, and opens it again."""

from __future__ import annotations

import sys
import threading
import time

from diagnostic_msgs.msg import DiagnosticStatus
from sensor_msgs.srv import SetCameraInfo

from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.camera.messages import intrinsics_from
from dofbot_ros.ros.camera.topics import CameraTopics
from dofbot_ros.ros.conversions.stamps import Stamps
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ShutdownSignal, run
from dofbot_ros.vision.cameras.capture import (
    CaptureConfig,
    camera_info_path,
    default_camera_info,
    open_source,
    retry_delays,
)
from dofbot_ros.vision.cameras.frames import CameraError, FrameSource
from dofbot_ros.vision.cameras.v4l2 import identity
from dofbot_ros.vision.intrinsics import load_intrinsics, save_intrinsics

DIAGNOSTICS_PERIOD_S = 1.0


class CameraNode:
    """Reads frames in a thread of its own; a camera that is not there, or no more, is tried again and again."""

    def __init__(self, lifeline: ShutdownSignal) -> None:
        self.node = LeanNode("camera_node")
        self._config = declare(self.node, CaptureConfig)
        self._lifeline = lifeline
        self._clock = MonotonicClock()
        self._stamps = Stamps(self._clock)
        url = self._config.camera_info_url
        config = self._config
        intrinsics = load_intrinsics(camera_info_path(url), frame=config.frame_id) if url else None
        self._topics = CameraTopics(self.node, self._config.frame_id, intrinsics)
        self.node.create_service(SetCameraInfo, "camera/set_camera_info", self._calibrate)
        self._diagnostics = diagnostics.DiagnosticsTopic(self.node)
        self._frames, self._losses, self._trouble, self._size = 0, 0, "not opened yet", ""
        self._told_s, self._told_frames = time.monotonic(), 0
        self._timer = self.node.create_timer(DIAGNOSTICS_PERIOD_S, self._tell)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Let go of the camera; a read that hangs in the kernel is left behind with the process."""
        self._stop.set()
        self._thread.join(timeout=2.0)

    def _run(self) -> None:
        delays = retry_delays()
        try:
            while not self._stop.is_set():
                try:
                    source = open_source(self._config, self._clock)
                    delays = retry_delays()
                    ended = self._read(source)
                except CameraError as error:
                    self._note(str(error))
                    self._stop.wait(next(delays))
                else:
                    if ended:
                        self._note("the file has come to its end")
                        return
        except BaseException as error:
            self._lifeline.fail(error)

    def _read(self, source: FrameSource) -> bool:
        """Publish frames until told to stop. Returns whether the source came to its end."""
        try:
            self._note("")
            while not self._stop.is_set():
                frame = source.read()
                if frame is None:
                    return True
                self._frames, self._size = self._frames + 1, "{1}x{0}".format(*frame.image.shape)
                self._topics.publish(frame.image, self._stamps.to_ros(frame.stamp_s))
            return False
        finally:
            source.close()

    def _calibrate(self, request: SetCameraInfo.Request, response: SetCameraInfo.Response) -> SetCameraInfo.Response:
        """What the button COMMIT of camera_calibration calls: write the calibration, and tell it from now on."""
        config = self._config
        try:
            request.camera_info.header.frame_id = config.frame_id
            intrinsics = intrinsics_from(request.camera_info)
            url = config.camera_info_url or default_camera_info(config.camera_name)
            path = camera_info_path(url)
            path.parent.mkdir(parents=True, exist_ok=True)
            save_intrinsics(intrinsics, path, config.camera_name)
        except (DofbotError, OSError) as error:
            response.success, response.status_message = False, str(error)
            return response
        self._topics.calibrate(intrinsics)
        response.success, response.status_message = True, f"written; next time: camera_info_url:=file://{path}"
        self.node.get_logger().info(response.status_message)
        return response

    def _note(self, trouble: str) -> None:
        if trouble == self._trouble:
            return
        device, logger = self._config.video_device, self.node.get_logger()
        if trouble:
            self._losses += 1
            logger.warning(f"{device}: {trouble}")
        else:
            logger.info(f"{device} is open")
        self._trouble = trouble

    def _tell(self) -> None:
        now, frames = time.monotonic(), self._frames
        fps = (frames - self._told_frames) / (now - self._told_s)
        self._told_s, self._told_frames = now, frames
        silent = not self._trouble and fps == 0.0
        level = DiagnosticStatus.ERROR if self._trouble else DiagnosticStatus.WARN if silent else DiagnosticStatus.OK
        message = self._trouble or ("no frames" if silent else "open")
        values = {"device": self._config.video_device, "fps": fps, "frames": frames, "losses": self._losses}
        values |= {"size": self._size, **identity(self._config.video_device)}
        entry = diagnostics.status(level, f"{self._diagnostics.prefix}: camera", message, values)
        self._diagnostics.publish(self._stamps.to_ros(self._clock.now()), [entry])


def main() -> None:
    """Run the node."""
    sys.exit(run(CameraNode))


if __name__ == "__main__":
    main()
