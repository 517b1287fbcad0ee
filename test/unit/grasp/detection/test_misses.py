"""A grasp that held nothing is not tried the same way again, and what it touched is told from what it did not."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("pybullet")

from dofbot_ros.core.transforms import rot_z, transform
from dofbot_ros.core.types import ImageArray
from dofbot_ros.grasp.detection.misses import Misses, touched
from dofbot_ros.grasp.detection.planner import Candidate
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp
from dofbot_ros.sim.config import CameraConfig, Light, PlainBlock, WorldConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

VIEW = TopDownView()
AT = PlanarGrasp(0.19, 0.01, 0.3)


def view(x: float, y: float, *, colour: tuple[int, int, int] = (150, 140, 120), ambient: float = 0.6) -> ImageArray:
    """A block of almost the table's colour there, with noise of the camera."""
    camera = CameraConfig(noise=4.0, light=Light((0.3, 0.2, 1.0), ambient, 1.0 - ambient))
    world = World(WorldConfig(marked=(), plain=(PlainBlock("block", colour),), camera=camera), 0)
    try:
        world.place("block", transform(rot_z(0.3), (x, y, 0.015)))
        eye = SimCamera(world, rng=np.random.default_rng(int(1e6 * (x + y + ambient))))
        return VIEW.rectify(eye.render(), eye.intrinsics, eye.pose())
    finally:
        world.close()


@pytest.mark.slow
def test_what_was_squeezed_out_is_told_from_what_was_not_touched() -> None:
    before = view(AT.x, AT.y)
    assert touched(AT, VIEW, before, view(AT.x + 0.02, AT.y + 0.01))
    assert touched(AT, VIEW, before, view(0.5, 0.5)), "it is gone"
    assert not touched(AT, VIEW, before, view(AT.x + 1e-5, AT.y)), "noise alone"
    assert not touched(AT, VIEW, before, np.asarray(np.clip(before.astype(int) + 12, 0, 255), np.uint8)), "exposure"
    beside = replace(AT, x=AT.x - 0.06)
    assert not touched(beside, VIEW, view(AT.x + 0.04, AT.y), view(AT.x + 0.06, AT.y)), "something else, further away"


def ordered(misses: Misses, *pinches: PlanarGrasp) -> list[int]:
    """Where the grasps come, each a little less likely than the one before it."""
    candidates = [Candidate(pinch, 3.0 - 0.1 * i) for i, pinch in enumerate(pinches)]
    return [candidates.index(candidate) for candidate in misses.ordered(candidates)]


def test_the_next_grasp_closes_along_another_line_or_elsewhere() -> None:
    other_line, other_place = replace(AT, yaw=AT.yaw + math.radians(30)), replace(AT, y=AT.y + 0.06)
    moved, turned_half = replace(AT, x=AT.x + 0.03), replace(AT, yaw=AT.yaw + math.pi - 0.1)
    blank = np.full((VIEW.size, VIEW.size, 3), 120, np.uint8)
    square = blank.copy()
    square[30:36, 28:36] = 40
    misses = Misses()
    assert ordered(misses, AT, other_line, other_place) == [0, 1, 2]
    misses.add(AT, square)
    assert ordered(misses, AT, other_line) == [0, 1], "nothing has been seen since"
    misses.look(VIEW, blank)
    assert ordered(misses, AT, moved, turned_half, other_line, other_place) == [3, 4, 0, 1, 2]
    misses.clear()
    assert ordered(misses, AT, other_line) == [0, 1]
    misses.add(AT, square)
    misses.look(VIEW, square)
    assert ordered(misses, AT, other_line, moved, other_place) == [2, 3, 0, 1], "there is nothing at that place"


def test_a_grasp_that_is_much_likelier_is_tried_again() -> None:
    misses = Misses()
    blank = np.full((VIEW.size, VIEW.size, 3), 120, np.uint8)
    misses.add(AT, blank)
    misses.look(VIEW, blank)
    bare = Candidate(replace(AT, y=AT.y + 0.08), -1.0)
    again = Candidate(AT, 3.0)
    assert misses.ordered([again, bare]) == [again, bare]
    misses.add(AT, blank)
    misses.look(VIEW, blank)
    assert misses.ordered([again, bare]) == [bare, again]
