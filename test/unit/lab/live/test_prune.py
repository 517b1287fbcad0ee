"""Pruning: masks hold as many links as they should, and accuracy is told for each way to go on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="pruning needs the extra learn")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from dofbot_ros.errors import InputError
from dofbot_ros.lab.live.data_sets import load_data_set
from dofbot_ros.lab.live.network_batch import fresh_batch, keep_largest, shuffled
from dofbot_ros.lab.live.prune import TICKETS, PruneConfig, prune_network, write_chart


@given(share=st.floats(0.05, 1.0), seed=st.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_the_largest_links_stay_and_random_masks_are_as_dense(share: float, seed: int) -> None:
    batch = fresh_batch((2, 7, 5, 1), [seed, seed + 1])
    whole = [torch.ones_like(weight) for weight in batch.weights]
    masks = keep_largest(batch, whole, share)
    size = sum(mask[0].numel() for mask in masks)
    for k in range(2):
        kept = torch.cat([w[k][m[k] > 0].abs() for w, m in zip(batch.weights, masks, strict=True)])
        gone = torch.cat([w[k][m[k] == 0].abs() for w, m in zip(batch.weights, masks, strict=True)])
        assert len(kept) == max(1, round(share * size))
        assert len(gone) == 0 or kept.min() >= gone.max()
    drawn = shuffled(masks, torch.Generator().manual_seed(seed))
    for mask, other in zip(masks, drawn, strict=True):
        assert torch.equal(mask.flatten(1).sum(dim=1), other.flatten(1).sum(dim=1))


def test_accuracy_is_told_for_each_ticket_with_its_interval(tmp_path: Path) -> None:
    told: list[tuple[int, float]] = []
    config = PruneConfig((2, 16, 1), rounds=2, steps=60, seeds=3)
    result = prune_network(load_data_set("circle", 200), config, lambda done, left: told.append((done, left)))
    assert result["left"] == pytest.approx([1.0, 0.5, 0.25], abs=0.02)
    for name in (*TICKETS, "difference"):
        mean, low, high = (np.array(result[name][part]) for part in ("mean", "low", "high"))
        assert (low <= mean + 1e-12).all()
        assert (mean <= high + 1e-12).all()
    assert result["rewound"]["mean"][0] > 0.9
    assert result["pruned"]["mean"][0] == result["rewound"]["mean"][0]
    assert [done for done, _ in told] == [0, 1, 2, 3]
    assert write_chart(result, tmp_path).name == "prune_circle.png"
    with pytest.raises(InputError, match="layers begin with 3"):
        prune_network(load_data_set("circle", 200), PruneConfig((3, 4, 1)))
