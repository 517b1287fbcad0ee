"""What a student of pictures remembers: the camera's displacement, a block that is hidden, held, or has jumped."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from dofbot_ros.arm.gripper import gap_to_joint
from dofbot_ros.policy.interface.action_mapper import ActionMapper
from dofbot_ros.policy.interface.observation import BLOCK_ENTRIES, GOAL_SCALE, StateLayout
from dofbot_ros.policy.interface.state import BlockEstimate, SceneState
from dofbot_ros.policy.perception.keypoints import arm_points, project
from dofbot_ros.policy.perception.picture_state import MEMORY, PictureState
from dofbot_ros.policy.perception.pixels import WIDTH, nominal_view

PLACE = (0.19, 0.05, 0.015)
OPEN = [0.3, 0.45, 1.15, 1.2, 0.0, 0.0]
CLOSED = [*OPEN[:5], gap_to_joint(0.030)]
VIEW = nominal_view(WIDTH)


class Seeing:
    """Shows the layers a camera that stands `shift` [px] off its calibration, in period after period."""

    def __init__(self, shift: tuple[float, float] = (0.0, 0.0)) -> None:
        self.layers, self.layout = PictureState(), StateLayout(block=False)
        self.shift = np.array(shift)
        self.memory = torch.zeros(1, sum(MEMORY))
        self.before = OPEN

    def look(self, place: tuple[float, float, float] | None, joints: list[float], squeeze: float = 0.0) -> Tensor:
        """The state observation without goals of a picture in which the block is at `place` [m], or hidden."""
        state, mapper = SceneState(), ActionMapper()
        mapper.start([*joints[:5], joints[5] + squeeze])
        mapper.measure(state, list(joints))
        arm = torch.from_numpy(self.layout.build(state, self.before))[None]
        self.before = joints
        points = np.vstack([arm_points(joints), PLACE if place is None else place])
        pixels = (project(points, *VIEW) + self.shift).ravel()
        # Spread of a keypoint that is found well; a yaw of none in the picture; whether the block shows.
        read = torch.tensor([*pixels, *[1.0] * 7, 1.0, 0.0, float(place is not None)], dtype=torch.float32)[None]
        seen, self.memory = self.layers(read, arm, torch.zeros(1, 1), self.memory)
        return seen[0, 2:]

    def place(self, *given: object, **more: float) -> list[float]:
        """Where the block is told to be in the next such picture [m]."""
        told = self.look(*given, **more)[self.layout.size : self.layout.size + 3]  # type: ignore[arg-type]
        return (GOAL_SCALE * told.numpy() + BLOCK_ENTRIES[0].centre).tolist()


def test_it_tells_what_a_localiser_would() -> None:
    seen = Seeing().look(PLACE, OPEN).numpy()
    state, mapper = SceneState(block=BlockEstimate(PLACE, 0.0)), ActionMapper()
    mapper.start(OPEN)
    mapper.measure(state, list(OPEN))
    assert seen == pytest.approx(StateLayout(block=True).build(state, OPEN), abs=0.02)


def test_the_arm_shows_by_how_much_the_camera_was_knocked() -> None:
    seeing = Seeing(shift=(3.0, -2.0))
    first = seeing.place(PLACE, OPEN)
    for _ in range(20):
        last = seeing.place(PLACE, OPEN)
    assert np.linalg.norm(np.subtract(first, PLACE)) < 0.004
    assert np.linalg.norm(np.subtract(last, PLACE)) < 0.001


def test_a_hidden_block_is_where_it_was_and_its_age_ends() -> None:
    seeing = Seeing()
    seeing.look(PLACE, OPEN)
    ages = [float(seeing.look(None, OPEN)[-1]) * BLOCK_ENTRIES[3].scale for _ in range(40)]
    assert ages == pytest.approx([1.0, 2.0, *[3.0] * 38])
    assert seeing.place(None, OPEN) == pytest.approx(PLACE, abs=0.001)


def test_a_block_that_the_fingers_feel_goes_where_the_tool_goes() -> None:
    seeing = Seeing()
    seeing.look(PLACE, CLOSED)
    for _ in range(3):
        seeing.look(None, CLOSED, squeeze=0.2)
    lifted = [0.6, 0.2, 1.1, 1.2, 0.0, CLOSED[5]]
    for _ in range(2):
        told = seeing.place(None, lifted, squeeze=0.2)
    assert told == pytest.approx(arm_points(lifted)[-1].tolist(), abs=0.003)
    # Let go, it lies where it was carried to.
    dropped = [*lifted[:5], 0.0]
    assert seeing.place(None, dropped) == pytest.approx([*told[:2], 0.015], abs=0.003)


def test_a_block_that_jumps_is_believed_once_it_stays_there() -> None:
    seeing, there = Seeing(), (0.19, -0.08, 0.015)
    seeing.look(PLACE, OPEN)
    told = [seeing.place(there, OPEN) for _ in range(3)]
    for known, true in zip(told, (PLACE, PLACE, there), strict=True):
        assert known == pytest.approx(true, abs=0.001)
