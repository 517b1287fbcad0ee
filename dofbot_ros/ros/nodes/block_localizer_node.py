"""`block_localizer_node`: marked blocks in the camera image -> their poses in base_link, with the age of the image."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass

import cv2
from diagnostic_msgs.msg import DiagnosticStatus
from geometry_msgs.msg import PoseArray
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header, String
from visualization_msgs.msg import MarkerArray

from dofbot_ros.config.ranges import parameter
from dofbot_ros.core.transforms import quat_from_matrix
from dofbot_ros.errors import DofbotError
from dofbot_ros.ros.arm import diagnostics
from dofbot_ros.ros.camera.block_markers import block_markers
from dofbot_ros.ros.camera.messages import image_array, intrinsics_from
from dofbot_ros.ros.camera.pose import CameraPose
from dofbot_ros.ros.camera.subscription import CameraSubscription
from dofbot_ros.ros.camera.watch import PoseWatch
from dofbot_ros.ros.conversions.messages import from_time, pose_message
from dofbot_ros.ros.runtime.lean_node import LeanNode
from dofbot_ros.ros.runtime.parameters import declare
from dofbot_ros.ros.runtime.process import ShutdownSignal, run
from dofbot_ros.ros.runtime.qos import STREAM
from dofbot_ros.vision.markers.block_layout import load_blocks
from dofbot_ros.vision.markers.blocks import BlockLocaliser, Localisation, LocaliserConfig, Refused

DIAGNOSTICS_PERIOD_S = 1.0


@dataclass(frozen=True)
class FileParameters:
    """Which blocks to look for, and from where."""

    blocks_file: str = parameter("", "Blocks and their markers (YAML); empty for the shipped config/blocks.yaml.")
    extrinsics_file: str = parameter(
        "", "Pose of the camera in base_link (YAML); empty for the simulated camera alone."
    )


class BlockLocalizerNode:
    """Works on the newest image only, in the executor's thread; images that come meanwhile are skipped."""

    def __init__(self, _: ShutdownSignal) -> None:
        # One small image at a time: OpenCV's worker threads would only spin beside the control loop.
        cv2.setNumThreads(1)
        self.node = LeanNode("block_localizer_node")
        files = declare(self.node, FileParameters)
        self._config = declare(self.node, LocaliserConfig)
        self._blocks = load_blocks(files.blocks_file or None)
        self._pose = CameraPose(self.node, files.extrinsics_file)
        self._watch = PoseWatch(self.node, self._pose)
        self._localiser: BlockLocaliser | None = None
        self._calibration: tuple[object, ...] = ()
        self._images, self._trouble, self._last = 0, "no camera_info yet", Localisation(0.0, (), ())
        self._told_s, self._told_images = time.monotonic(), 0
        publish = self.node.create_publisher
        self._poses = publish(PoseArray, "blocks/poses", STREAM)
        self._markers = publish(MarkerArray, "blocks/markers", STREAM)
        self._detections = publish(String, "blocks/detections", STREAM)
        self._diagnostics = diagnostics.DiagnosticsTopic(self.node)
        self._camera = CameraSubscription(self.node, self._on_image, self._on_info)
        self._timer = self.node.create_timer(DIAGNOSTICS_PERIOD_S, self._tell)

    def close(self) -> None:
        """Nothing to bring to rest."""

    def _on_info(self, message: CameraInfo) -> None:
        calibration = (
            message.header.frame_id,
            message.width,
            message.height,
            message.distortion_model,
            tuple(message.k),
            tuple(message.d),
        )
        if calibration == self._calibration:
            return
        self._calibration = calibration
        try:
            intrinsics = intrinsics_from(message, self._camera.rectified)
            self._pose.check(message.header.frame_id)
            self._localiser = BlockLocaliser(self._blocks, intrinsics, self._config)
            self._watch.watch(intrinsics)
        except DofbotError as error:
            self._localiser = None
            self._note(str(error))

    def _on_image(self, message: Image) -> None:
        if self._localiser is None:
            return
        try:
            image, stamp_s = image_array(message), from_time(message.header.stamp)
            found = self._localiser.locate(image, stamp_s, self._pose.matrix)
            moved = self._watch.look(image, stamp_s)
        except DofbotError as error:
            self._note(str(error))
            return
        if moved:
            found = Localisation(stamp_s, (), (Refused("camera", moved),))
        self._trouble = moved
        self._images, self._last = self._images + 1, found
        # The stamp is the image's: who uses a pose can tell how old it is.
        header = Header(stamp=message.header.stamp, frame_id=self._pose.base_frame)
        self._poses.publish(PoseArray(header=header, poses=[pose_message(b.T_base_block) for b in found.blocks]))
        self._detections.publish(String(data=as_json(found)))
        if self._markers.get_subscription_count():
            self._markers.publish(block_markers(header, self._blocks, found))

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            self.node.get_logger().warning(trouble)
        self._trouble = trouble

    def _tell(self) -> None:
        now, images = time.monotonic(), self._images
        rate = (images - self._told_images) / (now - self._told_s)
        self._told_s, self._told_images = now, images
        message = self._trouble or ("no images" if rate == 0.0 else f"{len(self._last.blocks)} blocks")
        level = DiagnosticStatus.WARN if self._trouble or rate == 0.0 else DiagnosticStatus.OK
        values: dict[str, object] = {"images_hz": rate, "blocks": ", ".join(b.name for b in self._last.blocks)}
        values["camera"] = self._watch.word
        values |= {f"refused, {r.what}": r.reason for r in self._last.refused}
        entry = diagnostics.status(level, f"{self._diagnostics.prefix}: blocks", message, values)
        self._diagnostics.publish(self.node.get_clock().now().to_msg(), [entry])


def as_json(found: Localisation) -> str:
    """What PoseArray has no place for: names, and how sure each pose is; in base_link [m], quaternions x y z w."""
    blocks = [
        {
            "name": block.name,
            "position": block.T_base_block[:3, 3].tolist(),
            "quaternion": quat_from_matrix(block.T_base_block[:3, :3]).tolist(),
            "reprojection_px": block.reprojection_px,
            "faces": block.faces,
            "flat": block.flat,
            "ambiguity": block.ambiguity,
        }
        for block in found.blocks
    ]
    refused = [{"what": r.what, "reason": r.reason} for r in found.refused]
    return json.dumps({"stamp_s": found.stamp_s, "blocks": blocks, "refused": refused})


def main() -> None:
    """Run the node."""
    sys.exit(run(BlockLocalizerNode, pictures=False))


if __name__ == "__main__":
    main()
