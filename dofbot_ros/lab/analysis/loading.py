"""Opens trained networks for analysis: runs, rankers, policies, safetensors and stable-baselines3 checkpoints."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path
from typing import Any

from torch import Tensor

from dofbot_ros.core.model_files import MAX_MODEL, first_words, load_safetensors, load_tensors
from dofbot_ros.errors import InputError
from dofbot_ros.grasp.detection.crop import CHANNELS, CONTRAST, SIZE
from dofbot_ros.grasp.detection.model_io import RANKER_WEIGHTS, WEIGHTS, load_ranker, load_weights
from dofbot_ros.grasp.detection.normalise import MEAN, STD
from dofbot_ros.lab.analysis.network import InputSpec, Network
from dofbot_ros.lab.imitation.imitator import load_network as load_hand
from dofbot_ros.lab.imitation.network import ImitationNetwork
from dofbot_ros.lab.imitation.silhouette import SIZE as HAND_PX
from dofbot_ros.lab.imitation.train import WEIGHTS as HAND_WEIGHTS
from dofbot_ros.policy.interface.observation import CLIP
from dofbot_ros.policy.interface.spec import SPEC, PolicySpec, load_spec
from dofbot_ros.policy.learning.torch_policy import MlpPolicy, load_torch_policy, mlp_of
from dofbot_ros.policy.perception.keypoint_network import PoseNetwork
from dofbot_ros.policy.perception.keypoints import KEYPOINTS
from dofbot_ros.policy.perception.pixels import WIDTH, rows

POLICY_WEIGHTS, CHECKPOINT = "policy.safetensors", "checkpoint.zip"


def load_network(path: Path) -> Network:
    """The network of a run's folder or of a file.

    Args:
        path: a folder of `dofbot grasp train`, `dofbot policy train` or `dofbot imitate train`; a .safetensors file of
            one of them; or a .zip that stable-baselines3 saved.

    Raises:
        InputError: no network that is known here.
    """
    if not path.exists():
        raise InputError(f"{path} does not exist: a run's folder, a .safetensors, an .onnx or a .zip is expected")
    if path.is_dir():
        path = _in_folder(path)
    if path.suffix == ".zip":
        return _from_sb3(path)
    if path.suffix != ".safetensors":
        raise InputError(
            f"{path} is no network that can be analysed: a run's folder, .safetensors, .onnx or a .zip of "
            "stable-baselines3 is expected"
        )
    _, texts = load_safetensors(path, "network")
    if "info" in texts:
        return _grasp(path)
    if "config" in texts:
        return _ranker(path)
    if "network" in texts:
        return _policy(load_torch_policy(path), path)
    if "dof" in texts:
        return _hand(path)
    raise InputError(f"{path} does not say whose weights it holds: give the module itself to NetworkAnalyzer")


def _in_folder(folder: Path) -> Path:
    for name in (WEIGHTS, POLICY_WEIGHTS, RANKER_WEIGHTS, HAND_WEIGHTS, CHECKPOINT):
        if (folder / name).exists():
            return folder / name
    if (folder / "policy.onnx").exists():
        raise InputError(f"{folder} has no {POLICY_WEIGHTS}: `dofbot policy weights {folder}` writes it")
    raise InputError(
        f"{folder} holds neither {WEIGHTS}, {POLICY_WEIGHTS}, {RANKER_WEIGHTS}, {HAND_WEIGHTS} nor {CHECKPOINT}"
    )


def _title(path: Path) -> str:
    return f"{path.parent.name}_{path.stem}" if path.parent.name else path.stem


def _grasp(path: Path) -> Network:
    network, info = load_weights(path)
    low = tuple(-mean / std for mean, std in zip(MEAN, STD, strict=True))
    high = tuple((1.0 - mean) / std for mean, std in zip(MEAN, STD, strict=True))
    view = InputSpec("view", (3, info.view.size, info.view.size), low, high, multiple=16)
    return Network(_title(path), "grasp", network, (view,), origin=info)


def _ranker(path: Path) -> Network:
    # Colours are told as differences to the table's; the arm's bearing is the same in every pixel.
    colour = 255.0 / CONTRAST
    low, high = (-colour,) * 3 + (-1.0,) * 3, (colour,) * 3 + (1.0,) * 3
    shown = InputSpec("close_ups", (CHANNELS, SIZE, SIZE), low, high, planes=(3, 4, 5), multiple=SIZE)
    return Network(_title(path), "ranker", load_ranker(path), (shown,), ("logit",))


def _hand(path: Path) -> Network:
    model, network = load_hand(path)
    if not isinstance(network, ImitationNetwork):
        raise InputError(
            f"{path} is of soft actor-critic, which acts in steps: a run of `imitate train --method network` is needed"
        )
    silhouette = InputSpec("silhouette", (1, HAND_PX, HAND_PX), (0.0,), (1.0,), multiple=HAND_PX)
    return Network(_title(path), "hand", network, (silhouette,), tuple(f"{name} [rad]" for name in model.names), model)


def _policy(network: MlpPolicy | PoseNetwork, path: Path) -> Network:
    if isinstance(network, PoseNetwork):
        picture = InputSpec("image", (3, rows(WIDTH), WIDTH), (0.0,) * 3, (255.0,) * 3, multiple=8)
        pixels = [f"{name} {axis} [px]" for name in KEYPOINTS for axis in "uv"]
        spread = [f"{name} spread [px]" for name in KEYPOINTS]
        outputs = (*pixels, "cos 4 yaw", "sin 4 yaw", "shown", *spread)
        return Network(_title(path), "pose", network, (picture,), outputs)
    spec = load_spec(path.parent) if (path.parent / SPEC).exists() else None
    return _mlp(network, spec, path)


def _mlp(network: MlpPolicy, spec: PolicySpec | None, path: Path) -> Network:
    size, actions = network.shape
    names: tuple[str, ...] = ()
    outputs = tuple(f"action {k}" for k in range(actions))
    if spec is not None:
        goals = [f"{what} {k}" for what in ("achieved goal", "desired goal") for k in range(spec.goal_size)]
        names, outputs = (*goals, *_names(spec)), _actions(spec)
        if len(names) != size or len(outputs) != actions:
            raise InputError(f"{path} takes {size} numbers where {SPEC} beside it describes {len(names)}")
    given = InputSpec("observation", (size,), (-CLIP,), (CLIP,), names=names)
    return Network(_title(path), "mlp", network, (given,), outputs, spec)


def _names(spec: PolicySpec) -> tuple[str, ...]:
    """A name for every number of the observation."""
    found = [
        entry.name if entry.size == 1 else f"{entry.name} {k + 1}"
        for entry in spec.observation
        for k in range(entry.size)
    ]
    return tuple(found)


def _actions(spec: PolicySpec) -> tuple[str, ...]:
    return tuple(entry.name for entry in spec.action)


def _from_sb3(path: Path) -> Network:
    """The acting network of a checkpoint whose policy is an MLP; its tensors are read, nothing in it is run."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("policy.pth").file_size > MAX_MODEL:
                raise InputError(f"{path} is no checkpoint: its policy is longer than {MAX_MODEL // 2**20} MB")
            state: Any = load_tensors(io.BytesIO(archive.read("policy.pth")), f"policy.pth in {path}")
            told: Any = json.loads(archive.read("data"))
    except (OSError, KeyError, ValueError, RecursionError, zipfile.BadZipFile, zlib.error) as error:
        raise InputError(f"{path} is no checkpoint of stable-baselines3: {first_words(error)}") from error
    names = [name for name in state if name.endswith("weight")]
    if any("features_extractor" in name for name in names):
        raise InputError(f"{path} has an extractor of pictures: only policies of linear layers are read from a .zip")
    fresh = any(name.startswith("action_net") for name in names)
    chain = ("mlp_extractor.policy_net.", "action_net.") if fresh else ("actor.latent_pi.", "actor.mu.")
    chosen = [name.removesuffix("weight") for start in chain for name in names if name.startswith(start)]
    if not chosen:
        raise InputError(f"{path} has no acting network of linear layers: PPO's, SAC's or TQC's is expected")
    weights: list[Tensor] = [state[f"{name}weight"] for name in chosen]
    biases: list[Tensor] = [state[f"{name}bias"] for name in chosen]
    # Unless it was told another, stable-baselines3 gives PPO tanh units and clamps its actions, and the others ReLU.
    options = told.get("policy_kwargs", {}) if isinstance(told, dict) else {}
    named = str(options.get("activation_fn", "")) if isinstance(options, dict) else ""
    tanh = "Tanh" in named if named else fresh
    policy = mlp_of(weights, biases, "tanh" if tanh else "relu", "clamp" if fresh else "tanh")
    spec = load_spec(path.parent) if (path.parent / SPEC).exists() else None
    return _mlp(policy, spec, path)
