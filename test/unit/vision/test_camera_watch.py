"""The watch for a knocked camera, on rendered pictures of desks."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import cv2
import numpy as np
import pytest

from dofbot_ros.core.transforms import exp_so3
from dofbot_ros.core.types import ImageArray
from dofbot_ros.desks.installation import install
from dofbot_ros.sim.randomization import displaced
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.vision.camera_watch import CameraState, CameraWatch

PERIOD_S = 0.1
STILL = ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0))
KNOCKS = {
    "10 mm sideways": ((0.010, 0.0, 0.0), (0.0, 0.0, 0.0)),
    "10 mm ahead": ((0.0, 0.010, 0.0), (0.0, 0.0, 0.0)),
    "10 mm up": ((0.0, 0.0, 0.010), (0.0, 0.0, 0.0)),
    "1 degree about x": ((0.0, 0.0, 0.0), (0.0175, 0.0, 0.0)),
    "1 degree about y": ((0.0, 0.0, 0.0), (0.0, 0.0175, 0.0)),
    "1 degree about its axis": ((0.0, 0.0, 0.0), (0.0, 0.0, 0.0175)),
    "60 mm and 8 degrees": ((0.06, 0.02, 0.0), (0.0, 0.05, 0.14)),
}
Knock = tuple[tuple[float, float, float], tuple[float, float, float]]


class Desk:
    """One installation, its camera, and the watch over it."""

    def __init__(self, desk: str, seed: int) -> None:
        made = install(desk, seed)
        self.world = World(made.world, 7)
        self.watch = CameraWatch(made.belief.intrinsics, made.belief.T_base_camera)
        self.now_s, self._pictures = 0.0, 0

    def picture(self, knock: Knock = STILL) -> ImageArray:
        """From where the camera stands after `knock`, with noise of its own."""
        shift, turn = knock
        camera = displaced(self.world.config.camera, np.array(shift), exp_so3(np.array(turn)))
        self._pictures += 1
        return SimCamera(self.world, camera, np.random.default_rng(self._pictures)).render()

    def show(self, image: ImageArray, seconds: float) -> None:
        """Ten pictures a second, all the same."""
        for _ in range(round(seconds / PERIOD_S)):
            self.watch.look(image, self.now_s)
            self.now_s += PERIOD_S

    def reach(self, *q: float) -> None:
        """Put the arm's joints there [rad]."""
        self.world.arm.teleport(np.array([*q, 0.5]))


@pytest.fixture(params=[("own", 0), ("typical", 3), ("careful", 1)], ids=lambda p: p[0])
def desk(request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A plain, a printed and a wooden table, watched for long enough to know them."""
    made = Desk(*request.param)
    made.show(made.picture(), 2.0)
    assert made.watch.state is CameraState.still
    yield made
    made.world.close()


on_the_printed_table = pytest.mark.parametrize("desk", [("typical", 3)], indirect=True, ids=["typical"])


@pytest.mark.slow
def test_a_knock_is_noticed_within_a_second_and_so_is_its_end(desk: Desk) -> None:
    for name, knock in KNOCKS.items():
        far = knock is KNOCKS["60 mm and 8 degrees"]
        desk.show(desk.picture(knock), 4.0 if far else 1.0)
        assert desk.watch.state is CameraState.moved, name
        assert "calibrate hand-eye" in desk.watch.trouble
        assert far or 0.002 < desk.watch.moved_m < 0.013, name
        desk.show(desk.picture(), 1.0)
        assert (desk.watch.state, desk.watch.trouble) == (CameraState.still, ""), name


@pytest.mark.slow
def test_arm_light_and_blocks_are_no_knock(desk: Desk) -> None:
    def never(image: ImageArray) -> None:
        desk.show(image, 0.9)
        assert desk.watch.state is CameraState.still

    for azimuth in (-0.8, -0.2, 0.4, 0.9):
        desk.reach(azimuth, 0.7, 0.8, 0.9, 0.0)
        never(desk.picture())
    desk.reach(0.0, 0.0, 0.0, 0.0, 0.0)
    for seed in range(2):
        desk.world.scatter(seed)
        never(desk.picture())
    bright = desk.picture().astype(np.float64)
    for gain, gamma in ((0.5, 1.0), (1.3, 1.0), (1.0, 0.6), (0.8, 1.6)):
        never(np.clip(255.0 * (gain * bright / 255.0) ** gamma, 0.0, 255.0).astype(np.uint8))
    across = np.linspace(0.4, 1.0, bright.shape[1])[None, :, None]
    never((across * bright).astype(np.uint8))


def _over(image: ImageArray, draw: Callable[[ImageArray], None]) -> ImageArray:
    covered = image.copy()
    draw(covered)
    return covered


@on_the_printed_table
def test_a_hand_over_the_table_is_no_knock(desk: Desk) -> None:
    image = desk.picture()
    for x in range(0, 700, 140):
        hand = _over(image, lambda i, x=x: cv2.ellipse(i, (x, 250), (130, 170), 20, 0, 360, (210, 160, 130), -1))
        desk.show(hand, 0.3)
        assert desk.watch.state in (CameraState.still, CameraState.covered)
    desk.show(image, 0.9)
    assert desk.watch.state is CameraState.still
    desk.show(np.zeros_like(image), 2.0)
    assert desk.watch.state is CameraState.covered, "the light went out"


@on_the_printed_table
def test_a_knock_below_the_tolerance_is_borne(desk: Desk) -> None:
    desk.show(desk.picture(((0.0008, 0.0008, 0.0), (0.0, 0.0, 0.0))), 2.0)
    assert desk.watch.state is CameraState.still


@on_the_printed_table
def test_after_forgetting_the_present_place_is_the_right_one(desk: Desk) -> None:
    knocked = desk.picture(KNOCKS["10 mm sideways"])
    desk.show(knocked, 1.0)
    desk.watch.forget()
    assert desk.watch.state is CameraState.learning
    desk.show(knocked, 2.0)
    assert desk.watch.state is CameraState.still


def test_a_picture_without_a_pattern_tells_nothing() -> None:
    made = install("own", 0)
    watch = CameraWatch(made.belief.intrinsics, made.belief.T_base_camera)
    blank = np.full((480, 640, 3), 120, np.uint8)
    for k in range(30):
        watch.look(blank, k * PERIOD_S)
    assert (watch.state, watch.trouble) == (CameraState.blind, "")


def test_stamps_that_run_back_do_not_end_the_watch() -> None:
    desk = Desk("own", 0)
    try:
        desk.now_s = 1000.0
        desk.show(desk.picture(), 2.0)
        desk.now_s = 0.0
        desk.show(desk.picture(KNOCKS["10 mm ahead"]), 1.0)
        assert desk.watch.state is CameraState.moved
    finally:
        desk.world.close()
