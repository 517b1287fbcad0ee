"""Real inputs of the package's own networks, drawn from the simulation, with what is true in each of them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dofbot_ros.errors import InputError, UsageError, one_of
from dofbot_ros.grasp.detection.crop import close_ups
from dofbot_ros.grasp.detection.model_io import load_model
from dofbot_ros.grasp.detection.normalise import network_input
from dofbot_ros.grasp.detection.planner import NetworkPlanner
from dofbot_ros.grasp.detection.view import TopDownView
from dofbot_ros.grasp.simulation.families import families_of
from dofbot_ros.grasp.simulation.scenes import SceneMaker, SceneRules
from dofbot_ros.lab.analysis.network import Network
from dofbot_ros.lab.imitation.evaluate import generated_targets
from dofbot_ros.lab.imitation.hand import FINGERS, Hand
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.perception.keypoint_data import render_data
from dofbot_ros.policy.perception.keypoints import BLOCK
from dofbot_ros.sim.randomization import load_level

Report = Callable[[int, int], None]
"""Told how many samples are done, of how many."""

LEVEL = "wide"
"""Of the worlds that pictures and episodes are drawn from."""

OBJECTS = "train"
"""Families of the objects that grasp networks are shown."""


@dataclass(frozen=True, eq=False)
class Samples:
    """Inputs of a network and the truth behind them.

    Attributes:
        inputs: one tensor an input of the network, (n, ...).
        truths: quantities by name, (n, k) each; angles as cosine and sine.
        pictures: what people look at, RGB (n, rows, columns, 3) uint8; None where the input is no picture.
    """

    inputs: tuple[Tensor, ...]
    truths: dict[str, NDArray[np.float64]]
    pictures: NDArray[np.uint8] | None

    def __len__(self) -> int:
        return len(self.inputs[0])

    def quantity(self, name: str) -> NDArray[np.float64]:
        """A quantity (n, k).

        Raises:
            UsageError: there is none of this name.
        """
        if name not in self.truths:
            raise UsageError(one_of("quantity", name, self.truths))
        return self.truths[name]


def real_samples(
    network: Network, count: int, seed: int, *, objects: str = OBJECTS, report: Report | None = None
) -> Samples:
    """Draw `count` inputs of a network of this package; the same seed, the same inputs.

    Args:
        network: whose inputs.
        count: how many.
        seed: of everything that is drawn.
        objects: families on the table, for grasp networks.
        report: told how far it is.

    Raises:
        InputError: a network that is none of this package's: its inputs cannot be drawn.
    """
    tell = report or _silent
    if network.kind == "grasp":
        return _views(network.origin.view, count, seed, objects, tell)
    if network.kind == "ranker":
        return _close_ups(count, seed, objects, tell)
    if network.kind == "pose":
        return _pictures(count, seed, tell)
    if network.kind == "hand":
        return _silhouettes(network.origin, count, seed, tell)
    if network.origin is not None:
        return _episodes(network, count, seed, tell)
    raise InputError(f"inputs of {network.name} cannot be drawn from the simulation: give them")


def _silent(_done: int, _of: int) -> None:
    """Tell nobody."""


def _scenes(view: TopDownView, seed: int, objects: str) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float64]]]:
    """Views without end, and the pose of the object in each, (4, 4)."""
    maker = SceneMaker(families_of(objects), SceneRules(view=view))
    try:
        for number in range(10**9):
            scene = maker.make(int(np.random.SeedSequence([seed, number]).generate_state(1)[0]))
            yield scene.image, next(iter(maker.poses(scene).values()))
    finally:
        maker.close()


def _views(view: TopDownView, count: int, seed: int, objects: str, tell: Report) -> Samples:
    images, poses = [], []
    scenes = _scenes(view, seed, objects)
    for image, pose in scenes:
        images.append(image)
        poses.append(pose)
        tell(len(images), count)
        if len(images) == count:
            break
    scenes.close()  # type: ignore[attr-defined]
    pictures, where = np.array(images), np.array(poses)
    yaw = 4.0 * np.arctan2(where[:, 1, 0], where[:, 0, 0])
    truths = {
        "x": where[:, 0, 3:],
        "y": where[:, 1, 3:],
        "height": where[:, 2, 3:],
        "yaw": np.column_stack([np.cos(yaw), np.sin(yaw)]),
    }
    return Samples((torch.from_numpy(network_input(pictures)),), truths, pictures)


def _close_ups(count: int, seed: int, objects: str, tell: Report) -> Samples:
    model = load_model()
    planner, view = NetworkPlanner(model), model.info.view
    shown: list[NDArray[np.float32]] = []
    peaks: list[float] = []
    scenes = _scenes(view, seed, objects)
    for image, _ in scenes:
        found = planner.peaks(planner.score(image), view)[: count - len(peaks)]
        shown.append(close_ups(image, view, [one.pinch for one in found]))
        peaks += [one.peak for one in found]
        tell(len(peaks), count)
        if len(peaks) >= count:
            break
    scenes.close()  # type: ignore[attr-defined]
    pieces = np.concatenate(shown)
    bearing = pieces[:, 3:, 0, 0].astype(np.float64)
    truths = {"arm": bearing[:, :2], "radius": bearing[:, 2:], "map": np.array(peaks)[:, None]}
    pictures = np.clip(128.0 + 127.0 * pieces[:, :3].transpose(0, 2, 3, 1) / 3.0, 0, 255).astype(np.uint8)
    return Samples((torch.from_numpy(pieces),), truths, pictures)


def _pictures(count: int, seed: int, tell: Report) -> Samples:
    data = render_data(load_level(LEVEL), count, [seed], report=lambda done: tell(done, count))
    yaw = 4.0 * data.yaw.astype(np.float64)
    truths = {
        "x": data.place[:, :1].astype(np.float64),
        "y": data.place[:, 1:2].astype(np.float64),
        "yaw": np.column_stack([np.cos(yaw), np.sin(yaw)]),
        "shown": data.shown[:, None].astype(np.float64),
        "pixel": data.pixels[:, BLOCK].astype(np.float64),
        "joint1": data.joints[:, :1].astype(np.float64),
        "gripper": data.joints[:, 5:].astype(np.float64),
    }
    pictures = torch.from_numpy(data.pictures).permute(0, 3, 1, 2).float()
    return Samples((pictures,), truths, data.pictures)


def _silhouettes(model: Hand, count: int, seed: int, tell: Report) -> Samples:
    angles, shown, _ = generated_targets(model, count, seed)
    bends = dict(zip(FINGERS, model.bend(angles).double().numpy().T, strict=True))
    truths = {name: values[:, None] for name, values in bends.items()}
    for k, name in enumerate(model.names):
        truths[name] = angles[:, k : k + 1].double().numpy()
    tell(count, count)
    pictures = np.where(shown[..., None].expand(-1, -1, -1, 3).numpy(), 255, 0).astype(np.uint8)
    return Samples((shown[:, None].float(),), truths, pictures)


def _episodes(network: Network, count: int, seed: int, tell: Report) -> Samples:
    """What a policy is shown while it acts, episode after episode, and what is true then."""
    spec = network.origin
    # What acts behind a pose network is analysed with the block as localised: its network is given a state either way.
    env = make_env(spec.task, control=spec.control, ranges=LEVEL)
    parts: list[Tensor] = []
    truths: dict[str, list[NDArray[np.float64]]] = {}
    torch.set_num_threads(1)
    try:
        with torch.no_grad():
            for episode in range(count):
                for shown in _episode(env, network, seed + episode):
                    parts.append(shown)
                    for name, value in _truth(env).items():
                        truths.setdefault(name, []).append(value)
                    tell(len(parts), count)
                    if len(parts) == count:
                        break
                if len(parts) == count:
                    break
    finally:
        env.close()
    return Samples((torch.cat(parts),), {name: np.array(values) for name, values in truths.items()}, None)


def _episode(env: DofBotEnv, network: Network, seed: int) -> Iterator[Tensor]:
    observation, _ = env.reset(seed=seed)
    done = False
    while not done:
        shown = torch.cat([torch.from_numpy(observation[name]) for name in network.origin.inputs])[None]
        yield shown
        action = network.module(shown)
        observation, _, _, done, _ = env.step(action[0].numpy())


def _truth(env: DofBotEnv) -> dict[str, NDArray[np.float64]]:
    state = env.sim.state
    found = {
        "joint1": np.array(state.joints[:1]),
        "gap": np.array([state.gap]),
        "tool height": np.array(state.tool[2:]),
    }
    if env.task.block:
        position, yaw = env.sim.true_block()
        found |= {
            "x": np.array(position[:1]),
            "y": np.array(position[1:2]),
            "lifted": np.array(position[2:3]),
            "yaw": np.array([math.cos(4.0 * yaw), math.sin(4.0 * yaw)]),
        }
    return found
