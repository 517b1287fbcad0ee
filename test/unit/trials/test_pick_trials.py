"""Grasp trials on the simulated arm, without ROS: planners, judges, setting up by a person, interruption."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.policy.interface.action_mapper import TOOL_STEP
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.runtime.controller import PolicyController
from dofbot_ros.trials.judge import CameraJudge, PersonJudge, SuccessDetector, TrialOutcome, TruthJudge
from dofbot_ros.trials.log import PickLog, PickSeries, open_log, read_log
from dofbot_ros.trials.person import Operator
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol, Placement
from dofbot_ros.trials.runner import missing, run_picks
from dofbot_ros.trials.strategies.markers import ArucoStrategy
from dofbot_ros.trials.strategies.network import NetworkStrategy
from dofbot_ros.trials.strategies.policy import PolicyStrategy
from dofbot_ros.trials.strategies.strategy import Attempt, PickStrategy

from .conftest import DirectArm


@pytest.fixture
def log(tmp_path: Path, kit: PickProtocol) -> Iterator[PickLog]:
    with open_log(tmp_path, PickSeries("aruco", "sim", 0, "truth", "", kit)) as opened:
        yield opened


class BothJudges(TruthJudge):
    """Judges by the truth, and remembers what the camera said of the same grasp."""

    def __init__(self, lift: float) -> None:
        super().__init__(lift)
        self._camera = CameraJudge()
        self.seen: list[str] = []

    def before(self, arm, look) -> None:  # type: ignore[no-untyped-def]
        super().before(arm, look)
        self._camera.before(arm, look)

    def after(self, arm, attempt: Attempt) -> TrialOutcome:  # type: ignore[no-untyped-def]
        true = super().after(arm, attempt)
        self.seen.append(self._camera.after(arm, attempt).outcome)
        return true


def run(
    arm: DirectArm, log: PickLog, strategy: PickStrategy, judge: SuccessDetector, placements: list[Placement]
) -> list[PickRecord]:
    def set_up(placement: Placement) -> bool:
        arm.arrange(placement.arrangement(log.series.protocol))
        return True

    run_picks(arm, strategy, judge, log, placements, set_up=set_up)
    return log.records


@pytest.mark.slow
def test_a_block_is_lifted_by_its_markers_held_and_put_back(pick_arm: DirectArm, log: PickLog) -> None:
    kit = log.series.protocol
    placement = next(p for p in missing(log, kit, 1) if p.condition == "clutter")
    judge = BothJudges(kit.lift)
    (record,) = run(pick_arm, log, ArucoStrategy(pick_arm.world.blocks, pick_arm.daemon.robot), judge, [placement])
    assert record.outcome == "lifted"
    assert record.thing == placement.target == "blue"
    assert record.rise_mm is not None
    assert record.rise_mm >= 50.0
    assert record.gap_mm == pytest.approx(31.0, abs=4.0)
    assert (record.plan["x"], record.plan["y"]) == pytest.approx((0.242, 0.043), abs=0.002)
    assert judge.seen == ["lifted"]
    back = pick_arm.world.truth()["blue"]
    assert back[:2, 3] == pytest.approx((0.242, 0.043), abs=0.015)
    assert back[2, 3] == pytest.approx(0.015, abs=0.002)
    for when in ("before", "after"):
        assert cv2.imread(str(log.image_path("clutter-000", when))).shape == (480, 640, 3)
    assert read_log(log.folder).records == [record]


@pytest.mark.slow
def test_the_network_lifts_by_the_image_alone(pick_arm: DirectArm, log: PickLog) -> None:
    pytest.importorskip("onnxruntime")
    kit = log.series.protocol
    (record,) = run(
        pick_arm, log, NetworkStrategy(pick_arm.daemon.robot), TruthJudge(kit.lift), missing(log, kit, 1)[:1]
    )
    assert record.outcome == "lifted"
    assert record.plan["rank"] == 0
    assert record.plan_ms is not None


class Scripted:
    """A policy that does what a person would write down: over the block, down, close, up."""

    def __init__(self, spec: PolicySpec) -> None:
        self.spec = spec
        self.controller: PolicyController | None = None

    def act(self, observation: Mapping[str, Any]) -> NDArray[np.float32]:
        action = np.zeros(len(self.spec.action), np.float32)
        if self.controller is None or self.controller.state.block is None:
            return action
        state = self.controller.state
        away = np.array(state.block.position) - state.tool
        closed = state.gap < 0.036
        above = 0.045 if np.hypot(*away[:2]) > 0.006 else -0.003
        way = np.array([0.0, 0.0, 0.10 - state.tool[2]]) if closed else away + (0.0, 0.0, above)
        # Gently: what is measured is some periods old.
        action[:3] = np.clip(0.15 * way / TOOL_STEP, -0.5, 0.5)
        action[4] = closed or np.abs(way).max() < 0.006
        return action


@pytest.mark.slow
def test_a_policy_lifts_through_the_joint_stream(pick_arm: DirectArm, log: PickLog, straight_policy: Any) -> None:
    kit = log.series.protocol
    policy = Scripted(straight_policy.spec("pick", "tool"))
    strategy = PolicyStrategy(policy, pick_arm.daemon.robot)
    policy.controller = strategy._controller
    (record,) = run(pick_arm, log, strategy, TruthJudge(kit.lift), missing(log, kit, 1)[:1])
    assert record.outcome == "lifted", record
    assert record.plan == pytest.approx({"x": 0.188, "y": 0.02}, abs=0.002)
    # Put back by a motion of its own, not dropped where it was held.
    assert not pick_arm.rejected
    back = pick_arm.world.truth()["yellow"]
    assert back[:2, 3] == pytest.approx((0.188, 0.02), abs=0.01)
    assert back[2, 3] == pytest.approx(0.015, abs=0.002)


class BesideIt:
    """Closes its fingers 70 mm to the left of the block."""

    name = "aruco"

    def __init__(self, inner: ArucoStrategy) -> None:
        self._inner = inner

    def check(self, arm):  # type: ignore[no-untyped-def]
        self._inner.check(arm)

    def plan(self, arm, look, target):  # type: ignore[no-untyped-def]
        for pose in look.blocks.values():
            pose[1, 3] += 0.07
        return self._inner.plan(arm, look, target)

    def pick(self, arm):  # type: ignore[no-untyped-def]
        return self._inner.pick(arm)


@pytest.mark.slow
def test_fingers_that_close_on_nothing_are_no_success_to_either_judge(pick_arm: DirectArm, log: PickLog) -> None:
    kit = log.series.protocol
    judge = BothJudges(kit.lift)
    (record,) = run(
        pick_arm,
        log,
        BesideIt(ArucoStrategy(pick_arm.world.blocks, pick_arm.daemon.robot)),
        judge,
        missing(log, kit, 1)[:1],
    )
    assert record.outcome in ("missed", "pushed")
    assert record.lifted is False
    assert judge.seen == ["missed"]


def test_what_is_not_seen_and_what_is_refused_are_told_apart(pick_arm: DirectArm, log: PickLog) -> None:
    kit = log.series.protocol
    strategy, judge = ArucoStrategy(pick_arm.world.blocks, pick_arm.daemon.robot), TruthJudge(kit.lift)
    first, second = missing(log, kit, 2)[:2]
    run_picks(pick_arm, strategy, judge, log, [first], set_up=lambda _: _away(pick_arm))
    assert (log.records[0].outcome, log.records[0].reason) == ("no grasp", "yellow is not seen; nothing is")
    pick_arm.refusals = 1
    run(pick_arm, log, strategy, judge, [second])
    assert (log.records[1].outcome, log.records[1].reason) == ("refused", "refused for a test")


@pytest.mark.slow
def test_a_person_sets_up_judges_skips_and_quits(pick_arm: DirectArm, log: PickLog) -> None:
    kit = log.series.protocol
    todo = missing(log, kit, 4)[:4]
    answers = iter(["", "what?", "y", "s", "q"])
    said: list[str] = []
    person = Operator(lambda _: next(answers), said.append, log.folder, kit)

    def set_up(placement: Placement) -> bool:
        pick_arm.arrange(placement.arrangement(kit))
        return person.set_up(placement)

    strategy = ArucoStrategy(pick_arm.world.blocks, pick_arm.daemon.robot)
    with pytest.raises(KeyboardInterrupt):
        run_picks(pick_arm, strategy, PersonJudge(person.lifted, kit), log, todo, set_up=set_up)
    assert [record.outcome for record in log.records] == ["lifted", "skipped"]
    assert [p.number for p in missing(log, kit, 4) if p.condition == "single"] == [2, 3]
    assert "yellow     x  188 mm forward, y  +20 mm left, turned   0 deg  <- to be lifted" in said[1]
    assert cv2.imread(str(log.folder / "next_placement.png")).shape == (700, 680, 3)


@pytest.mark.parametrize(
    ("answer", "held", "outcome"),
    [("y", True, "lifted"), ("n", True, "slipped"), ("no", False, "missed"), ("S", True, "skipped")],
)
def test_a_person_s_word_counts(answer: str, held: bool, outcome: str, kit: PickProtocol) -> None:
    judge = PersonJudge(Operator(lambda _: answer, print, Path(), kit).lifted, kit)
    nowhere = TimedPath(np.zeros(1), np.zeros((1, 5)), np.zeros((1, 5)))
    assert judge.after(None, Attempt(held, 0.03, nowhere, (nowhere,), nowhere)).outcome == outcome  # type: ignore[arg-type]


def test_the_end_of_the_input_is_an_interruption(kit: PickProtocol, log: PickLog) -> None:
    def nobody(_: str) -> str:
        raise EOFError

    with pytest.raises(KeyboardInterrupt):
        Operator(nobody, print, log.folder, kit).lifted("Has it?")


def _away(arm: DirectArm) -> bool:
    for number, name in enumerate(arm.world.block_names):
        pose = arm.world.truth()[name]
        pose[:3, 3] = (-1.0, 0.1 * number, 0.015)
        arm.world.place(name, pose)
    return True
