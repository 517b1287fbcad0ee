"""Attributions, probes and projections: their axioms, and cases with known answers."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("captum", reason="looking into networks needs the extra lab")

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis.attribution import attribute
from dofbot_ros.lab.analysis.clusters import features_of, principal_components, project
from dofbot_ros.lab.analysis.network import InputSpec, Network
from dofbot_ros.lab.analysis.predictability import predictability


def network_of(module: nn.Module, size: int) -> Network:
    return Network("test", "plain", module.eval(), (InputSpec("x", (size,), (-1.0,), (1.0,)),), ("first", "second"))


@given(seed=st.integers(0, 1000))
@settings(max_examples=15, deadline=None)
def test_integrated_gradients_add_up(seed: int) -> None:
    torch.manual_seed(seed)
    network = network_of(nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), 4)
    x = torch.randn(3, 4)
    found = attribute(network, [x], "integrated_gradients", "second")
    change = network.answer(x)[:, 1] - network.answer(torch.zeros(3, 4))[:, 1]
    assert torch.allclose(found.inputs[0].sum(dim=1), change, rtol=0.06, atol=2e-3)


def test_a_linear_network_is_attributed_exactly_and_what_is_unused_gets_nothing() -> None:
    layer = nn.Linear(3, 2, bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[2.0, -1.0, 0.0], [0.0, 0.0, 1.0]]))
    network, x = network_of(layer, 3), torch.tensor([[1.0, 3.0, 5.0]])
    shares = attribute(network, [x], "integrated_gradients", 0).inputs[0]
    assert torch.allclose(shares, torch.tensor([[2.0, -3.0, 0.0]]), atol=1e-5)
    assert torch.allclose(attribute(network, [x], "saliency", 0).inputs[0], torch.tensor([[2.0, 1.0, 0.0]]))
    assert attribute(network, [x], "saliency").target.tolist() == [1]


def test_wrong_targets_methods_and_layers_are_refused() -> None:
    network, x = network_of(nn.Linear(3, 2), 3), torch.zeros(1, 3)
    for options, said in (
        ({"target": "third"}, "output of test 'third' is not one of first, second"),
        ({"target": 7}, "has outputs 0 to 1, got 7"),
        ({"target": (1, 2)}, r"answers \(2,\): there is no output \(1, 2\)"),
        ({"method": "magic"}, "method 'magic' is not one of saliency"),
        ({"method": "grad_cam"}, "test has no convolutions"),
    ):
        with pytest.raises(InputError, match=said):
            attribute(network, [x], **options)  # type: ignore[arg-type]


def test_a_probe_finds_what_is_there_and_nothing_else() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 30))
    there = features[:, :1] - 2.0 * features[:, 5:6] + 0.01 * rng.normal(size=(200, 1))
    assert predictability(features, there).r2 > 0.95
    assert predictability(features, rng.normal(size=(200, 1))).r2 < 0.1
    # More features than samples: the same by the dual form.
    assert predictability(np.tile(features, 10), there).r2 > 0.95
    with pytest.raises(InputError, match="a probe needs 20 inputs or more, got 5"):
        predictability(features[:5], there[:5])
    with pytest.raises(InputError, match="the same in all inputs"):
        predictability(features, np.ones((200, 1)))


def test_principal_components_keep_distances_in_a_plane() -> None:
    rng = np.random.default_rng(1)
    plane = rng.normal(size=(40, 2))
    lifted = plane @ np.linalg.qr(rng.normal(size=(7, 2)))[0].T
    places, shares = principal_components(lifted)
    assert np.allclose(np.linalg.norm(places[0] - places, axis=1), np.linalg.norm(plane[0] - plane, axis=1), atol=1e-9)
    assert shares.sum() == pytest.approx(1.0)
    assert features_of(torch.rand(3, 5, 20, 20)).shape == (3, 5 * 8 * 8)
    with pytest.raises(InputError, match="clusters need three inputs or more"):
        project(lifted[:2])


@pytest.mark.slow
def test_tsne_keeps_two_clusters_apart() -> None:
    pytest.importorskip("sklearn", reason="t-SNE is scikit-learn's")
    rng = np.random.default_rng(2)
    features = np.concatenate([rng.normal(size=(20, 5)), 30.0 + rng.normal(size=(20, 5))])
    places = project(features, "tsne")
    apart = np.linalg.norm(places[:20].mean(axis=0) - places[20:].mean(axis=0))
    assert apart > places[:20].std(axis=0).max()
