"""`dofbot analyze` as people and machines call it: one object on stdout, pictures in --out, one line for mistakes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import CliRunner

pytest.importorskip("captum", reason="looking into networks needs the extra lab")

from dofbot_ros.cli.main import app
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import InputError

GRASP = str(share_file("models", "grasp"))
REACH = str(share_file("models", "policy", "reach_state"))


def run(*words: str) -> dict[str, Any]:
    """What a command prints with --json."""
    done = CliRunner().invoke(app, ["analyze", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    told: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return told


@pytest.mark.slow
def test_layers_of_a_network_and_of_an_onnx_file(tmp_path: Path) -> None:
    found = run("layers", GRASP, "--out", str(tmp_path))
    assert found["layers"]["features.0.0"] == "convolution"
    assert Path(found["picture"]).exists()
    assert len(run("layers", f"{GRASP}/model.onnx")["layers"]) > 50


@pytest.mark.slow
def test_a_policy_is_attributed_maximised_clustered_and_probed(tmp_path: Path) -> None:
    out = ("--out", str(tmp_path))
    assert Path(run("attribute", REACH, "--target", "all", "--samples", "8", *out)["picture"]).stat().st_size > 5000
    assert run("maximize", REACH, "--layer", "layers.2", "--features", "1,5", "--steps", "5", *out)["features"] == [
        1,
        5,
    ]
    assert (
        run("cluster", REACH, "--layer", "layers.2", "--quantity", "joint1", "--samples", "30", *out)["samples"] == 30
    )
    probed = run("predict", REACH, "--quantity", "tool height", "--samples", "120", *out)
    assert set(probed["layers"]) == {"input", "layers.0", "layers.2", "layers.4"}
    # The height is one of the observation's numbers.
    assert probed["layers"]["input"]["r2"] > 0.95
    assert len(list(tmp_path.glob("*.png"))) == 4


def test_grad_cam_of_the_grasp_that_the_planner_chooses(tmp_path: Path) -> None:
    told = run("attribute", GRASP, "--method", "grad_cam", "--target", "chosen", "--out", str(tmp_path))
    assert Path(told["picture"]).name.startswith("grasp_model_grad_cam_")


def test_a_network_is_watched_and_pruned(tmp_path: Path) -> None:
    film = run("live", "--data", "xor", "--layers", "2,5,5,5,5,1", "--frames", "10", "--out", str(tmp_path / "a.gif"))
    assert film["right"] == 1.0
    assert film["bytes"] == (tmp_path / "a.gif").stat().st_size
    pruned = run(
        "prune", "--layers", "2,12,1", "--rounds", "1", "--steps", "20", "--seeds", "2", "--out", str(tmp_path)
    )
    assert len(pruned["left"]) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("live", "--data", "xor"), "say where to watch: --out F.gif"),
        (("live", "--layers", "2,x", "--out", "a.gif"), "--layers are whole numbers with commas"),
        (("live", "--out", "a.mp4"), "--out ends in .gif or .html"),
        (("live", "--sample", "99", "--out", "a.gif"), "--sample is one of the 24 that are watched"),
        (("maximize", REACH, "--layer", "layers.0", "--features", "a"), "features are numbers with commas"),
        (("weights", "nowhere.safetensors", "--layer", "a"), "nowhere.safetensors does not exist"),
        (("attribute", REACH, "--target", "chosen"), "a grasp is chosen from a grasp network's map"),
        (("activations", f"{GRASP}/model.onnx", "--layer", "a"), "give it a picture or a .npz with --image"),
    ],
)
def test_mistakes_are_one_line(words: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        CliRunner().invoke(app, ["analyze", *words], catch_exceptions=False)
    assert "\n" not in str(raised.value)
