"""The look at the hand in a picture for the docs: `python -m dofbot_ros.bench.desks.sight_picture docs/images`."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.desks.installation import install
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.grasp.planning.block_plan import joint_line
from dofbot_ros.grasp.sight.fit import UNKNOWNS, OutlineCamera
from dofbot_ros.grasp.sight.registration import Registrar, show_hand, shown_poses
from dofbot_ros.motion.timed_path import retime
from dofbot_ros.trials.direct import DirectArm

DESK, INSTALLATION = "typical", 103
BELIEVED, FITTED = (255, 40, 40), (40, 255, 40)
JPEG_QUALITY = 88


def picture() -> ImageArray:
    """The views side by side, RGB: the outline as believed and as fitted."""
    arm = DirectArm(install(DESK, INSTALLATION))
    try:
        arm.prepare()
        kinematics, limits = arm.daemon.robot.kinematics, DriverConfig().motion_limits(arm.daemon.robot)
        registrar = Registrar(kinematics, OutlineCamera(arm.view.intrinsics, arm.view.T_base_camera))
        images: list[ImageArray] = []

        def look() -> ImageArray:
            images.append(arm.look().image)
            return images[-1]

        def move(start: FloatArray, goal: FloatArray) -> None:
            arm.follow(retime(joint_line(start, goal), limits))

        poses = shown_poses(kinematics)
        show_hand(registrar, poses, picture=look, position=lambda: arm.position, move=move)
    finally:
        arm.close()
    fitted = registrar.result().fit.x
    parts = []
    for number, image in enumerate(images[1:]):
        shown = image.copy()
        for x, colour in ((np.zeros(UNKNOWNS), BELIEVED), (fitted, FITTED)):
            for at in np.rint(registrar.outline(number, x)).astype(int).tolist():
                cv2.circle(shown, at, 1, colour, -1)
        parts.append(shown[150:, 60:-60])
    return np.hstack(parts)


def main(folder: str) -> None:
    """Write sight_outline.jpg into `folder`."""
    bgr = cv2.cvtColor(picture(), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(Path(folder) / "sight_outline.jpg"), bgr, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "docs/images")
