"""The mean of two networks: both ends are the networks themselves, and other shapes are refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from safetensors.numpy import load_file  # noqa: E402

from dofbot_ros.core.resources import share_file  # noqa: E402
from dofbot_ros.errors import InputError  # noqa: E402
from dofbot_ros.grasp.detection.model_io import (  # noqa: E402
    RANKER_WEIGHTS,
    WEIGHTS,
    load_model,
    load_ranker,
    load_weights,
    save_ranker,
    save_weights,
)
from dofbot_ros.grasp.detection.ranker import GraspRanker, RankerConfig  # noqa: E402
from dofbot_ros.grasp.learning.blend import blend  # noqa: E402

SHIPPED = share_file("models", "grasp")


def test_the_mean_lies_between_both_and_runs(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (network, info), ranker = load_weights(SHIPPED / WEIGHTS), load_ranker(SHIPPED / RANKER_WEIGHTS)
    with torch.no_grad():
        for parameter in (*network.parameters(), *ranker.parameters()):
            parameter.mul_(1.1)
    save_weights(network, info, other / WEIGHTS)
    save_ranker(ranker, ranker.config, other / RANKER_WEIGHTS)
    blend(SHIPPED, other, 0.5, tmp_path / "mean")
    for file in (WEIGHTS, RANKER_WEIGHTS):
        first, second, mean = (load_file(folder / file) for folder in (SHIPPED, other, tmp_path / "mean"))
        for name, values in mean.items():
            if values.dtype == np.float32:
                np.testing.assert_allclose(values, 0.5 * (first[name] + second[name]), rtol=1e-5, atol=1e-7)
    assert load_model(tmp_path / "mean").ranker is not None
    with pytest.raises(InputError, match=r"lies in 0\.\.1, got 1\.5"):
        blend(SHIPPED, other, 1.5, tmp_path / "mean")
    shutil.copy(SHIPPED / WEIGHTS, other / WEIGHTS)
    narrow = RankerConfig(width=8)
    save_ranker(GraspRanker(narrow), narrow, other / RANKER_WEIGHTS)
    with pytest.raises(InputError, match="differ in shape"):
        blend(SHIPPED, other, 0.5, tmp_path / "mean")
