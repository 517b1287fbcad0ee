"""Named poses: kept in a file, found by name, refused when they are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.poses import NamedPoses, load_poses, save_poses
from dofbot_ros.errors import ConfigError, InputError


def test_a_pose_is_found_again_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "poses.yaml"
    assert load_poses(file) == NamedPoses()
    save_poses(NamedPoses().with_pose("ready", np.array([0.1, -0.2, 0.3, 0.4, 0.5])), file)
    assert load_poses(file).find("ready") == [0.1, -0.2, 0.3, 0.4, 0.5]
    with pytest.raises(InputError, match="did you mean ready"):
        load_poses(file).find("redy")


@pytest.mark.parametrize("text", ["poses: {ready: [1, 2]}", "poses: 3", "poses: {ready: [a, b, c, d, e]}", "pose: {}"])
def test_what_is_no_file_of_poses_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "poses.yaml").write_text(text)
    with pytest.raises(ConfigError):
        load_poses(tmp_path / "poses.yaml")
