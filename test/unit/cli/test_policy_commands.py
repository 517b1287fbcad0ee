"""What `dofbot policy` says of arguments that do not fit: one line, before anything is written."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from command_line import CliRunner

pytest.importorskip("stable_baselines3", reason="training needs the extra learn")

from dofbot_ros.cli.main import app
from dofbot_ros.errors import DofbotError
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.runtime.policy_runner import shipped

PIPELINE, REACH = str(shipped("pick", "pipeline")), str(shipped("reach", "state"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--obs smell", "obs 'smell' is not one of state, image, pipeline"),
        ("--task grab", "task 'grab' is not one of reach, pick, place"),
        ("--teacher me", "teacher 'me' is not one of planner"),
        ("--randomize huge", "level 'huge' is not one of none, mild, wide"),
        ("--episodes 10", "--episodes: episodes are a teacher's: add --teacher planner"),
        ("--freeze", "--freeze: for the training of a pose network"),
        ("--obs pipeline --network X --backbone-weights Y", "--backbone-weights: for the training of a pose network"),
        ("--task hopper --obs pipeline --freeze", "--freeze: not for the hopper"),
        ("--pictures 10 --network X", "--pictures, --network: only for --obs pipeline"),
        ("--resume", "nothing to resume"),
        ("--obs pipeline --task pick --randomize huge", "level 'huge' is not one of none, mild, wide"),
        ("--obs pipeline --task pick --teacher planner", "--teacher: a pipeline learns to see"),
        ("--obs pipeline --task pick --network X --pictures 9", "--pictures: the pose network in --network is trained"),
        ("--obs pipeline --task pick --network X", r"X/pose\.onnx does not exist"),
        ("--obs image --task pick --teacher planner --steps 9", "--steps: a student of pictures does not go on alone"),
        ("--obs image --task pick --teacher planner --network X", r"X/pose\.onnx does not exist"),
        (
            f"--obs image --task pick --teacher planner --state-policy {REACH}",
            "is no policy from state for pick",
        ),
        ("--demos .", "holds no episode"),
        ("--task hopper --randomize mild", "level 'mild' is not one of none, legs, wide"),
        ("--task hopper --hindsight", "--hindsight: not for the hopper"),
        ("--task hopper --obs pipeline", "give its folder with --teacher RUN"),
        ("--task hopper --pictures 9", "only for --obs pipeline and image"),
        ("--task hopper --network RUN", "only for --obs pipeline and image"),
        ("--task hopper --teacher RUN", "RUN/policy.yaml does not exist"),
        ("--task hopper --domain mars", "domain 'mars' is not one of source, target"),
        ("--domain target", "--domain: only for the hopper"),
    ],
)
def test_training_refuses(words: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(app, ["policy", "train", *words.split(), "--out", "run"])
    with pytest.raises(DofbotError, match=why):
        raise done.exception or AssertionError(done.output)
    assert not Path("run").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--task grab", "task 'grab' is not one of reach, pick, place"),
        ("--obs smell", "obs 'smell' is not one of state, image, pipeline"),
        ("--task place --obs image", "ships no image policy for place"),
        ("--model nowhere", "nowhere/policy.yaml does not exist"),
        (f"--model {PIPELINE} --task reach", "holds a pipeline policy for pick, not pipeline for reach"),
        ("--domain mars", "domain 'mars' is not one of source, target"),
        ("--physics real", "physics 'real' is not one of node, training"),
        ("--task hopper", "ships no hopper policy"),
        ("--task hopper --desk typical", "--desk: not for the hopper"),
        ("--rehearsal --workers 2", "one episode after the other: leave out --workers"),
        ("--rehearsal --physics training", "leave out --physics training"),
        ("--view --workers 2", "one episode after the other: leave out --workers"),
        ("--task hopper --view", "--view: not for the hopper"),
    ],
)
def test_measuring_refuses(words: str, why: str) -> None:
    done = CliRunner().invoke(app, ["policy", "evaluate", *words.split()])
    with pytest.raises(DofbotError, match=why):
        raise done.exception or AssertionError(done.output)


@pytest.mark.slow
def test_an_evaluation_is_watched_at_the_pace_of_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("aiohttp")
    pytest.importorskip("pybullet")
    from dofbot_ros.cli.page.evaluation import EpisodeView

    shown: list[str] = []
    really = EpisodeView.show

    def show(view: EpisodeView, env: Any) -> None:
        really(view, env)
        shown.append(view._arm.view().activity_words)

    monkeypatch.setattr(EpisodeView, "show", show)
    begun = time.monotonic()
    done = CliRunner().invoke(app, ["policy", "evaluate", "--task", "reach", "--episodes", "2", "--view", "--json"])
    assert done.exit_code == 0, done.output
    assert "watch it at http://127.0.0.1:" in done.output
    assert shown[0] == "Episode 1 of 2: 0 of 0 succeeded so far."
    assert shown[-1].startswith("Episode 2 of 2: ")
    assert time.monotonic() - begun > 0.9 * PERIOD_S * len(shown)
