"""The network has torchvision's names, learns what is there to learn, and a resumed run is the run."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest

from ..bar_views import ROTATIONS, bars

torch = pytest.importorskip("torch")

from safetensors.torch import load_file, save_file  # noqa: E402

from dofbot_ros.core.resources import share_file  # noqa: E402
from dofbot_ros.errors import InputError  # noqa: E402
from dofbot_ros.grasp.detection.model_io import OnnxModel, OnnxRanker, load_model, load_weights  # noqa: E402
from dofbot_ros.grasp.detection.network import MobileUNet, load_backbone  # noqa: E402
from dofbot_ros.grasp.detection.network_config import NetworkConfig  # noqa: E402
from dofbot_ros.grasp.detection.normalise import network_input  # noqa: E402
from dofbot_ros.grasp.detection.planner import NetworkPlanner  # noqa: E402
from dofbot_ros.grasp.learning.augment import AugmentConfig  # noqa: E402
from dofbot_ros.grasp.learning.loss import grasp_loss  # noqa: E402
from dofbot_ros.grasp.learning.run import Epoch, TrainingRun  # noqa: E402
from dofbot_ros.grasp.learning.train import TrainConfig, Trainer  # noqa: E402

SMALL = TrainConfig(
    NetworkConfig(rotations=ROTATIONS, width=16), AugmentConfig(shift=2), epochs=2, batch=16, failure_weight=1.0
)

# Of torchvision's mobilenet_v3_small, as its model file names and shapes them.
TORCHVISION = {
    "features.0.0.weight": (16, 3, 3, 3),
    "features.0.1.running_var": (16,),
    "features.1.block.0.0.weight": (16, 1, 3, 3),
    "features.1.block.1.fc1.weight": (8, 16, 1, 1),
    "features.1.block.1.fc2.bias": (16,),
    "features.1.block.2.0.weight": (16, 16, 1, 1),
    "features.2.block.0.0.weight": (72, 16, 1, 1),
    "features.2.block.2.0.weight": (24, 72, 1, 1),
    "features.3.block.1.0.weight": (88, 1, 3, 3),
    "features.3.block.2.1.bias": (24,),
    "features.4.block.1.0.weight": (96, 1, 5, 5),
    "features.4.block.2.fc1.weight": (24, 96, 1, 1),
    "features.4.block.3.0.weight": (40, 96, 1, 1),
    "features.5.block.0.0.weight": (240, 40, 1, 1),
    "features.5.block.2.fc1.weight": (64, 240, 1, 1),
    "features.6.block.3.0.weight": (40, 240, 1, 1),
}


def test_the_front_has_torchvisions_names_and_shapes() -> None:
    state = MobileUNet().state_dict()
    assert {name: tuple(state[name].shape) for name in TORCHVISION if name in state} == TORCHVISION


def test_backbone_weights_load_and_others_are_refused(tmp_path: Path) -> None:
    torch.manual_seed(1)
    source = MobileUNet(NetworkConfig(rotations=3))
    state = {name: value for name, value in source.state_dict().items() if name.startswith("features.")}
    # A whole mobilenet_v3_small has more layers than the backbone takes.
    save_file({**state, "classifier.3.bias": torch.zeros(1000)}, tmp_path / "backbone.safetensors")
    network = MobileUNet(NetworkConfig(rotations=5))
    load_backbone(network, tmp_path / "backbone.safetensors")
    for name, value in state.items():
        assert torch.equal(network.state_dict()[name], value), name
    save_file({"conv1.weight": torch.zeros(3)}, tmp_path / "resnet.safetensors")
    with pytest.raises(InputError, match="mobilenet_v3_small are expected"):
        load_backbone(network, tmp_path / "resnet.safetensors")
    (tmp_path / "x.pth").write_bytes(b"nothing")
    with pytest.raises(InputError, match="holds more than tensors"):
        load_backbone(network, tmp_path / "x.pth")


SHAPES = NetworkConfig(rotations=6), NetworkConfig(rotations=6, fine=False, edges=False, refine=0)


@pytest.mark.parametrize("config", SHAPES)
@pytest.mark.parametrize("size", [32, 64, 96])
def test_one_logit_for_every_rotation_and_pixel(config: NetworkConfig, size: int) -> None:
    network = MobileUNet(config).eval()
    with torch.no_grad():
        assert network(torch.zeros(2, 3, size, size)).shape == (2, 6, size, size)


def test_the_loss_is_the_cross_entropy_of_the_tried_cell() -> None:
    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(3, 2, 8, 8)))
    actions = torch.tensor([[1, 2, 0], [3, 4, 1], [7, 0, 1]])
    held = torch.tensor([True, False, True])
    flat = torch.log_softmax(logits.reshape(3, -1), dim=1)
    expected = -0.5 * (flat[0, 0 * 64 + 1 * 8 + 2] + flat[2, 1 * 64 + 7 * 8 + 0])
    assert float(grasp_loss(logits, actions, held, 0.0, 0.0)) == pytest.approx(float(expected))
    # A failure costs more the surer the network was.
    surer = logits.clone()
    surer[1, 1, 3, 4] += 5.0
    assert grasp_loss(surer, actions, held, 0.0, 1.0) > grasp_loss(logits, actions, held, 0.0, 1.0) + 0.5


@pytest.mark.slow
def test_an_interrupted_run_goes_on_as_if_nothing_had_happened(tmp_path: Path, bar_data: Path) -> None:
    whole = Trainer([bar_data], tmp_path / "whole", SMALL).train()

    def interrupt(line: Epoch) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Trainer([bar_data], tmp_path / "parts", SMALL).train(interrupt)
    with pytest.raises(InputError, match="--resume"):
        Trainer([bar_data], tmp_path / "parts", SMALL)
    resumed = Trainer([bar_data], tmp_path / "parts", SMALL, resume=True).train()
    assert (resumed.epoch, resumed.val_loss) == (whole.epoch, whole.val_loss)
    first, second = (load_file(tmp_path / run / "model.safetensors") for run in ("whole", "parts"))
    for name in first:
        assert torch.equal(first[name], second[name]), name


@pytest.mark.slow
def test_a_finished_run_grows_and_another_setting_is_named(tmp_path: Path, bar_data: Path) -> None:
    short = replace(SMALL, epochs=1)
    Trainer([bar_data], tmp_path / "run", short).train()
    grown = Trainer([bar_data], tmp_path / "run", replace(short, epochs=2), resume=True)
    assert grown.done == 1
    grown.train()
    assert grown.done == 2
    with pytest.raises(InputError, match=rf"seed was {SMALL.seed}, now {SMALL.seed + 1}"):
        Trainer([bar_data], tmp_path / "run", replace(short, seed=SMALL.seed + 1), resume=True)


def test_a_run_leaves_weights_pictures_and_an_onnx_file_that_agrees(tmp_path: Path, bar_data: Path) -> None:
    Trainer([bar_data], tmp_path / "run", SMALL).train()
    pictures = "loss_curves.png", "predictions.png"
    for name in ("model.safetensors", "model.onnx", "metrics.jsonl", "train.yaml", *pictures):
        assert (tmp_path / "run" / name).stat().st_size > 0, name
    assert list((tmp_path / "run" / "tensorboard").iterdir())
    network, info = load_weights(tmp_path / "run" / "model.safetensors")
    model = load_model(tmp_path / "run")
    assert model.info == info
    image = bars(1, 5).images[0]
    with torch.no_grad():
        expected = network(torch.from_numpy(network_input(image[None]))).numpy()
    assert model.logits(image[None]) == pytest.approx(expected, abs=1e-4)
    # Two views at once, and a mirrored view gives the mirrored map.
    score = NetworkPlanner(model).score(image)
    mirrored = NetworkPlanner(model).score(np.ascontiguousarray(image[:, ::-1]))
    assert mirrored[[0, 1], :, ::-1] == pytest.approx(score, abs=1e-3)
    best = NetworkPlanner(model).candidates(image, info.view)
    assert [c.score for c in best] == sorted((c.score for c in best), reverse=True)
    with pytest.raises(InputError, match="32x32"):
        model.logits(np.zeros((1, 64, 64, 3), np.uint8))


@pytest.mark.slow
def test_the_last_weights_are_kept_where_that_is_asked_for(
    bar_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of few grasps the lowest validation loss is that of the first epoch, which has learned nothing."""
    monkeypatch.setattr(TrainingRun, "best", property(lambda run: run.log[0]))
    trainer = Trainer([bar_data], tmp_path / "run", replace(SMALL, last=True))
    assert trainer.train().epoch == SMALL.epochs
    kept, _ = load_weights(tmp_path / "run" / "model.safetensors")
    for name, value in trainer._network.state_dict().items():
        assert torch.equal(kept.state_dict()[name], value), name


@pytest.mark.slow
def test_it_learns_to_close_across_a_bar(tmp_path: Path, bar_data: Path) -> None:
    config = TrainConfig(
        SMALL.network, AugmentConfig(quarter_turns=True, shift=3, colour=0.1, noise=0.0), epochs=30, batch=16
    )
    Trainer([bar_data], tmp_path / "run", config).train()
    model = load_model(tmp_path / "run")
    data = bars(40, 9)
    data = data.take(data.success)
    near = 0
    for image, (row, column, rotation) in zip(data.images, data.actions, strict=True):
        found = np.unravel_index(int((logits := model.logits(image[None])[0]).argmax()), logits.shape)
        near += abs(found[1] - row) <= 3 and abs(found[2] - column) <= 3 and found[0] == rotation
    assert near >= 0.8 * len(data)


def test_what_does_not_go_together_is_refused(tmp_path: Path, bar_data: Path) -> None:
    with pytest.raises(InputError, match="2 rotations, the configuration 8"):
        Trainer([bar_data], tmp_path / "run", TrainConfig())
    with pytest.raises(InputError, match="nothing to resume"):
        Trainer([bar_data], tmp_path / "run", SMALL, resume=True)
    with pytest.raises(InputError, match="cannot be used here"):
        Trainer([bar_data], tmp_path / "run", SMALL, device="cuda:99")


def test_the_shipped_network_is_small_and_knows_its_view() -> None:
    model = load_model()
    folder = share_file("models", "grasp")
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 8 * 2**20
    _, info = load_weights(folder / "model.safetensors")
    assert info == model.info
    assert model.logits(np.zeros((1, 64, 64, 3), np.uint8)).shape == (1, 8, 64, 64)


@pytest.mark.parametrize(
    ("kind", "operator", "says"),
    [("map", "Log", "answers"), ("ranker", "Log", "not finite"), ("ranker", "ReduceSum", "answers")],
)
def test_a_network_that_answers_nonsense_is_refused(tmp_path: Path, kind: str, operator: str, says: str) -> None:
    from onnx import TensorProto, helper, save

    name = "view" if kind == "map" else "close_ups"
    negative = [helper.make_node("Abs", [name], ["some"]), helper.make_node("Neg", ["some"], ["less"])]
    reduced = {"keepdims": 0} if operator == "ReduceSum" else {}
    graph = helper.make_graph(
        [*negative, helper.make_node(operator, ["less"], ["logits"], **reduced)],
        "nonsense",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    entry = model.metadata_props.add()
    entry.key, entry.value = "info", json.dumps(asdict(load_model().info))
    path = tmp_path / "model.onnx"
    save(model, str(path))
    views = np.full((1, 64, 64, 3), 90, np.uint8)
    answer = OnnxModel(path).logits if kind == "map" else lambda _: OnnxRanker(path).logits(np.ones((2,), np.float32))
    with pytest.raises(InputError, match=rf"model\.onnx .*{says}"):
        answer(views)
