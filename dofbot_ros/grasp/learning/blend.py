"""Averages the weights of a run and of the run it began with: what it learnt anew, with less of the old forgotten.

Weights of a fine-tuned network and of its start lie in one basin, and so does their mean, which is often better than
both where both are measured (Wortsman et al., Robust fine-tuning of zero-shot models, 2022).
"""

from __future__ import annotations

from pathlib import Path

from torch import Tensor

from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.model_io import (
    ONNX,
    RANKER_ONNX,
    RANKER_WEIGHTS,
    WEIGHTS,
    export_onnx,
    export_ranker,
    load_ranker,
    load_weights,
    save_ranker,
    save_weights,
)


def blend(start: Path, tuned: Path, share: float, out: Path) -> None:
    """Write the mean of both runs' networks, the map's and the ranking one, as a run's folder.

    Args:
        start: folder of the run that was begun with.
        tuned: folder of the run that began with it.
        share: weight of `tuned`, 0..1.
        out: folder for the mean; made where it is not there.

    Raises:
        InputError: networks of different shapes, or share is not within 0..1.
    """
    if not 0.0 <= share <= 1.0:
        raise InputError(f"the share of the tuned weights lies in 0..1, got {share:g}")
    (first, info), (second, tuned_info) = load_weights(start / WEIGHTS), load_weights(tuned / WEIGHTS)
    ranker, tuned_ranker = load_ranker(start / RANKER_WEIGHTS), load_ranker(tuned / RANKER_WEIGHTS)
    if info.network != tuned_info.network or ranker.config.width != tuned_ranker.config.width:
        raise InputError(f"the networks of {start} and {tuned} differ in shape: name a run and its --start")
    out.mkdir(parents=True, exist_ok=True)
    first.load_state_dict(_mean(first.state_dict(), second.state_dict(), share))
    ranker.load_state_dict(_mean(ranker.state_dict(), tuned_ranker.state_dict(), share))
    save_weights(first, tuned_info, out / WEIGHTS)
    export_onnx(first, tuned_info, out / ONNX)
    save_ranker(ranker, tuned_ranker.config, out / RANKER_WEIGHTS)
    export_ranker(ranker, out / RANKER_ONNX)


def _mean(first: dict[str, Tensor], second: dict[str, Tensor], share: float) -> dict[str, Tensor]:
    """Tensors of numbers are averaged, counters are the second's."""
    return {
        name: (1.0 - share) * tensor + share * second[name] if tensor.is_floating_point() else second[name]
        for name, tensor in first.items()
    }
