"""The hopper is Hopper-v5 but for its torso; its worlds stay within their ranges and leave the torso alone."""

from __future__ import annotations

import dataclasses
import importlib.util

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from hypothesis import given, settings
from hypothesis import strategies as st

if importlib.util.find_spec("mujoco") is None:  # not imported here: the product says first how it draws
    pytest.skip("the hopper needs the extra hopper", allow_module_level=True)

from dofbot_ros.errors import ConfigError
from dofbot_ros.lab.hopper.world import camera as hopper_camera
from dofbot_ros.lab.hopper.world.body import STATE_SIZE
from dofbot_ros.lab.hopper.world.camera import HopperCamera, to_pixels
from dofbot_ros.lab.hopper.world.env import ENV_ID, HopperEnv
from dofbot_ros.lab.hopper.world.randomization import HopperRanges, load_hopper_level


def test_the_target_is_gymnasiums_hopper() -> None:
    pytest.importorskip("imageio", reason="gymnasium's Hopper-v5 asks for it")
    mine, theirs = HopperEnv("target"), gym.make("Hopper-v5").unwrapped
    theirs.reset(seed=3)
    mine.reset(seed=3)
    mine.body.data.qpos[:], mine.body.data.qvel[:] = theirs.data.qpos, theirs.data.qvel
    rng = np.random.default_rng(0)
    for _ in range(30):
        action = rng.uniform(-1.0, 1.0, 3).astype(np.float32)
        seen, reward, ended, _, _ = mine.step(action)
        expected, their_reward, their_end, _, _ = theirs.step(action)
        np.testing.assert_allclose(seen, expected, atol=1e-5)
        assert reward == pytest.approx(their_reward, abs=1e-6)
        assert ended == their_end
        if ended:
            break


def test_gymnasiums_checker_passes() -> None:
    env = gym.make(ENV_ID, ranges="wide", domain="target").unwrapped
    check_env(env, skip_render_check=True)


def test_the_source_has_a_lighter_torso_and_nothing_else() -> None:
    source, target = HopperEnv("source").body.model, HopperEnv("target").body.model
    differs = source.body_mass - target.body_mass
    torso = source.body("torso").id
    assert differs[torso] == pytest.approx(-1.0)
    assert np.count_nonzero(differs) == 1
    np.testing.assert_array_equal(source.body_inertia, target.body_inertia)


WIDE = HopperEnv("source", "wide")
TORSO_KG = float(WIDE.body.model.body("torso").mass[0])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**31 - 1))
def test_worlds_stay_in_their_ranges_and_leave_the_torso_alone(seed: int) -> None:
    WIDE.reset(seed=seed)
    for field in dataclasses.fields(HopperRanges):
        low, high = getattr(WIDE.ranges, field.name)
        assert low <= getattr(WIDE.draw, field.name) <= high
    assert float(WIDE.body.model.body("torso").mass[0]) == TORSO_KG


def test_a_seed_repeats_an_episode_whatever_was_played_before() -> None:
    def play(env: HopperEnv) -> np.ndarray:
        env.reset(seed=11)
        return np.stack([env.step(np.full(3, 0.1, np.float32))[0] for _ in range(20)])

    used = HopperEnv("source", "wide")
    used.reset(seed=5)
    used.step(np.ones(3, np.float32))
    np.testing.assert_array_equal(play(used), play(HopperEnv("source", "wide")))


def test_pushes_move_the_hopper() -> None:
    ends = []
    for force in (0.0, 100.0):
        env = HopperEnv("source", HopperRanges(push_n=(force, force)))
        env.reset(seed=0)
        ends.append(np.stack([env.step(np.zeros(3, np.float32))[0] for _ in range(600)]))
    assert np.abs(ends[0] - ends[1]).max() > 0.01


@pytest.mark.usefixtures("drawing")
def test_keypoints_show_where_the_body_is() -> None:
    env = HopperEnv("source", "none")
    camera = HopperCamera(env.body)
    env.reset(seed=0)
    camera.reset(env.draw)
    picture = camera.picture().astype(int)
    columns, rows = np.rint(to_pixels(env.body.keypoints())).astype(int).T
    sky = picture[2, 2]
    shown = np.abs(picture[rows, columns] - sky).sum(axis=1)
    camera.close()
    assert (shown > 60).all()


def drawn(monkeypatch: pytest.MonkeyPatch, **how: float) -> np.ndarray:
    """A picture of a hopper that has begun to fall, drawn with other numbers of the camera."""
    for name, value in how.items():
        monkeypatch.setattr(hopper_camera, name, value)
    env = HopperEnv("source", "wide", "image")
    env.reset(seed=3)
    for _ in range(20):
        env.step(np.full(3, 0.4, np.float32))
    picture = env.observe().astype(float)
    env.close()
    return picture


@pytest.mark.usefixtures("drawing")
def test_what_drawing_saves_is_not_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    picture = drawn(monkeypatch)
    assert (np.abs(picture - drawn(monkeypatch, TILE_M=0.125)) > 1.0).mean() < 0.01
    as_mujoco = drawn(monkeypatch, TILE_M=0.125, SLICES=28, STACKS=16)
    off = np.abs(picture - as_mujoco).max(axis=2)
    assert off.mean() < 1.0
    assert (off > 40.0).mean() < 0.01


@pytest.mark.usefixtures("drawing")
def test_edges_are_averages_of_finer_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = drawn(monkeypatch, SAMPLES=8)
    assert (
        np.abs(drawn(monkeypatch, SAMPLES=2) - fine).mean() < 0.6 * np.abs(drawn(monkeypatch, SAMPLES=1) - fine).mean()
    )


@pytest.mark.usefixtures("drawing")
def test_a_camera_changes_nothing_in_its_world() -> None:
    seen, blind = HopperEnv("source", "wide", "image"), HopperEnv("source", "wide")
    for env in (seen, blind):
        env.reset(seed=5)
    for action in np.random.default_rng(0).uniform(-1.0, 1.0, (60, 3)).astype(np.float32):
        assert seen.step(action)[1:] == blind.step(action)[1:]
        np.testing.assert_array_equal(seen.body.state(), blind.body.state())
    seen.close()


def test_the_horizon_cuts_an_episode() -> None:
    env = HopperEnv(horizon=2)
    env.reset(seed=0)
    assert env.step(np.zeros(3, np.float32))[3] is False
    seen, _, ended, cut, _ = env.step(np.zeros(3, np.float32))
    assert (ended, cut, seen.shape) == (False, True, (STATE_SIZE,))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"domain": "mars"}, "domain 'mars' is not one of source, target"),
        ({"ranges": "huge"}, "level 'huge' is not one of none, legs, wide"),
        ({"obs": "smell"}, "obs 'smell' is not one of state, image, pipeline"),
        ({"obs": "pipeline"}, "goes with obs pipeline"),
        ({"horizon": 0}, "horizon must be at least one step, got 0"),
    ],
)
def test_what_does_not_fit_is_refused(options: dict[str, object], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        HopperEnv(**options)


@pytest.mark.parametrize(
    ("ranges", "why"),
    [
        ({"gear": (0.0, 1.0)}, "gear must be positive"),
        ({"friction": (1.2, 0.8)}, r"friction must be \[min, max\]"),
        ({"colour_shift": (0.0, 2.0)}, "colour_shift must be 0 to 1"),
    ],
)
def test_ranges_that_no_world_has_are_refused(ranges: dict[str, tuple[float, float]], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        HopperRanges(**ranges)


def test_no_level_speaks_of_the_torso() -> None:
    assert not [field.name for field in dataclasses.fields(load_hopper_level("wide")) if "torso" in field.name]
