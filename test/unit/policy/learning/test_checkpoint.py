"""A checkpoint gives its weights and nothing else: whatever code somebody put into it does not run."""

from __future__ import annotations

import base64
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np
import pytest
import torch
from stable_baselines3 import SAC

from dofbot_ros.errors import InputError
from dofbot_ros.policy.learning.checkpoint import BUFFER, OLD_BUFFER
from dofbot_ros.policy.learning.train import CHECKPOINT, LESSONS, TAUGHT, TrainConfig, Trainer

QUICK = TrainConfig(algo="sac", steps=80, warm_up=40, width=16, batch=32, checkpoint_steps=40, compared=1)
SHOWN = replace(QUICK, episodes=1, steps=30)


class Payload:
    """What an attacker would put into a pickle: a file appears when it is loaded."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str]]:
        return open, (str(self._file), "w")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was stopped."""
    return train(QUICK, tmp_path_factory.mktemp("trained") / "run")


@pytest.fixture
def copy(run: Path, tmp_path: Path) -> Path:
    return duplicate(run, tmp_path)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was shown something first."""
    return train(SHOWN, tmp_path_factory.mktemp("shown") / "run")


def duplicate(run: Path, folder: Path) -> Path:
    (folder / "run").mkdir()
    for path in run.iterdir():
        if path.is_file():
            (folder / "run" / path.name).write_bytes(path.read_bytes())
    return folder / "run"


def train(config: TrainConfig, run: Path, *, resume: bool = False) -> Path:
    trainer = Trainer(config, run, resume=resume)
    try:
        trainer.train()
    finally:
        trainer.close()
    return run


def rewrite(path: Path, name: str, change: Callable[[bytes], bytes | None]) -> None:
    """Change one member of a zip file; None leaves it out."""
    with zipfile.ZipFile(path) as archive:
        members = {info.filename: archive.read(info) for info in archive.infolist()}
    changed = {**members, name: change(members[name])}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in changed.items():
            if content is not None:
                archive.writestr(member, content)


def test_code_beside_the_weights_does_not_run(copy: Path, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    def with_payload(file: Path) -> Callable[[bytes], bytes]:
        serialized = base64.b64encode(cloudpickle.dumps(Payload(file))).decode()

        def change(data: bytes) -> bytes:
            return json.dumps(
                {**json.loads(data), "policy_kwargs": {":type:": "x", ":serialized:": serialized}}
            ).encode()

        return change

    # That the payload is one: the library's own load() runs it.
    library = tmp_path / "library.zip"
    library.write_bytes((copy / CHECKPOINT).read_bytes())
    rewrite(library, "data", with_payload(theirs))
    with pytest.raises(Exception):  # noqa: B017, PT011
        SAC.load(library)
    assert theirs.exists()

    rewrite(copy / CHECKPOINT, "data", with_payload(ours))
    trainer = Trainer(QUICK, copy, resume=True)
    trainer.close()
    assert trainer.model.num_timesteps == 80
    assert not ours.exists()


@pytest.mark.parametrize("name", ["policy.pth", "actor.optimizer.pth", "pytorch_variables.pth"])
@pytest.mark.parametrize("form", ["pickle", "torch"])
def test_code_in_the_place_of_weights_is_refused(copy: Path, tmp_path: Path, name: str, form: str) -> None:
    file = tmp_path / "created"
    made = tmp_path / "payload"
    if form == "pickle":
        made.write_bytes(pickle.dumps(Payload(file)))
    else:
        torch.save(Payload(file), made)
    rewrite(copy / CHECKPOINT, name, lambda _: made.read_bytes())

    with pytest.raises(InputError, match=rf"{name} of .*checkpoint\.zip is damaged, or holds more than tensors"):
        Trainer(QUICK, copy, resume=True)
    assert not file.exists()


@pytest.mark.parametrize("name", [LESSONS, TAUGHT])
def test_code_in_lessons_is_refused(shown: Path, tmp_path: Path, name: str) -> None:
    copy, file = duplicate(shown, tmp_path), tmp_path / "created"
    torch.save(Payload(file), copy / name)
    config = replace(SHOWN, steps=40)
    if name == LESSONS:  # read where the lessons were not over
        rewrite(copy / CHECKPOINT, "data", lambda data: json.dumps({**json.loads(data), "num_timesteps": 0}).encode())

    with pytest.raises(InputError, match=rf"{name} is damaged, or holds more than tensors"):
        train(config, copy, resume=True)
    assert not file.exists()


def test_a_pickled_replay_buffer_is_refused_by_name(copy: Path, tmp_path: Path) -> None:
    (copy / OLD_BUFFER).write_bytes(pickle.dumps(Payload(tmp_path / "created")))

    with pytest.raises(InputError, match=r"replay\.pkl holds pickled objects, which are not loaded: delete it"):
        Trainer(QUICK, copy, resume=True)
    assert not (tmp_path / "created").exists()


def test_objects_in_the_replay_buffer_are_refused(copy: Path, tmp_path: Path) -> None:
    rewrite(
        copy / BUFFER, "actions.npy", lambda _: _npy(np.array([Payload(tmp_path / "created")], dtype=object), tmp_path)
    )

    with pytest.raises(InputError, match=r"replay\.npz is no replay buffer .*Python objects"):
        Trainer(QUICK, copy, resume=True)
    assert not (tmp_path / "created").exists()


def _npy(array: np.ndarray, folder: Path) -> bytes:
    np.save(folder / "a.npy", array, allow_pickle=True)
    return (folder / "a.npy").read_bytes()


@pytest.mark.parametrize(
    ("file", "name", "change", "message"),
    [
        (CHECKPOINT, "data", lambda _: b"[" * 100_000, "is no checkpoint"),
        (CHECKPOINT, "data", lambda _: b"[1]", "num_timesteps is no count"),
        (CHECKPOINT, "data", lambda _: b'{"num_timesteps": "7"}', "num_timesteps is no count"),
        (CHECKPOINT, "data", lambda _: None, "holds no data"),
        (CHECKPOINT, "policy.pth", lambda _: None, r"holds no policy\.pth"),
        (CHECKPOINT, "policy.pth", lambda content: content[:100], r"policy\.pth of .* is damaged"),
        (BUFFER, "rewards.npy", lambda _: None, "rewards is missing, or is another's"),
        (BUFFER, "rewards.npy", lambda content: content[:-8], "an array says that it has shape"),
        (BUFFER, "observations.observation.npy", lambda _: None, r"observations\.observation is missing"),
        (BUFFER, "at.npy", lambda _: None, "does not say where it goes on"),
    ],
)
def test_a_damaged_file_is_one_line(
    copy: Path, file: str, name: str, change: Callable[[bytes], bytes | None], message: str
) -> None:
    rewrite(copy / file, name, change)

    with pytest.raises(InputError, match=message) as caught:
        Trainer(QUICK, copy, resume=True)
    assert "\n" not in str(caught.value)


def test_the_weights_of_another_algorithm_are_refused(copy: Path) -> None:
    other = replace(QUICK, algo="tqc")
    (copy / "train.yaml").write_text((copy / "train.yaml").read_text().replace("algo: sac", "algo: tqc"))

    with pytest.raises(InputError, match="holds the weights of another model"):
        Trainer(other, copy, resume=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("algo", "hindsight"), [("sac", False), ("sac", True), ("tqc", False), ("tqc", True), ("ppo", False)]
)
def test_what_goes_on_is_what_was_saved(tmp_path: Path, algo: str, hindsight: bool) -> None:
    config = replace(QUICK, algo=algo, hindsight=hindsight, steps=120, warm_up=60)
    trainer = Trainer(config, tmp_path / "run")
    trainer.train()
    again = Trainer(config, tmp_path / "run", resume=True)
    before, after = trainer.model, again.model
    assert after.num_timesteps == before.num_timesteps
    assert after._n_updates == before._n_updates
    ours, theirs = before.get_parameters(), after.get_parameters()
    torch.testing.assert_close(theirs, ours, rtol=0, atol=0)
    if algo != "ppo":
        mine, its = before.replay_buffer, after.replay_buffer
        assert its.size() == mine.size() > 0
        for name in ("actions", "rewards", "dones", "timeouts"):
            # With hindsight the episode that was cut counts as over.
            np.testing.assert_array_equal(getattr(its, name)[:119], getattr(mine, name)[:119])
        for name, values in mine.observations.items():
            np.testing.assert_array_equal(its.observations[name], values)
        assert its.pos == mine.pos
    trainer.close()
    again.close()
