"""A hand read from a URDF: its joints by name, its shapes as capsules; it is trained, kept and found again."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("torch", reason="the imitation needs the extra learn")

import torch
from command_line import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.arm.model import forward_chain, parse_model
from dofbot_ros.arm.shapes import link_shapes
from dofbot_ros.cli.main import app
from dofbot_ros.errors import ConfigError
from dofbot_ros.lab.imitation.env import HandImitationEnv
from dofbot_ros.lab.imitation.hand import PALM_M, HandModel
from dofbot_ros.lab.imitation.imitator import load_network
from dofbot_ros.lab.imitation.silhouette import hard, iou, soft
from dofbot_ros.lab.imitation.train import ImitationTrainConfig, train_imitation
from dofbot_ros.lab.imitation.urdf.capsules import link_capsules
from dofbot_ros.lab.imitation.urdf.hand import UrdfHand
from dofbot_ros.lab.imitation.urdf.kinematics import link_poses
from dofbot_ros.lab.imitation.urdf.reader import read_hand

from .own_hand import mirrored, own_hand

SEEDS = st.integers(0, 2**31 - 1)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hand") / "own.urdf"
    path.write_text(own_hand())
    return path


@pytest.fixture(scope="module")
def hand(file: Path) -> UrdfHand:
    return read_hand(file)


def poses(hand: UrdfHand, count: int, seed: int) -> torch.Tensor:
    return hand.sample(count, torch.Generator().manual_seed(seed))


def test_joints_are_found_by_their_names(hand: UrdfHand) -> None:
    assert hand.dof == 11
    assert hand.names[:3] == ("thumb base", "thumb middle", "index base")
    assert hand.names[-1] == "wrist"
    assert hand.still == ()
    assert float(hand.upper[2]) == 1.5


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_poses_are_within_limits_and_in_view(seed: int) -> None:
    hand = UrdfHand(parse_model(own_hand()), {"middle base": "middle_base", "thumb base": "thumb_base"})
    angles = poses(hand, 3, seed)
    assert (angles >= hand.lower).all()
    assert (angles <= hand.upper).all()
    shown = hard(hand, angles).float().mean(dim=(1, 2))
    assert ((shown > 0.05) & (shown < 0.5)).all()


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-0.5, 1.5), min_size=11, max_size=11))
def test_links_are_where_the_arms_kinematics_say(position: list[float]) -> None:
    model = parse_model(own_hand())
    q = dict(zip(model.joint_names, position, strict=True))
    found = link_poses(model, 1, lambda joint: torch.tensor([q[joint.name]]))
    for link in ("little_3", "thumb_2", "palm"):
        turn, place = found[link]
        true = forward_chain(model, position, link)
        np.testing.assert_allclose(turn[0], true[:3, :3], atol=1e-5)
        np.testing.assert_allclose(place[0], true[:3, 3], atol=1e-6)


def test_it_lies_in_the_picture_as_the_simulated_hand_does(hand: UrdfHand) -> None:
    ends, radii = hand.capsules(torch.zeros(1, hand.dof))
    model = HandModel(12)
    straight = hard(hand, torch.zeros(1, hand.dof)), hard(model, torch.zeros(1, 12))
    assert float(iou(*straight)) > 0.6
    bent = torch.zeros(1, hand.dof)
    bent[0, hand.names.index("index base")] = 1.5
    # Bent towards the camera: its tip comes nearer, and goes down in the picture.
    tip = ends[0, :, :, 1].max()
    assert float(hand.capsules(bent)[0][..., 2].max()) > float(ends[..., 2].max()) + 0.5 * PALM_M
    assert float(tip) > PALM_M
    assert (radii > 0).all()


def test_gradients_are_those_of_finite_differences(hand: UrdfHand) -> None:
    angles = (0.5 * (hand.lower + hand.upper) + 0.1)[None].requires_grad_()
    target = hard(hand, poses(hand, 1, 3)).float()

    def loss(given: torch.Tensor) -> torch.Tensor:
        return (soft(hand, given, width_m=0.01) - target).square().mean()

    (slope,) = torch.autograd.grad(loss(angles), angles)
    for joint in range(hand.dof):
        step = torch.zeros(1, hand.dof)
        step[0, joint] = 1e-2
        numeric = float((loss(angles.detach() + step) - loss(angles.detach() - step)) / 2e-2)
        assert float(slope[0, joint]) == pytest.approx(numeric, abs=2e-3)


def test_a_hand_of_the_other_side_is_mirrored(hand: UrdfHand, tmp_path: Path) -> None:
    other = tmp_path / "other.urdf"
    other.write_text(mirrored(own_hand()))
    angles = torch.cat([torch.zeros(1, hand.dof), poses(hand, 4, 2)])
    assert torch.allclose(soft(read_hand(other), angles), soft(hand, angles), atol=1e-4)


def test_joints_of_other_names_are_given_by_hand(tmp_path: Path, hand: UrdfHand) -> None:
    file = tmp_path / "named.urdf"
    turned = own_hand(base="mcp").replace(
        '<axis xyz="0 1 0"/><limit lower="0" upper="1.5"', '<axis xyz="0 -1 0"/><limit lower="-1.5" upper="0"'
    )
    file.write_text(turned)
    given = {f"{finger} base": f"-{finger}_mcp" for finger in ("index", "middle", "ring")}
    given |= {f"{finger} middle": f"-{finger}_middle" for finger in ("index", "middle", "ring", "little")}
    found = read_hand(file, given)
    assert found.still == ("little_mcp",)
    both = poses(found, 4, 1)
    same = torch.stack(
        [both[:, found.names.index(name)] if name in found.names else torch.zeros(4) for name in hand.names], 1
    )
    assert torch.allclose(hard(found, both).float(), hard(hand, same).float())


@pytest.mark.parametrize(
    ("change", "joints", "why"),
    [
        ({"mesh": True}, {}, "mesh"),
        ({"base": "mcp"}, {}, "no joint is the middle finger's base"),
        ({}, {"index bass": "index_base"}, "did you mean index base"),
        ({}, {"index base": "index_bass"}, "did you mean index_base"),
        ({}, {"index base": "-index_base"}, "does not bend beyond 0: is it index base=index_base"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(
    change: dict[str, object], joints: dict[str, str], why: str, tmp_path: Path
) -> None:
    file = tmp_path / "own.urdf"
    file.write_text(own_hand(**change))
    with pytest.raises(ConfigError, match=why) as told:
        read_hand(file, joints)
    assert "\n" not in str(told.value)


def test_a_hand_without_shapes_or_a_palm_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "own.urdf"
    bare = '<robot name="r"><link name="a"/><link name="b"/>{}</robot>'
    joint = (
        '<joint name="middle_base" type="revolute"><parent link="a"/><child link="b"/><origin xyz="{} 0 0"/>'
        '<axis xyz="0 1 0"/><limit lower="0" upper="1"/></joint>'
    )
    file.write_text(bare.format(joint.format(0.1)))
    with pytest.raises(ConfigError, match="draws no link"):
        read_hand(file)
    ball = '<link name="b"><visual><geometry><sphere radius="0.01"/></geometry></visual></link>'
    file.write_text(bare.format(joint.format(0.0)).replace('<link name="b"/>', ball))
    with pytest.raises(ConfigError, match="palm has no direction"):
        read_hand(file)
    file.write_text(bare.format(joint.format(0.1)).replace("revolute", "prismatic"))
    with pytest.raises(ConfigError, match="is prismatic: revolute is expected"):
        read_hand(file)


def test_capsules_fill_what_is_drawn_and_no_more() -> None:
    model = parse_model(own_hand())
    rng = np.random.default_rng(0)
    for link in ("palm", "index_1", "index_2", "index_3"):
        (shape,) = link_shapes(model, link)
        ends, radii = link_capsules(model, link)
        points = rng.uniform(-0.12, 0.12, (4000, 3))
        inside = shape.holds(points)
        along = ends[:, 1] - ends[:, 0]
        from_start = points[:, None] - ends[:, 0]
        share = (from_start * along).sum(-1) / np.maximum((along * along).sum(-1), 1e-12)
        distance = np.linalg.norm(from_start - np.clip(share, 0, 1)[..., None] * along, axis=-1)
        covered = (distance < radii).any(axis=1)
        assert not (covered & ~shape.holds(points, 1e-6)).any()
        # Edges and corners of boxes and cylinders are rounded off.
        assert covered[inside].mean() > 0.75 if inside.sum() > 20 else True


def test_the_environment_takes_it(file: Path) -> None:
    env = HandImitationEnv(urdf=str(file))
    seen, _ = env.reset(seed=1)
    assert seen.shape == (56, 112, 3)
    assert env.action_space.shape == (11,)


@pytest.mark.slow
def test_it_is_trained_kept_and_found_again(file: Path, tmp_path: Path) -> None:
    run, copy, sheet = tmp_path / "run", tmp_path / "copy.urdf", tmp_path / "sheet.png"
    copy.write_text(file.read_text())
    words = f"imitate train --urdf {copy} --steps 6 --out {run} --json"
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 0, done.output
    copy.unlink()
    config = ImitationTrainConfig(urdf=str(copy), steps=7)
    assert train_imitation(config, run, resume=True)["steps"] == 7
    model, network = load_network(run)
    assert model.names == read_hand(file).names
    assert network(torch.zeros(1, 56, 56)).shape == (1, 11)
    words = f"imitate evaluate --model {run} --targets 3 --steps 20 --sheet {sheet} --json"
    done = CliRunner().invoke(app, words.split())
    found = json.loads(done.stdout)
    assert found["dof"] == 11
    assert found["mean_iou"] > 0.5
    assert cv2.imread(str(sheet)) is not None
    both = CliRunner().invoke(app, ["imitate", "evaluate", "--model", str(run), "--urdf", str(file)])
    assert "--urdf and --model do not go together" in str(both.exception)


@pytest.mark.slow
def test_the_methods_without_a_network_take_it(file: Path) -> None:
    words = f"imitate evaluate --urdf {file} --method landmarks+refine --targets 2 --steps 20 --json"
    found = json.loads(CliRunner().invoke(app, words.split()).stdout)
    assert found["mean_iou"] > found["baseline_iou"] > 0.4
