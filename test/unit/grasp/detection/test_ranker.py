"""Close-ups show a grasp the same way round whatever its yaw, and the ranking network learns to tell grasps apart."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.grasp.detection.crop import CHANNELS, SIZE, bearing, close_ups, piece
from dofbot_ros.grasp.detection.planner import Candidate, NetworkPlanner
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.learning.dataset import VAL_FILE, load, save
from dofbot_ros.grasp.planning.planar_plan import PlanarGrasp

from ..bar_views import bars

VIEW = TopDownView()
PINCHES = st.builds(
    PlanarGrasp, st.floats(0.15, 0.23), st.floats(-0.04, 0.04), st.floats(-math.pi, math.pi), st.just(VIEW.height)
)


def spots(*points: tuple[float, float]) -> np.ndarray:
    """A dark view with a soft bright spot at each point of the table."""
    row, column = np.mgrid[0 : VIEW.size, 0 : VIEW.size]
    at = [VIEW.to_pixel(*point) for point in points]
    light = sum(np.exp(-0.5 * ((row - r) ** 2 + (column - c) ** 2) / 1.5**2) for r, c in at)
    return np.repeat(np.rint(200.0 * np.asarray(light)).astype(np.uint8)[..., None], 3, axis=2)


@settings(max_examples=30, deadline=None)
@given(PINCHES)
def test_what_lies_along_the_closing_line_lies_along_the_rows(pinch: PlanarGrasp) -> None:
    ahead = pinch.x + 0.02 * math.cos(pinch.yaw), pinch.y + 0.02 * math.sin(pinch.yaw)
    seen = piece(spots(ahead), VIEW, pinch)[..., 0]
    row, column = np.unravel_index(int(cv2.GaussianBlur(seen, (0, 0), 1.0).argmax()), seen.shape)
    middle = 0.5 * (SIZE - 1)
    assert (row, column) == pytest.approx((middle, middle + 0.02 / 0.0025), abs=1.01)


@settings(max_examples=30, deadline=None)
@given(PINCHES)
def test_a_mirrored_close_up_is_that_of_the_mirrored_world(pinch: PlanarGrasp) -> None:
    image = spots((0.19, 0.02), (0.21, -0.03), (pinch.x, pinch.y))
    mirrored = replace(pinch, y=-pinch.y, yaw=-pinch.yaw)
    there = close_ups(np.ascontiguousarray(image[:, ::-1]), VIEW, [mirrored])
    here = close_ups(image, VIEW, [pinch], mirrored=True)
    assert here.shape == (1, CHANNELS, SIZE, SIZE)
    # OpenCV rounds places to a 32nd of a pixel.
    assert here == pytest.approx(there, abs=0.3)


@settings(max_examples=30, deadline=None)
@given(PINCHES, st.floats(-0.4, 0.4))
def test_a_turn_of_joint_1_changes_nothing_in_the_bearing(pinch: PlanarGrasp, turn: float) -> None:
    c, s = math.cos(turn), math.sin(turn)
    turned = replace(pinch, x=c * pinch.x - s * pinch.y, y=s * pinch.x + c * pinch.y, yaw=pinch.yaw + turn)
    assert bearing(turned) == pytest.approx(bearing(pinch), abs=1e-5)


@pytest.mark.slow
def test_it_learns_to_tell_grasps_that_hold_and_the_planner_follows_it(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from dofbot_ros.errors import InputError
    from dofbot_ros.grasp.detection.model_io import OnnxRanker
    from dofbot_ros.grasp.detection.ranker import RankerConfig
    from dofbot_ros.grasp.learning.train_ranker import train_ranker

    data, run = tmp_path / "data", tmp_path / "run"
    data.mkdir()
    save(bars(160, 0), data / "train_dataset.npz")
    save(bars(60, 1), data / VAL_FILE)
    best = train_ranker([data], run, RankerConfig(width=8, epochs=8, batch=16))
    assert best.val_ordered > 0.9

    val, view = load(data / VAL_FILE), TopDownView(size=32)

    class Model:
        ranker = OnnxRanker(run / "ranker.onnx")

    image, (row, column, rotation) = val.images[0], val.actions[0]
    good = PlanarGrasp(*view.to_table(row, column), 0.5 * math.pi * (1 + rotation), view.height)
    beside = replace(good, x=good.x + 0.03)
    ranked = NetworkPlanner(Model()).rank(image, view, [Candidate(beside, 0.0, 0.0), Candidate(good, 0.0, 0.0)])  # type: ignore[arg-type]
    assert [candidate.pinch for candidate in ranked] == [good, beside]
    assert (run / "ranker_loss_curves.png").stat().st_size > 0
    further = train_ranker([data], tmp_path / "further", RankerConfig(width=8, epochs=1, batch=16), start=run)
    assert further.val_ordered > 0.9
    with pytest.raises(InputError, match="8 wide, not 12"):
        train_ranker([data], tmp_path / "wider", RankerConfig(width=12, epochs=1), start=run)
    save(val.take(val.success), data / VAL_FILE)
    with pytest.raises(InputError, match="--failures"):
        train_ranker([data], tmp_path / "other", RankerConfig())
    (data / VAL_FILE).unlink()
    with pytest.raises(InputError, match="--val-share"):
        train_ranker([data], tmp_path / "other", RankerConfig())


@pytest.mark.slow
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from safetensors.numpy import load_file

    from dofbot_ros.errors import InputError
    from dofbot_ros.grasp.detection.ranker import RankerConfig
    from dofbot_ros.grasp.learning.run import Epoch
    from dofbot_ros.grasp.learning.train_ranker import train_ranker

    data, whole, parts = tmp_path / "data", tmp_path / "whole", tmp_path / "parts"
    data.mkdir()
    save(bars(64, 0), data / "train_dataset.npz")
    save(bars(40, 1), data / VAL_FILE)
    config = RankerConfig(width=8, epochs=3, batch=16)

    def interrupt(line: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(InputError, match="nothing to resume"):
        train_ranker([data], parts, config, resume=True)
    expected = train_ranker([data], whole, config)
    with pytest.raises(KeyboardInterrupt):
        train_ranker([data], parts, config, report=interrupt)
    with pytest.raises(InputError, match="--resume"):
        train_ranker([data], parts, config)
    with pytest.raises(InputError, match="another configuration"):
        train_ranker([data], parts, replace(config, seed=1), resume=True)
    resumed = train_ranker([data], parts, config, resume=True)
    assert (resumed.epoch, resumed.val_loss) == (expected.epoch, expected.val_loss)
    first, second = (load_file(folder / "ranker.safetensors") for folder in (whole, parts))
    for name in first:
        assert np.array_equal(first[name], second[name]), name


def test_the_shipped_ranking_networks_files_agree() -> None:
    torch = pytest.importorskip("torch")
    from dofbot_ros.core.resources import share_file
    from dofbot_ros.grasp.detection.model_io import load_model, load_ranker

    shown = close_ups(spots((0.19, 0.01)), VIEW, [PlanarGrasp(0.19, 0.01, 0.4), PlanarGrasp(0.23, -0.03, 1.4)])
    shipped = load_model().ranker
    assert shipped is not None
    with torch.no_grad():
        expected = load_ranker(share_file("models", "grasp", "ranker.safetensors"))(torch.from_numpy(shown))
    assert shipped.logits(shown) == pytest.approx(expected.numpy(), abs=1e-4)
