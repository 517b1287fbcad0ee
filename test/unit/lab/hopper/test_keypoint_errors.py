"""Errors of keypoints in lessons: as large as they are said to be, at every moment of an episode."""

from __future__ import annotations

import numpy as np
import pytest

from dofbot_ros.lab.hopper.learning import keypoint_errors
from dofbot_ros.lab.hopper.learning.keypoint_errors import FADING, KeypointErrors

EPISODES, NUMBERS, FRAMES = 40, 50, 60


def played(monkeypatch: pytest.MonkeyPatch, noise_m: float, drift_m: float, bias_m: float) -> np.ndarray:
    """Errors (FRAMES, EPISODES, NUMBERS) of one size each."""
    monkeypatch.setattr(keypoint_errors, "NOISE_M", (noise_m, noise_m))
    monkeypatch.setattr(keypoint_errors, "DRIFT_M", (drift_m, drift_m))
    monkeypatch.setattr(keypoint_errors, "BIAS_M", bias_m)
    errors = KeypointErrors(EPISODES, NUMBERS, np.random.default_rng(0))
    for episode in range(EPISODES):
        errors.begin(episode)
    return np.stack([errors.next() for _ in range(FRAMES)])


def test_what_is_new_in_a_frame_says_nothing_of_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = played(monkeypatch, 0.01, 0.0, 0.0)
    assert errors.std() == pytest.approx(0.01, rel=0.02)
    assert np.corrcoef(errors[:-1].ravel(), errors[1:].ravel())[0, 1] == pytest.approx(0.0, abs=0.01)


def test_a_drift_fades_and_stays_as_large_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = played(monkeypatch, 0.0, 0.006, 0.0)
    np.testing.assert_allclose(errors.std(axis=(1, 2)), 0.006, rtol=0.12)
    for frames in (1, 2, 5):
        alike = np.corrcoef(errors[:-frames].ravel(), errors[frames:].ravel())[0, 1]
        assert alike == pytest.approx(FADING**frames, abs=0.03)


def test_a_bias_stays_along_its_episode_and_ends_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    errors = played(monkeypatch, 0.0, 0.0, 0.004)
    np.testing.assert_array_equal(errors, np.broadcast_to(errors[0], errors.shape))
    assert errors.std() == pytest.approx(0.004, rel=0.1)


def test_a_new_episode_has_errors_of_its_own_and_leaves_the_others_theirs() -> None:
    errors = KeypointErrors(2, 10, np.random.default_rng(0))
    for episode in range(2):
        errors.begin(episode)
    before = errors._bias.copy(), errors._noise_m.copy()
    errors.begin(1)
    np.testing.assert_array_equal(errors._bias[0], before[0][0])
    assert errors._noise_m[0] == before[1][0]
    assert (errors._bias[1] != before[0][1]).all()
    assert errors._noise_m[1] != before[1][1]
