"""What the software of an installation is told: servo calibration, camera, blocks; as files for programs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dofbot_ros.arm.calibration import Calibration, calibration_of
from dofbot_ros.config.loader import save_yaml
from dofbot_ros.core.types import FloatArray
from dofbot_ros.vision.extrinsics import extrinsics_of, load_extrinsics, save_extrinsics
from dofbot_ros.vision.intrinsics import SIMULATED_FRAME, Intrinsics, load_intrinsics, save_intrinsics
from dofbot_ros.vision.markers.block_layout import BlockSet, load_blocks


@dataclass(frozen=True, eq=False)
class Belief:
    """All that perception and planning know of one installation.

    Attributes:
        calibration: of the servos, and the base height.
        intrinsics: of the overhead camera.
        T_base_camera: its optical frame in base_link (4, 4) [m].
        blocks: sizes and markers.
    """

    calibration: Calibration
    intrinsics: Intrinsics
    T_base_camera: FloatArray
    blocks: BlockSet

    def save(self, folder: Path) -> dict[str, str]:
        """Write it down. Returns the arguments of a stack that name the files."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = {
            name: folder / f"{name.removesuffix('_file')}.yaml"
            for name in ("calibration_file", "extrinsics_file", "blocks_file", "camera_info_file")
        }
        save_yaml(self.calibration, paths["calibration_file"])
        save_extrinsics(extrinsics_of(self.T_base_camera, "base_link", SIMULATED_FRAME), paths["extrinsics_file"])
        save_yaml(self.blocks, paths["blocks_file"])
        save_intrinsics(self.intrinsics, paths["camera_info_file"], "overhead")
        return {name: str(path) for name, path in paths.items()}


def load_belief(folder: Path) -> Belief:
    """What Belief.save wrote into a folder.

    Raises:
        ConfigError: a file that cannot be used, and where.
    """
    return Belief(
        calibration_of(str(folder / "calibration.yaml")),
        load_intrinsics(folder / "camera_info.yaml"),
        load_extrinsics(folder / "extrinsics.yaml").matrix,
        load_blocks(folder / "blocks.yaml"),
    )
