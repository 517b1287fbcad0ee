"""Trains hopper policies from pictures by imitation of a policy from state (DAgger), in a run folder.

Ross et al., A Reduction of Imitation Learning and Structured Prediction to No-Regret Online Learning, 2011: the student
acts in ever more of the episodes, the teacher says in each state what it would have done.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from dofbot_ros.config.ranges import Checked, Count
from dofbot_ros.core.model_files import load_state, load_tensors
from dofbot_ros.errors import InputError, one_of
from dofbot_ros.lab.hopper.learning.export import export_actor
from dofbot_ros.lab.hopper.learning.keypoint_network import ExportedKeypoints, KeypointNetwork
from dofbot_ros.lab.hopper.learning.keypoint_train import keypoint_errors_mm, train_keypoints
from dofbot_ros.lab.hopper.learning.learner import StudentLearner
from dofbot_ros.lab.hopper.learning.lessons import Lessons
from dofbot_ros.lab.hopper.learning.pictures import Report, render_pictures
from dofbot_ros.lab.hopper.learning.student_network import (
    FEATURES,
    HISTORY,
    ExportedStudent,
    HistoryStudent,
    KeypointFeatures,
    PictureFeatures,
)
from dofbot_ros.lab.hopper.policy import HopperPolicy
from dofbot_ros.lab.hopper.spec import MEMORY, HopperSpec
from dofbot_ros.lab.hopper.world.keypoint_reader import KEYPOINT_MODEL
from dofbot_ros.lab.hopper.world.randomization import load_hopper_level
from dofbot_ros.policy.interface.spec import commit
from dofbot_ros.training.run_folder import CONFIG, RunFolder, one_core, training_device

CHECKPOINT, NETWORK, PICTURES, SELECTION = "student.pt", "network.pt", "pictures.npz", "selection.jsonl"
KEYPOINT_ERRORS = "keypoints.json"

SELECTED_EPISODES = 48
"""In each measurement of a student; with 16 their mean is off by 200 as often as not."""


@dataclass(frozen=True)
class StudentConfig(Checked):
    """How to train from pictures.

    Attributes:
        obs: pipeline (keypoints from pictures, and a student that learned behind true ones with noise) or image (a
            student that learned behind the network, in rendered lessons; both are one network).
        teacher: folder of the policy from state that is imitated.
        randomize: level of config/hopper.yaml.
        steps: that are played in lessons.
        seed: of networks and worlds.
        network: folder of a run whose keypoint network is taken over; "" to train one.
        pictures: rendered to learn seeing from.
        epochs: times that each is shown.
        envs: episodes side by side.
        round_steps: of each of them between two rounds of learning.
        gradient_steps: in a round.
        checkpoint_rounds: between two checkpoints.
    """

    obs: Literal["pipeline", "image"] = "pipeline"
    teacher: str = ""
    randomize: str = "none"
    steps: Count = 160_000
    seed: int = 0
    network: str = ""
    pictures: Count = 15_000
    epochs: Count = 12
    envs: Count = 16
    round_steps: Count = 250
    gradient_steps: Count = 250
    checkpoint_rounds: Count = 5

    def problems(self) -> Iterator[str]:
        """See Checked.problems."""
        load_hopper_level(self.randomize)
        if not self.teacher:
            yield "a policy from pictures learns from one from state: give its folder with --teacher RUN"

    @property
    def rounds(self) -> int:
        """Of lessons."""
        return -(-self.steps // (self.envs * self.round_steps))


class StudentTrainer:
    """Trains one policy from pictures; everything that it writes is in its run's folder.

    Args:
        config: how.
        run: folder for pictures, networks, checkpoint, and the exported policy.
        device: see training_device.
        resume: go on where `run` stopped; `config` may only ask for more steps.

    Raises:
        InputError: the run already exists, or is not there to go on with; the teacher is no policy from state; the
            device cannot be used.
        DependencyError: mujoco is not installed.
    """

    def __init__(self, config: StudentConfig, run: Path, *, device: str = "cpu", resume: bool = False) -> None:
        self.config, self.run = config, run
        self._folder = RunFolder(run, resume=resume, mark=CONFIG)
        self._folder.require_same(config, ("steps",))
        self._device = training_device(device)
        one_core()
        teacher = HopperPolicy(Path(config.teacher))
        if teacher.spec.obs != "state":
            raise InputError(one_of(f"obs of the teacher {config.teacher}", teacher.spec.obs, ("state",)))
        if config.network and not (run / NETWORK).exists():
            for name in (NETWORK, KEYPOINT_ERRORS):
                if not (Path(config.network) / name).exists():
                    raise InputError(f"{config.network} holds no {name}: give a run from pictures with --network")
        self._folder.begin(config)
        self._teacher = teacher

    def train(self, report: Report) -> dict[str, Any]:
        """Learn to see, then to hop; export. Returns `steps`, `mean_return` of the kept student in its training's
        worlds, and `keypoint_mm`, the mean error of keypoints. Ctrl-C leaves what is done to go on with."""
        config = self.config
        encoder, errors = self._learn_to_see(report)
        lessons = Lessons(
            config.obs, config.randomize, config.envs, seed=config.seed, teacher=self._teacher, encoder=encoder
        )
        learner = StudentLearner(config.seed, self._device)
        first, best = 0, -np.inf
        if saved := self._folder.load(CHECKPOINT):
            learner.restore(saved, self.run / CHECKPOINT)
            lessons.restore(saved["lessons"])
            first, best = int(saved["rounds"]), float(saved["best"])
        for done in range(first, config.rounds):
            # The teacher acts alone in the first two rounds, the student in all after half of them.
            share = 1.0 if done < 2 else max(0.0, 1.0 - 2.0 * done / config.rounds)
            lessons.collect(learner.steady, config.round_steps, share)
            loss = learner.improve(lessons, config.gradient_steps, 1.0 - done / config.rounds)
            report("lessons: rounds", done + 1, config.rounds, loss)
            if (done + 1) % config.checkpoint_rounds == 0 or done + 1 == config.rounds:
                if 2 * done >= config.rounds or best == -np.inf:
                    mean = lessons.measure(learner.steady, SELECTED_EPISODES)
                    if mean > best:
                        best = mean
                        self._keep(learner.steady, lessons, mean, done + 1)
                parts = {"lessons": lessons.state(), "rounds": done + 1, "best": best}
                self._folder.save(CHECKPOINT, {**learner.state(), **parts})
        lessons.close()
        self._export(encoder)
        return {"steps": config.steps, "mean_return": best, "keypoint_mm": errors}

    def _learn_to_see(self, report: Report) -> tuple[nn.Module, float]:
        """What makes a frame's features of an observation, and the mean error of keypoints [mm]."""
        config, path = self.config, self.run / NETWORK
        network = KeypointNetwork()
        if config.network and not path.exists():
            for name in (KEYPOINT_ERRORS, NETWORK):
                shutil.copyfile(Path(config.network) / name, self.run / name)
        if not path.exists():
            data = render_pictures(
                Path(config.teacher),
                config.randomize,
                config.pictures,
                self.run / PICTURES,
                seed=config.seed,
                report=report,
            )
            learned, kept = data.split()
            network = train_keypoints(learned, config.epochs, config.seed, report, self._device)
            errors = keypoint_errors_mm(network, kept)
            told = {
                "mean_mm": float(errors.mean()),
                "p95_mm": float(np.quantile(errors, 0.95)),
                "pictures": len(errors),
            }
            (self.run / KEYPOINT_ERRORS).write_text(json.dumps(told) + "\n", encoding="utf-8")
            torch.save(network.state_dict(), path)
        (self.run / PICTURES).unlink(missing_ok=True)  # 0.2 GB that nothing asks for any more
        load_state(network, load_tensors(path, path), path)
        network.eval()
        told = json.loads((self.run / KEYPOINT_ERRORS).read_text(encoding="utf-8"))
        seen = PictureFeatures(network) if config.obs == "image" else KeypointFeatures()
        return seen.eval(), float(told["mean_mm"])

    def _keep(self, student: HistoryStudent, lessons: Lessons, mean: float, rounds: int) -> None:
        state = {"student": student.state_dict(), "mean": lessons.state_mean, "scale": lessons.state_scale}
        self._folder.save("selected.pt", {**state, "rounds": rounds})
        with (self.run / SELECTION).open("a", encoding="utf-8") as file:
            file.write(json.dumps({"rounds": rounds, "mean_return": mean}) + "\n")

    def _export(self, encoder: nn.Module) -> None:
        config = self.config
        kept = load_tensors(self.run / "selected.pt", self.run / "selected.pt")
        student = HistoryStudent(FEATURES)
        load_state(student, kept["student"], self.run / "selected.pt")
        actor = ExportedStudent(student, encoder, kept["mean"], kept["scale"])
        training = {
            "algorithm": "imitation of a policy from state (DAgger)",
            "domain": "source",
            "randomize": config.randomize,
            "seed": str(config.seed),
            "steps": str(kept["rounds"] * config.envs * config.round_steps),
            "teacher": Path(config.teacher).name,
            "commit": commit(),
        }
        spec = HopperSpec(obs=config.obs, history=HISTORY, training=training)
        picture = torch.zeros(1, 64, 64, 3, dtype=torch.uint8)
        seen = picture if config.obs == "image" else torch.zeros(1, FEATURES)
        outputs = ("action", f"next_{MEMORY}", "state")
        sample: tuple[Tensor, ...] = (seen, torch.zeros(1, actor.memory_size))
        export_actor(actor, sample, ("observation", MEMORY), spec, self.run, outputs=outputs)
        if config.obs == "pipeline":
            network = KeypointNetwork()
            load_state(network, load_tensors(self.run / NETWORK, NETWORK), self.run / NETWORK)
            path = str(self.run / KEYPOINT_MODEL)
            exported = ExportedKeypoints(network).eval()
            torch.onnx.export(
                exported,
                (picture,),
                path,
                input_names=["image"],
                output_names=["points"],
                opset_version=17,
                dynamo=False,
            )
