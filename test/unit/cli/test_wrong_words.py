"""Every command refuses a value that an option does not take in one line, with exit code 2."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.main import get_command

from dofbot_ros.cli.main import app, main
from dofbot_ros.cli.options.examples import commands

ROOT = Path(__file__).resolve().parents[3]
POLICY = str(ROOT / "models" / "policy" / "pick_state")
CAMERA_INFO, CAMERA_POSE = ROOT / "config" / "camera_info" / "overhead.yaml", ROOT / "config" / "sim_camera.yaml"
WRONG = "nope"

CHOICES: dict[tuple[str, str], str] = {
    ("analyze activations", "--layer"): f"{POLICY} --layer nope",
    ("analyze activations", "--style"): f"{POLICY} --layer LAYER --style nope",
    ("analyze attribute", "--layer"): f"{POLICY} --method grad_cam --layer nope",
    ("analyze attribute", "--method"): f"{POLICY} --method nope",
    ("analyze attribute", "--target"): f"{POLICY} --target nope",
    ("analyze cluster", "--how"): f"{POLICY} --layer LAYER --samples 20 --how nope",
    ("analyze cluster", "--layer"): f"{POLICY} --samples 20 --layer nope",
    ("analyze cluster", "--quantity"): f"{POLICY} --layer LAYER --samples 20 --quantity nope",
    ("analyze live", "--activation"): "--activation nope --out x.gif",
    ("analyze live", "--data"): "--data nope --out x.gif",
    ("analyze maximize", "--layer"): f"{POLICY} --layer nope",
    ("analyze predict", "--layer"): f"{POLICY} --samples 20 --layer nope",
    ("analyze predict", "--quantity"): f"{POLICY} --samples 20 --quantity nope",
    ("analyze prune", "--data"): "--data nope",
    ("analyze weights", "--layer"): f"{POLICY} --layer nope",
    ("arm jog", "joint"): "nope 5",
    ("bench calibration", "--desk"): "--out x --desk nope",
    ("bench desks", "--desk"): "--state-file x --desk nope",
    ("bench desks", "--job"): "--state-file x --job nope",
    ("bench fuzz", "--only"): "--only nope",
    ("bench grasp-node", "--backend"): "--backend nope",
    ("bench images", "--delivery"): "--delivery nope",
    ("bench images", "--sender"): "--sender nope",
    ("bench localizer", "--desk"): "--desk nope",
    ("bench localizer", "--light"): "--desk typical --light nope",
    ("bench localizer", "--scenes"): "--scenes nope",
    ("calibrate all", "--desk"): "--backend sim --desk nope",
    ("calibrate all", "--held"): "--held nope",
    ("calibrate all", "arguments"): "nope:=1 --backend sim",
    ("calibrate board", "kind"): "nope",
    ("calibrate gripper", "--block"): "--backend sim --block nope",
    ("calibrate gripper", "--desk"): "--backend sim --desk nope",
    ("calibrate gripper", "arguments"): "nope:=1 --backend sim",
    ("calibrate plan", "--held"): f"--camera-info {CAMERA_INFO} --camera-pose {CAMERA_POSE} --held nope",
    ("console", "--backend"): "--backend nope",
    ("console", "--stack"): "--backend sim --stack nope",
    ("console", "arguments"): "nope:=1 --backend sim",
    ("demo", "--desk"): "--desk nope",
    ("emulate", "--fault"): "--fault nope=1",
    ("grasp collect", "--desk"): "--out x --desk nope",
    ("grasp collect", "--objects"): "--out x --objects nope",
    ("grasp collect", "--val-objects"): "--out x --val-objects nope",
    ("grasp evaluate", "--dataset"): "--dataset nope",
    ("grasp evaluate", "--desk"): "--desk nope",
    ("grasp evaluate", "--objects"): "--objects nope",
    ("grasp train", "--device"): "--data x --out y --device nope",
    ("grasp train-ranker", "--device"): "--data x --run y --device nope",
    ("grasp pretrain", "--device"): "--out x --device nope",
    ("grasp pretrain", "--objects"): "--out x --objects nope",
    ("help", "words"): "nope",
    ("imitate arm", "--method"): "--source 0 --method nope",
    ("imitate arm", "--sign"): "--source 0 --sign nope=left",
    ("imitate evaluate", "--joint"): "--joint nope",
    ("imitate evaluate", "--method"): "--method nope",
    ("imitate run", "--joint"): "--source 0 --out x --joint nope",
    ("imitate run", "--method"): "--source 0 --out x --method nope",
    ("imitate train", "--joint"): "--out x --joint nope",
    ("localize", "--dictionary"): "picture.png --camera-info x --dictionary nope",
    ("policy domain-gap", "--desk"): "--out x --desk nope",
    ("policy domain-gap", "--task"): "--out x --task nope",
    ("policy evaluate", "--desk"): "--desk nope",
    ("policy evaluate", "--domain"): "--domain nope",
    ("policy evaluate", "--obs"): "--obs nope",
    ("policy evaluate", "--physics"): "--physics nope",
    ("policy evaluate", "--task"): "--task nope",
    ("policy train", "--algo"): "--out x --algo nope",
    ("policy train", "--control"): "--out x --control nope",
    ("policy train", "--desk"): "--out x --obs pipeline --desk nope",
    ("policy train", "--device"): "--out x --device nope",
    ("policy train", "--domain"): "--out x --task hopper --domain nope",
    ("policy train", "--obs"): "--out x --obs nope",
    ("policy train", "--randomize"): "--out x --randomize nope",
    ("policy train", "--task"): "--out x --task nope",
    ("policy train", "--teacher"): "--out x --teacher nope",
    ("trials run", "--desk"): "--planner aruco --out x --desk nope",
    ("trials run", "arguments"): "nope:=1 --planner aruco --out x",
    ("up", "arguments"): "sim nope:=1",
    ("up", "stack"): "nope",
}
"""Command and parameter -> words with a value that does not exist."""

FREE = {
    ("analyze live", "--layers"), ("analyze maximize", "--features"), ("analyze prune", "--layers"),
    ("analyze cluster", "--objects"), ("analyze predict", "--objects"),
    ("calibrate all", "--calibration"),
    ("calibrate all", "--camera"),
    ("calibrate all", "--port"),
    ("calibrate gripper", "--camera"), ("calibrate gripper", "--port"),
    ("arm pose", "name"), ("arm save", "name"),
    ("bench analysis", "--only"), ("bench faults", "--state"), ("bench faults", "--fault"),
    ("bench teleop", "--source"), ("calibrate camera", "source"), ("calibrate check", "source"),
    ("calibrate hand-eye", "source"), ("calibrate identify", "--calibration"), ("calibrate plan", "--calibration"),
    ("calibrate servos", "--calibration"), ("calibrate table", "--calibration"), ("console", "--host"),
    ("console", "--namespace"), ("console", "--port"), ("estop", "--namespace"), ("export", "--task"),
    ("find-port", "--also"), ("grasp collect", "--ray"), ("grasp evaluate", "--ray"), ("imitate run", "--source"),
    ("imitate arm", "--namespace"), ("imitate arm", "--port"), ("imitate arm", "--source"),
    ("policy train", "--block"), ("record", "--label"), ("record", "--namespace"), ("record", "--operator"),
    ("record", "--topics"), ("replay", "--calibration-file"), ("replay", "--port"), ("servos scan", "--port"),
    ("servos set-id", "--port"), ("teleop", "--port"), ("teleop", "--source"),
}  # fmt: skip
"""What takes any text: files, ports, people, parts of names, lists of numbers, names that a running arm knows."""


def texts() -> set[tuple[str, str]]:
    """Every command with every parameter of it that is a text."""
    return {
        (name, parameter.opts[0])
        for name, command in commands(get_command(app))
        if not hasattr(command, "commands")
        for parameter in command.params
        if parameter.type_descriptor.annotation in (str, list[str])
    }


def test_every_text_of_every_command_is_a_choice_or_is_free() -> None:
    assert texts() | {("grasp evaluate", "--dataset")} == set(CHOICES) | FREE
    assert not set(CHOICES) & FREE


@pytest.mark.parametrize(("command", "parameter"), sorted(CHOICES))
def test_a_wrong_choice_is_one_line_and_exit_code_2(
    command: str, parameter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("picture.png", np.zeros((48, 64, 3), np.uint8))
    words = CHOICES[command, parameter].replace("LAYER", "layers.0").split()
    monkeypatch.setattr(sys, "argv", ["dofbot", *command.split(), *words])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr().err
    assert ended.value.code == 2, said
    assert WRONG in said
    assert "Traceback" not in said
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]
