"""An installation is drawn by its seed, differs from its belief by what its desk says, and by nothing else."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, load_calibration
from dofbot_ros.core.transforms import invert, log_so3, rot_x, rot_y, transform
from dofbot_ros.desks.config import NAMES, DeskConfig, load_desk
from dofbot_ros.desks.installation import install
from dofbot_ros.errors import ConfigError, InputError, UsageError
from dofbot_ros.sim.config import CameraConfig, WorldConfig, load_world_config
from dofbot_ros.sim.rendering.camera import look_at
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.intrinsics import from_field_of_view, load_intrinsics
from dofbot_ros.vision.markers.block_layout import load_blocks

SEEDS = range(8)


def test_the_own_desk_is_the_simulation_as_it_is() -> None:
    base = load_world_config()
    own = install("own", 3, base)
    assert own.world == base
    assert own.calibration == own.belief.calibration == DEFAULT_CALIBRATION
    assert not own.servos
    assert own.label == "own"


@pytest.mark.parametrize("desk", NAMES)
def test_the_same_seed_is_the_same_installation_and_another_is_not(desk: str) -> None:
    first, again, other = (install(desk, seed) for seed in (1, 1, 2))
    assert first.world == again.world
    assert first.calibration == again.calibration
    assert (first.world == other.world) == (desk == "own")


@pytest.mark.parametrize("desk", ["careful", "typical", "rough"])
@pytest.mark.parametrize("seed", SEEDS)
def test_errors_are_as_large_as_the_desk_says(desk: str, seed: int) -> None:
    errors, made = load_desk(desk), install(desk, seed)
    for true, told in list(zip(made.calibration.servos, made.belief.calibration.servos, strict=True))[:5]:
        zero_deg = abs(true.zero_ticks - told.zero_ticks) / told.ticks_per_degree
        assert zero_deg == pytest.approx(errors.arm.zero_deg, abs=0.05)
        assert abs(true.ticks_per_degree / told.ticks_per_degree - 1.0) == pytest.approx(
            0.01 * errors.arm.scale_percent, abs=1e-9
        )
    arm, camera = made.world.arm, made.world.camera
    assert np.degrees(np.hypot(*arm.tilt)) == pytest.approx(errors.arm.tilt_deg)
    assert 1e3 * abs(arm.base_height_m) == pytest.approx(errors.arm.base_height_mm)
    T_world_base = transform(rot_x(arm.tilt[0]) @ rot_y(arm.tilt[1]))
    true_pose = invert(T_world_base) @ look_at(camera.position, camera.target, camera.up)
    off = invert(made.belief.T_base_camera) @ true_pose
    assert 1e3 * np.linalg.norm(off[:3, 3]) == pytest.approx(errors.camera.position_mm)
    assert np.degrees(np.linalg.norm(log_so3(off[:3, :3]))) == pytest.approx(errors.camera.turn_deg, rel=1e-6)
    true_focal = from_field_of_view(camera.width, camera.height, camera.field_of_view).focal_px
    assert abs(true_focal / made.belief.intrinsics.focal_px - 1.0) == pytest.approx(0.01 * errors.camera.focal_percent)
    assert made.world.blocks is not None
    for true_block, block in zip(made.world.blocks.blocks, made.belief.blocks.blocks, strict=True):
        assert true_block.marker_size == pytest.approx((1 - 0.01 * errors.blocks.marker_small_percent) * 0.022)
        assert 1e3 * abs(true_block.size - block.size) == pytest.approx(errors.blocks.size_mm)
        for marker in true_block.faces.values():
            assert 1e3 * np.hypot(*marker.shift) == pytest.approx(errors.blocks.glue_mm)


def test_signs_differ_between_installations() -> None:
    raised = {install("typical", seed).world.arm.base_height_m > 0 for seed in SEEDS}
    assert raised == {True, False}


@pytest.mark.parametrize("desk", ["typical", "typical:calibrated"])
def test_the_belief_is_written_as_the_files_that_programs_read(desk: str, tmp_path: Path) -> None:
    belief = install(desk, 4).belief
    files = belief.save(tmp_path / "belief")
    assert load_calibration(files["calibration_file"]) == belief.calibration
    np.testing.assert_allclose(load_extrinsics(files["extrinsics_file"]).matrix, belief.T_base_camera, atol=1e-12)
    read = load_intrinsics(files["camera_info_file"])
    np.testing.assert_allclose(read.K, belief.intrinsics.K)
    np.testing.assert_allclose(read.distortion, belief.intrinsics.distortion)
    assert load_blocks(files["blocks_file"]) == belief.blocks


def test_a_desk_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(InputError, match=r"typcal.*careful.*typical.*or the path of a desk file"):
        load_desk("typcal")


def test_a_desk_file_of_ones_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("name: mine\narm: {zero_deg: 1.5}\n", encoding="utf-8")
    made = install(path, 0)
    assert made.label == "mine 0"
    assert made.world.camera.position == pytest.approx(WorldConfig().camera.position)
    path.write_text("name: mine\narm: {zero_deg: -1.5}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="zero_deg must be at least 0"):
        install(path, 0)


def test_a_wrist_camera_is_refused() -> None:
    with pytest.raises(ConfigError, match="overhead camera, not a wrist camera"):
        install(DeskConfig(name="mine"), 0, WorldConfig(camera=CameraConfig(mount="wrist")))


def test_a_calibration_without_error_tells_the_truth_of_camera_and_servos() -> None:
    plain, told = install("typical", 4), install("typical:calibrated", 4)
    assert told.world == plain.world
    assert told.label == "typical:calibrated 4"
    assert told.belief.calibration.servos == told.calibration.servos
    assert told.belief.calibration.base_height_m == pytest.approx(0.1075 + told.world.arm.base_height_m)
    camera, tilt = told.world.camera, told.world.arm.tilt
    T_world_base = transform(rot_x(tilt[0]) @ rot_y(tilt[1]))
    np.testing.assert_allclose(
        T_world_base @ told.belief.T_base_camera, look_at(camera.position, camera.target, camera.up), atol=1e-12
    )
    assert told.belief.intrinsics.distortion[0] == camera.flaws.k1
    assert told.belief.blocks == plain.belief.blocks


def test_software_is_told_what_a_folder_of_calibrations_holds(tmp_path: Path) -> None:
    ideal, plain = install("typical:calibrated", 4), install("typical", 4)
    found = replace(ideal.belief, intrinsics=plain.belief.intrinsics)
    found.save(tmp_path / "4")
    told = install(f"typical:{tmp_path}", 4)
    assert told.world == plain.world
    assert told.label == f"typical:{tmp_path.name} 4"
    assert told.belief.calibration == ideal.belief.calibration
    np.testing.assert_allclose(told.belief.intrinsics.K, plain.belief.intrinsics.K, rtol=1e-6)
    np.testing.assert_allclose(told.belief.T_base_camera, ideal.belief.T_base_camera, atol=1e-6)
    # A scene on an installation that was not calibrated is on one that was.
    assert install(f"typical:{tmp_path}", 9).seed == 4


def test_errors_that_were_found_are_carried_over_to_another_camera(tmp_path: Path) -> None:
    found = install("typical", 4).belief
    found.save(tmp_path / "4")
    base = WorldConfig(camera=CameraConfig(width=320, height=240, field_of_view=1.2))
    told, true = (install(f"typical:{what}", 4, base).belief for what in (tmp_path, "calibrated"))
    usual = install("typical:calibrated", 4).belief
    for axis in (0, 1):
        ratio = told.intrinsics.K[axis, axis] / true.intrinsics.K[axis, axis]
        assert ratio == pytest.approx(found.intrinsics.K[axis, axis] / usual.intrinsics.K[axis, axis], rel=1e-6)
    np.testing.assert_allclose(
        told.T_base_camera @ invert(true.T_base_camera), found.T_base_camera @ invert(usual.T_base_camera), atol=1e-6
    )


def test_what_is_no_folder_of_calibrations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no folder of calibrations, which `dofbot bench calibration --desk"):
        load_desk(f"typical:{tmp_path}")
