"""The hand's silhouette follows its joints, smoothly, and angles are found again from it."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch", reason="the imitation needs the extra learn")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import ConfigError
from dofbot_ros.lab.imitation.hand import PALM_M, HandModel
from dofbot_ros.lab.imitation.landmarks import angles_from_landmarks
from dofbot_ros.lab.imitation.refine import refine
from dofbot_ros.lab.imitation.silhouette import distances, hard, iou, soft

HANDS = HandModel(12), HandModel(17)


def poses(model: HandModel, count: int, seed: int):
    return model.sample(count, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("model", HANDS, ids=lambda model: f"{model.dof} joints")
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_sampled_poses_are_within_limits_and_in_view(model: HandModel, seed: int) -> None:
    angles = poses(model, 4, seed)
    assert len(model.names) == model.dof
    assert (angles >= model.lower).all()
    assert (angles <= model.upper).all()
    shown = hard(model, angles).float().mean(dim=(1, 2))
    assert ((shown > 0.05) & (shown < 0.5)).all()


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31 - 1))
def test_overlap_is_one_with_itself_symmetric_and_between_zero_and_one(seed: int) -> None:
    a, b = (hard(HANDS[1], poses(HANDS[1], 2, seed + i)) for i in (0, 1))
    assert torch.allclose(iou(a, a), torch.ones(2))
    assert torch.allclose(iou(a, b), iou(b, a))
    assert ((iou(a, b) >= 0.0) & (iou(a, b) <= 1.0)).all()


@pytest.mark.parametrize("model", HANDS, ids=lambda model: f"{model.dof} joints")
def test_gradients_are_those_of_finite_differences(model: HandModel) -> None:
    # Away from 0: fingers bent back would look the same.
    angles = (0.5 * (model.lower + model.upper) + 0.1)[None].requires_grad_()
    target = hard(model, poses(model, 1, 3)).float()

    def loss(given):
        return (soft(model, given, width_m=0.01) - target).square().mean()

    (slope,) = torch.autograd.grad(loss(angles), angles)
    for joint in range(model.dof):
        step = torch.zeros(1, model.dof)
        step[0, joint] = 1e-2
        numeric = float((loss(angles.detach() + step) - loss(angles.detach() - step)) / 2e-2)
        assert float(slope[0, joint]) == pytest.approx(numeric, abs=2e-3)


def test_hard_and_soft_silhouettes_agree() -> None:
    angles = poses(HANDS[0], 3, 1)
    assert ((soft(HANDS[0], angles) > 0.5) == hard(HANDS[0], angles)).float().mean() > 0.9999


def test_a_placement_shifts_the_silhouette() -> None:
    angles = poses(HANDS[0], 1, 2)
    pixel = 0.34 / 56
    moved = distances(HANDS[0], angles, placement=torch.tensor([[pixel, 0.0, 0.0]]))
    still = distances(HANDS[0], angles)
    assert torch.allclose(moved[:, :, 1:], still[:, :, :-1], atol=1e-5)


def test_landmarks_without_noise_give_back_fingers_and_thumb() -> None:
    model = HANDS[0]
    angles = poses(model, 20, 4)
    read = angles_from_landmarks(model, model.landmarks(angles))
    direction = (angles[:, 10] + angles[:, 11]).clamp(-1.5, 1.5)
    within = direction.abs() < 1.3
    error = (read - angles)[within].abs()
    assert float(error[:, :10].mean()) < 0.03
    turned = read[:, 10] + read[:, 11]
    assert torch.allclose(turned[within], direction[within], atol=1e-4)


def test_the_crop_of_photos_has_the_hands_measure() -> None:
    points = HANDS[0].landmarks(torch.zeros(1, 12))[0]
    assert float((points[9] - points[0]).norm()) == pytest.approx(PALM_M, abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("fit", ["angles", "placement", "both"])
def test_refinement_never_makes_it_worse_and_mostly_better(fit: str) -> None:
    model = HANDS[0]
    angles = poses(model, 6, 5)
    target = hard(model, angles)
    begun = angles_from_landmarks(model, model.landmarks(angles))
    before = iou(hard(model, begun), target)
    found = refine(model, begun, target, 30, fit=fit)
    assert (found.overlap >= before).all()
    again = iou(hard(model, found.angles, placement=found.placement), target)
    assert torch.allclose(again, found.overlap, atol=1e-6)
    if fit != "placement":
        assert float(found.overlap.mean()) > 0.9
    assert (found.angles >= model.lower - 1e-5).all()
    assert (found.angles <= model.upper + 1e-5).all()


def test_other_hands_are_refused() -> None:
    with pytest.raises(ConfigError, match="dof must be 12 or 17, got 5"):
        HandModel(5)
    assert np.isfinite(HANDS[1].capsules(poses(HANDS[1], 1, 0))[0].numpy()).all()


def test_refinement_leaves_alone_what_a_silhouette_does_not_tell() -> None:
    model, noise = HANDS[1], torch.Generator().manual_seed(5)
    angles = poses(model, 12, 5)
    begun = (angles + 0.15 * torch.randn(angles.shape, generator=noise)).clamp(model.lower, model.upper)
    found = refine(model, begun, hard(model, angles), 40)
    assert (found.overlap > iou(hard(model, begun), hard(model, angles))).all()
    assert float((found.angles - angles).square().mean()) < float((begun - angles).square().mean())
