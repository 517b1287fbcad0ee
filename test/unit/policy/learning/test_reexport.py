"""A policy that is written anew acts as before; image policies of earlier versions are refused, and brought over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml
from command_line import CliRunner

pytest.importorskip("torch", reason="exporting policies needs the extra learn")

from safetensors.torch import load_file

from dofbot_ros.cli.main import app
from dofbot_ros.core.model_files import save_safetensors
from dofbot_ros.errors import DofbotError, InputError
from dofbot_ros.lab.analysis.loading import load_network
from dofbot_ros.policy.learning.reexport import export_again
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner, shipped

IMAGE, NONE = shipped("pick", "image"), shipped("pick", "image_none")


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped image policy in its earlier form: one network of arm, goal, image and memory."""
    folder = tmp_path_factory.mktemp("earlier")
    parts = {"head": "policy", "network": "pose"}
    state = {
        f"{part}.{name}": one
        for part, file in parts.items()
        for name, one in load_file(IMAGE / f"{file}.safetensors").items()
    }
    save_safetensors(state, folder / "policy.safetensors", {"network": json.dumps({"kind": "image"})})
    spec = yaml.safe_load((IMAGE / "policy.yaml").read_text())
    spec |= {"inputs": ["arm", "goal", "image", "memory"], "stack": 1, "memory": 17}
    spec["observation"] = spec["observation"][:-4]
    (folder / "policy.yaml").write_text(yaml.safe_dump(spec))
    (folder / "policy.onnx").write_bytes(b"never opened")
    return folder


def acts_alike(one: Path, other: Path) -> None:
    mine, theirs = PolicyRunner(one), PolicyRunner(other)
    assert mine.spec == theirs.spec
    rng = np.random.default_rng(0)
    for _ in range(5):
        seen = {name: rng.normal(size=1).astype(np.float32) for name in ("achieved_goal", "desired_goal")}
        seen["observation"] = rng.normal(size=31).astype(np.float32)
        assert np.abs(mine.act(seen) - theirs.act(seen)).max() < 1e-5


@pytest.mark.parametrize("name", ["state", "pipeline", "image"])
def test_a_shipped_policy_written_anew_acts_as_before(name: str, tmp_path: Path) -> None:
    folder = shipped("pick", name)
    export_again(folder, tmp_path / "new")
    acts_alike(folder, tmp_path / "new")
    for file in ("pose.onnx", "pose.yaml", "pose.safetensors"):
        assert (folder / file).exists() == (tmp_path / "new" / file).exists()
    if name != "state":
        assert (folder / "pose.onnx").read_bytes() == (tmp_path / "new" / "pose.onnx").read_bytes()


def test_a_policy_is_put_behind_another_pose_network(tmp_path: Path) -> None:
    export_again(IMAGE, tmp_path / "new", NONE)
    acts_alike(IMAGE, tmp_path / "new")
    for file in ("pose.onnx", "pose.yaml"):
        assert (tmp_path / "new" / file).read_bytes() == (NONE / file).read_bytes() != (IMAGE / file).read_bytes()


def test_an_earlier_image_policy_becomes_what_is_shipped(earlier: Path, tmp_path: Path) -> None:
    words = ["policy", "export", str(earlier), "--network", str(IMAGE), "--out", str(tmp_path / "new"), "--json"]
    done = CliRunner().invoke(app, words)
    assert json.loads(done.stdout) == {name: str(tmp_path / "new" / f"{name}.onnx") for name in ("policy", "pose")}
    acts_alike(IMAGE, tmp_path / "new")


def test_an_earlier_form_is_refused_in_one_line_that_says_what_to_do(earlier: Path, tmp_path: Path) -> None:
    for opened in (PolicyRunner, load_network):
        with pytest.raises(InputError, match="of an earlier version: `dofbot policy export FOLDER --network POSE"):
            opened(earlier)
    for folder, out, network, says in (
        (earlier, "new", None, "give its pose network with --network"),
        (earlier, "new", NONE, "was taught with another pose network than that in"),
        (earlier, "new", tmp_path, r"pose\.safetensors is no pose network"),
        (shipped("pick", "state"), "new", NONE, "--network is for policies that see pictures"),
        (tmp_path, "new", None, r"policy\.yaml does not exist"),
    ):
        with pytest.raises(DofbotError, match=says):
            export_again(folder, tmp_path / out, network)
        assert not (tmp_path / out).exists()
    shutil.copytree(shipped("reach", "state"), tmp_path / "mixed")
    shutil.copy(IMAGE / "policy.safetensors", tmp_path / "mixed")
    with pytest.raises(InputError, match=r"takes 33 numbers and gives 5, policy\.yaml says 28 and 3"):
        export_again(tmp_path / "mixed", tmp_path / "new")
    with pytest.raises(InputError, match="is not empty: take another --out"):
        export_again(IMAGE, tmp_path)
