"""Diagnostics in plain words, and the arm as the page draws it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dofbot_ros.arm.model import forward_chain
from dofbot_ros.arm.robot import Robot
from dofbot_ros.console.arm import ArmView
from dofbot_ros.console.scene import scene_of
from dofbot_ros.console.words import explain
from dofbot_ros.core.transforms import rot_axis, transform
from dofbot_ros.safety.states import ArmState

READY = ArmView(True, "HOLD", np.zeros(6), 0.06, None, {})


def said(view: ArmView) -> str:
    return " ".join(line.text for line in explain(view))


@pytest.mark.parametrize("state", [state.value for state in ArmState])
def test_every_state_has_its_words(state: str) -> None:
    assert "says it is" not in said(replace(READY, state=state))


def test_an_arm_that_is_well_is_ready_and_nothing_else() -> None:
    assert [(line.level, line.text) for line in explain(READY)] == [
        ("good", "Ready: torque is on, the arm stands still.")
    ]


def test_troubles_come_first_with_their_remedy() -> None:
    view = replace(
        READY,
        state="FAULT",
        diagnostics={
            "arm": {"message": "FAULT: joint2 is overheated", "limited by": "workspace"},
            "joint2": {"message": "temperature, overload"},
            "joint3": {"message": "healthy"},
            "loop": {"message": "late"},
        },
    )
    lines = explain(view)
    assert [line.level for line in lines] == ["bad", "bad", "note", "note"]
    assert "The driver says: joint2 is overheated." in lines[0].text
    assert "Joint 2: is too hot: let it cool down" in lines[1].text
    assert "control loop runs late" in said(view)
    assert "holds the arm back: workspace" in said(view)


def test_a_joint_that_does_not_answer_is_named() -> None:
    said_by_driver = {
        "arm": {"message": "FAULT: no answer from servo 3 (joint3) for 0.2 s: check its cable"},
        "joint3": {"message": "does not answer"},
    }
    view = replace(READY, present=False, state="FAULT", silent=("joint3",), diagnostics=said_by_driver)
    assert "Joint 3: does not answer" in said(view)
    assert "check its cable" in said(view)
    assert "gone silent" in said(replace(view, silent=()))


def test_servos_that_hold_though_nobody_commands_them_are_told() -> None:
    holding = {"arm": {"message": "IDLE: all servos hold, not commanded from here: enable_torque takes over"}}
    view = replace(READY, state="IDLE", diagnostics=holding)
    assert said(view) == "Not commanded from here, though all servos hold. Torque on takes over."
    assert "can be moved by hand" in said(replace(view, diagnostics={"arm": {"message": "IDLE"}}))


def test_silence_and_others_at_work_are_told() -> None:
    assert "gone silent" in said(replace(READY, present=False))
    assert "No word of an arm yet" in said(replace(READY, present=False, state=""))
    busy = replace(READY, activity="policy", activity_words="The policy is running.")
    assert "The policy is running." in said(busy)


MODEL = Robot.drawn().describe()
SCENE = scene_of(MODEL)


@given(st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6))
def test_the_page_gets_all_that_places_every_link(q) -> None:
    value = dict(zip(SCENE["names"], q, strict=True))
    poses = {link: np.eye(4) for link in SCENE["links"] if link not in {j["child"] for j in SCENE["joints"]}}
    for joint in SCENE["joints"]:  # a URDF that names a parent later would need another order; ours does not
        turn = joint["multiplier"] * value[joint["source"]] + joint["offset"] if joint["source"] else 0.0
        motion = transform(rot_axis(joint["axis"], turn)) if joint["source"] else np.eye(4)
        poses[joint["child"]] = poses[joint["parent"]] @ np.reshape(joint["origin"], (4, 4)) @ motion
    for link, pose in poses.items():
        assert pose == pytest.approx(forward_chain(MODEL, q, link), abs=1e-4)


def test_shapes_have_their_colours() -> None:
    shapes = SCENE["links"]["base_link"]
    assert shapes[0]["kind"] == "box"
    assert shapes[0]["size"] == [0.13, 0.06, 0.002]
    assert shapes[0]["colour"] == [0.16, 0.17, 0.20, 1.0]
    assert {shape["kind"] for link in SCENE["links"].values() for shape in link} == {"box", "cylinder"}
