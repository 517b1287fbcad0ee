"""NetworkAnalyzer on any torch module and on the shipped networks: names, pictures, files, refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="looking into networks needs the extra learn")
pytest.importorskip("captum", reason="looking into networks needs the extra lab")

import torch
from torch import nn

from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError
from dofbot_ros.lab.analysis.analyzer import NetworkAnalyzer
from dofbot_ros.lab.analysis.delivery import free_path
from dofbot_ros.lab.analysis.network import InputSpec

RNG = np.random.default_rng(0)
PICTURE = RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)


@pytest.fixture
def plain() -> NetworkAnalyzer:
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(4, 6, 3, padding=1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(6, 2),
    )
    return NetworkAnalyzer(module, "return", inputs=[InputSpec("x", (3, 16, 16), (0.0,), (1.0,))])


def test_layers_are_listed_by_kind_and_with_their_features(plain: NetworkAnalyzer) -> None:
    assert plain.list_layer_names() == ["0", "1", "2", "3", "4", "5"]
    assert plain.list_convolutional_layer_names() == ["0", "2"]
    assert plain.list_non_convolutional_layer_names() == ["1", "3", "4", "5"]
    assert [plain.numb_features_in_layer(name) for name in "0125"] == [4, 4, 6, 2]
    assert isinstance(plain.get_layer_by_name("5"), nn.Linear)
    assert "Linear" in plain.summary()


def test_a_network_that_answers_a_dataclass_has_a_summary_too() -> None:
    path = share_file("models", "policy", "pick_pipeline", "pose.safetensors")
    analyzer = NetworkAnalyzer.from_saved_model(path, "return")
    text = analyzer.summary()
    assert "closeup.layers.8" in text
    total = sum(one.numel() for one in analyzer.torch_network("a test").module.parameters())
    assert text.endswith(f"{total:,} parameters")


def test_an_unknown_layer_is_named_with_the_nearest() -> None:
    analyzer = NetworkAnalyzer.from_saved_model(share_file("models", "grasp"), "return")
    with pytest.raises(InputError, match=r"did you mean features\.3\.block"):
        analyzer.get_layer_by_name("features.3.blok")


def test_weights_are_pictures_of_one_or_three_channels_only(plain: NetworkAnalyzer) -> None:
    assert plain.visualize_layer_weights("0").shape == (4, 3, 3, 3)
    with pytest.raises(InputError, match="has 4 input channels: weights are pictures where there are 1 or 3"):
        plain.visualize_layer_weights("2")
    with pytest.raises(InputError, match="only those of 2-D convolutions"):
        plain.visualize_layer_weights("5")


def test_activations_are_those_of_the_module(plain: NetworkAnalyzer) -> None:
    given = torch.rand(2, 3, 16, 16)
    module = plain.get_layer_by_name("0")
    for style in ("gray", "heat", "plot"):
        found = plain.visualize_activation_map("0", given, style)
        assert np.allclose(found, module(given).detach().numpy(), atol=1e-6)
    with pytest.raises(InputError, match="did you mean gray"):
        plain.visualize_activation_map("0", given, "grey")  # type: ignore[arg-type]


def test_maximised_activations_rise_and_keep_to_the_bounds(plain: NetworkAnalyzer) -> None:
    found = plain.visualize_max_filter_respondence("2", [0, 3, 5], 15)
    assert found.rose.all()
    assert float(found.inputs.min()) >= 0.0
    assert float(found.inputs.max()) <= 1.0
    again = plain.visualize_max_filter_respondence("2", [0, 3, 5], 15)
    assert torch.equal(found.inputs, again.inputs)
    with pytest.raises(InputError, match="has features 0 to 5, got \\[9\\]"):
        plain.visualize_max_filter_respondence("2", [9], 5)


def test_a_dead_feature_is_said_to_be_one() -> None:
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU())
    nn.init.constant_(module[0].bias, -100.0)
    analyzer = NetworkAnalyzer(module, "return", inputs=[InputSpec("x", (1, 8, 8), (0.0,), (1.0,))])
    with pytest.raises(InputError, match=r"features \[0, 1\] in layer 1 .* did not rise"):
        analyzer.visualize_max_filter_respondence("1", [0, 1], 3)


@pytest.mark.slow
def test_files_have_descriptive_names_and_none_is_overwritten(plain: NetworkAnalyzer, tmp_path: Path) -> None:
    analyzer = NetworkAnalyzer(plain.network, "save", folder=tmp_path)
    first, second = analyzer.visualize_layer_weights("0"), analyzer.visualize_layer_weights("0")
    assert (first.name, second.name) == ("network_0_weights.png", "network_0_weights_2.png")
    assert all(path.stat().st_size > 500 for path in (first, second, analyzer.plot_model()))
    assert free_path(tmp_path, "a b/../c", 3).parent == tmp_path
    with pytest.raises(InputError, match="did you mean save"):
        NetworkAnalyzer(plain.network, "safe", folder=tmp_path)  # type: ignore[arg-type]


@pytest.mark.slow
def test_the_grasp_network_is_attributed_and_shown(tmp_path: Path) -> None:
    analyzer = NetworkAnalyzer.from_saved_model(share_file("models", "grasp"), "save", folder=tmp_path)
    assert analyzer.attribute(PICTURE, "grad_cam", (3, 20, 30)).name == "grasp_model_grad_cam_3-20-30.png"
    assert analyzer.obtain_saliency_map(PICTURE).exists()
    returned = NetworkAnalyzer(analyzer.network, "return").attribute(PICTURE, "integrated_gradients")
    assert returned.inputs[0].shape == (1, 3, 64, 64)
    assert returned.error <= 0.05


def test_pictures_are_read_from_files_and_wrong_ones_refused(tmp_path: Path) -> None:
    import cv2

    cv2.imwrite(str(tmp_path / "view.png"), PICTURE[..., ::-1])
    grasp = NetworkAnalyzer.from_saved_model(share_file("models", "grasp"), "return")
    from_file = grasp.visualize_activation_map("features.0.0", tmp_path / "view.png")
    assert np.array_equal(from_file, grasp.visualize_activation_map("features.0.0", PICTURE))
    (tmp_path / "no.png").write_text("nothing")
    with pytest.raises(InputError, match=r"no\.png is no picture that OpenCV reads"):
        grasp.visualize_activation_map("features.0.0", tmp_path / "no.png")
    policy = NetworkAnalyzer.from_saved_model(share_file("models", "policy", "reach_state"), "return")
    with pytest.raises(InputError, match=r"takes observation \(28,\), no picture"):
        policy.visualize_activation_map("layers.0", PICTURE)
    with pytest.raises(InputError, match=r"takes observation \(n, 28\); got \(1, 5\)"):
        policy.visualize_activation_map("layers.0", torch.zeros(1, 5))


def test_an_onnx_file_has_activations_and_refuses_gradients() -> None:
    path = share_file("models", "grasp", "model.onnx")
    onnx_file = NetworkAnalyzer.from_saved_model(path, "return")
    torch_file = NetworkAnalyzer.from_saved_model(path.with_suffix(".safetensors"), "return")
    layer = onnx_file.list_convolutional_layer_names()[-1]
    given = RNG.normal(size=(1, 3, 64, 64)).astype(np.float32)
    mine = onnx_file.visualize_activation_map(layer, given)
    theirs = torch_file.visualize_activation_map("leave.0", given)
    assert np.allclose(mine, theirs, atol=1e-2 * np.abs(theirs).max())
    assert onnx_file.numb_features_in_layer(layer) == 32
    assert "ReLU" not in onnx_file.list_non_convolutional_layer_names()
    for call in (
        lambda: onnx_file.attribute(PICTURE),
        lambda: onnx_file.visualize_max_filter_respondence(layer, [0]),
        lambda: onnx_file.cluster_inputs(layer, given),
    ):
        with pytest.raises(
            InputError, match=r"needs gradients, which an ONNX file does not have: analyse .*model\.safe"
        ):
            call()
