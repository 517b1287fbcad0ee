"""Writes config/moveit/dofbot.srdf: groups, named poses, and which pairs of links MoveIt need not check.

python tools/moveit_srdf.py            writes the file
python tools/moveit_srdf.py --check    exit code 1 where it is not what would be written
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np
import pybullet

from dofbot_ros.arm.model import ArmModel, load_model
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.types import ARM_JOINTS, JOINT_NAMES, FloatArray
from dofbot_ros.driver.config import HOME, PARK

PAGE = Path(__file__).resolve().parents[1] / "config" / "moveit" / "dofbot.srdf"
POSES = 12000
"""Random joint angles that are looked at."""
SEED = 0


def pairs_that_never_meet(model: ArmModel) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Pairs of links: those beside each other, and those that touch in no pose at all; MoveIt looks at the rest.

    Collisions are those of the URDF's shapes, as pybullet finds them.
    """
    adjacent = {_pair(joint.parent, joint.child) for joint in model.joints}
    others = {_pair(a, b) for a, b in combinations(model.links, 2)} - adjacent
    return adjacent, others - set().union(*pairs_that_touch(model, _poses()))


def pairs_that_touch(model: ArmModel, poses: Iterable[FloatArray]) -> list[set[tuple[str, str]]]:
    """Pairs of links whose shapes overlap, at each of the joint angles (6,) [rad]."""
    client = pybullet.connect(pybullet.DIRECT)
    body = pybullet.loadURDF(
        str(share_file("urdf", "dofbot.urdf")),
        useFixedBase=True,
        flags=pybullet.URDF_USE_SELF_COLLISION | pybullet.URDF_USE_SELF_COLLISION_INCLUDE_PARENT,
        physicsClientId=client,
    )
    names = {-1: model.links[0]}
    joints = {}
    for index in range(pybullet.getNumJoints(body)):
        info = pybullet.getJointInfo(body, index)
        names[index], joints[info[1].decode()] = info[12].decode(), index
    touching = [_touching(model, body, joints, names, q) for q in poses]
    pybullet.disconnect(client)
    return touching


def _poses() -> list[FloatArray]:
    robot, rng = Robot.drawn(), np.random.default_rng(SEED)
    return list(rng.uniform(robot.lower, robot.upper, (POSES, len(JOINT_NAMES))))


def _touching(
    model: ArmModel, body: int, joints: dict[str, int], names: dict[int, str], q: FloatArray
) -> set[tuple[str, str]]:
    values = dict(zip(JOINT_NAMES, q.tolist(), strict=True))
    for joint in model.joints:
        if joint.kind == "fixed":
            continue
        mimic = joint.mimic
        angle = mimic.multiplier * values[mimic.joint] + mimic.offset if mimic else values[joint.name]
        pybullet.resetJointState(body, joints[joint.name], angle)
    pybullet.performCollisionDetection()
    contacts = pybullet.getContactPoints(body, body)
    return {_pair(names[c[3]], names[c[4]]) for c in contacts if c[8] < 0.0}


def _pair(a: str, b: str) -> tuple[str, str]:
    return (a, b) if a < b else (b, a)


def srdf() -> str:
    """The file's text."""
    model = load_model()
    adjacent, never = pairs_that_never_meet(model)
    lines = [
        '<?xml version="1.0"?>',
        "<!-- Made by tools/moveit_srdf.py: MoveIt's view of the arm; the shapes are those of urdf/dofbot.urdf. -->",
        '<robot name="dofbot">',
        '  <group name="arm"><chain base_link="base_link" tip_link="tool_link"/></group>',
        '  <group name="gripper"><joint name="grip_joint"/></group>',
        '  <end_effector name="gripper" parent_link="tool_link" group="gripper" parent_group="arm"/>',
    ]
    for name, pose in (("home", HOME), ("park", PARK)):
        lines.append(f'  <group_state name="{name}" group="arm">')
        lines += [f'    <joint name="{j}" value="{v:g}"/>' for j, v in zip(ARM_JOINTS, pose, strict=False)]
        lines.append("  </group_state>")
    for name, value in (("open", 0.0), ("closed", float(Robot.drawn().upper[-1]))):
        joint = f'<joint name="grip_joint" value="{value:.6g}"/>'
        lines.append(f'  <group_state name="{name}" group="gripper">{joint}</group_state>')
    lines += [f'  <passive_joint name="{joint.name}"/>' for joint in model.joints if joint.mimic]
    for reason, pairs in (("Adjacent", adjacent), ("Never", never)):
        lines += [f'  <disable_collisions link1="{a}" link2="{b}" reason="{reason}"/>' for a, b in sorted(pairs)]
    return "\n".join([*lines, "</robot>", ""])


def main() -> int:
    """Write or check the file. Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing")
    text = srdf()
    if parser.parse_args().check:
        return int(PAGE.read_text(encoding="utf-8") != text)
    PAGE.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
