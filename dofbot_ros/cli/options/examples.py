"""Examples below the help of every command: one table, so that a test can hold each to the options that exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.markup import escape
from typer.core import TyperGroup

EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("dofbot up sim", "dofbot arm status", "dofbot estop", "dofbot help arm move"),
    "analyze": ("dofbot analyze layers RUN", "dofbot analyze live --data spiral --out learning.gif"),
    "analyze activations": ("dofbot analyze activations RUN --layer NAME --image picture.png",),
    "analyze attribute": ("dofbot analyze attribute RUN", "dofbot analyze attribute RUN --method grad_cam"),
    "analyze cluster": ("dofbot analyze cluster RUN --layer NAME --quantity yaw",),
    "analyze layers": ("dofbot analyze layers RUN",),
    "analyze live": ("dofbot analyze live --data spiral --out learning.gif", "dofbot analyze live --window"),
    "analyze maximize": ("dofbot analyze maximize RUN --layer NAME --features 0-8",),
    "analyze predict": ("dofbot analyze predict RUN --quantity yaw",),
    "analyze prune": ("dofbot analyze prune --data spiral",),
    "analyze weights": ("dofbot analyze weights RUN --layer NAME",),
    "arm": ("dofbot arm status", "dofbot arm on", "dofbot arm jog joint1 5", "dofbot arm --backend sim home"),
    "arm check": ("dofbot arm check", "dofbot arm --backend serial --port /dev/ttyUSB0 check"),
    "arm freedrive": ("dofbot arm freedrive",),
    "arm gripper": ("dofbot arm gripper 30",),
    "arm home": ("dofbot arm home", "dofbot arm --namespace left home"),
    "arm jog": ("dofbot arm jog joint1 5", "dofbot arm jog joint2 -10"),
    "arm move": ("dofbot arm move 0.2 0 0.1", "dofbot arm move 0.2 0.05 0.1 150 45"),
    "arm off": ("dofbot arm off",),
    "arm on": ("dofbot arm on",),
    "arm park": ("dofbot arm park",),
    "arm pose": ("dofbot arm pose above_the_box",),
    "arm reset": ("dofbot arm reset",),
    "arm save": ("dofbot arm save above_the_box",),
    "arm status": ("dofbot arm status", "dofbot arm --domain 7 status --json"),
    "arm stop": ("dofbot arm stop",),
    "arm watch": ("dofbot arm watch",),
    "arm estop": ("dofbot arm estop",),
    "bench": ("dofbot bench bus", "dofbot bench estop --json"),
    "calibrate": ("dofbot calibrate board charuco", "dofbot calibrate camera 0 --out camera.yaml"),
    "calibrate all": ("dofbot calibrate all --backend sim --rtf 0",),
    "calibrate board": ("dofbot calibrate board charuco", "dofbot calibrate board sheet --out sheet.pdf"),
    "calibrate bundle": ("dofbot calibrate bundle --data samples",),
    "calibrate camera": ("dofbot calibrate camera 0 --out camera.yaml",),
    "calibrate check": (
        "dofbot calibrate check picture.jpg --camera-info camera.yaml --camera-pose camera_pose.yaml",
    ),
    "calibrate gripper": (
        "dofbot calibrate gripper --backend sim --rtf 0",
        "dofbot calibrate gripper --camera 0 --camera-info camera.yaml --camera-pose camera_pose.yaml "
        "--calibration arm.yaml --size 30.2",
    ),
    "calibrate hand-eye": (
        "dofbot calibrate hand-eye pictures --camera-info camera.yaml --out camera_pose.yaml",
    ),
    "calibrate identify": ("dofbot calibrate identify sweeps.npz",),
    "calibrate plan": ("dofbot calibrate plan --camera-info camera.yaml --camera-pose camera_pose.yaml",),
    "calibrate servos": (
        "dofbot calibrate servos session.json --camera-info camera.yaml --camera-pose camera_pose.yaml "
        "--out arm.yaml --out-pose camera_pose.yaml",
    ),
    "calibrate table": (
        "dofbot calibrate table session.json --camera-info camera.yaml --camera-pose camera_pose.yaml",
    ),
    "console": ("dofbot console", "dofbot console --backend sim"),
    "demo": ("dofbot demo", "dofbot demo --trials 10 --seed 1 --out demo_out"),
    "doctor": ("dofbot doctor", "dofbot doctor --json"),
    "emulate": ("dofbot emulate --link /tmp/arm", "dofbot emulate --fault drop=0.01 --fault silent=3"),
    "estop": ("dofbot estop", "dofbot estop --namespace left", "dofbot estop --domain 7"),
    "export": ("dofbot export demos/episode.mcap episode.npz", "dofbot export episode.mcap episode.npz --images"),
    "find-port": ("dofbot find-port", "dofbot find-port --json"),
    "grasp": ("dofbot grasp collect --out DATA", "dofbot grasp train --data DATA --out RUN", "dofbot up grasp"),
    "grasp blend": ("dofbot grasp blend --start RUN --tuned TUNED --out BLEND",),
    "grasp collect": (
        "dofbot grasp collect --out DATA",
        "dofbot grasp collect --out DATA --objects cube --grasps 1000 --seed 1",
    ),
    "grasp evaluate": (
        "dofbot grasp evaluate --model RUN",
        "dofbot grasp evaluate --desk typical --objects heldout --json",
    ),
    "grasp train": ("dofbot grasp train --data DATA --out RUN", "dofbot grasp train --data DATA --out RUN --resume"),
    "grasp train-ranker": ("dofbot grasp train-ranker --data DATA --run RUN",),
    "help": ("dofbot help", "dofbot help arm move"),
    "imitate": ("dofbot imitate run --source hand.mp4 --out OUT", "dofbot imitate train --out RUN"),
    "imitate arm": (
        "dofbot arm save left",
        "dofbot imitate arm --source 0 --sign two=left",
        "dofbot imitate arm --source hand.mp4 --backend sim",
    ),
    "imitate evaluate": ("dofbot imitate evaluate --sheet sheet.png", "dofbot imitate evaluate --model RUN --json"),
    "imitate run": (
        "dofbot imitate run --source hand.mp4 --out OUT",
        "dofbot imitate run --source 0 --method network --out OUT",
    ),
    "imitate train": ("dofbot imitate train --out RUN", "dofbot imitate train --out RUN --resume"),
    "localize": (
        "dofbot localize picture.jpg --camera-info camera.yaml",
        "dofbot localize picture.jpg --camera-info camera.yaml --out marked.png --json",
    ),
    "policy": ("dofbot policy train --task reach --out RUN", "dofbot up policy task:=pick"),
    "policy domain-gap": ("dofbot policy domain-gap --out GAP --episodes 500",),
    "policy evaluate": ("dofbot policy evaluate --task pick --obs state --model RUN --episodes 100 --json",),
    "policy export": ("dofbot policy export RUN --out NEW", "dofbot policy export OLD --network POSE --out NEW"),
    "policy train": (
        "dofbot policy train --task reach --obs state --randomize wide --out RUN",
        "dofbot policy train --task pick --obs state --demos DEMOS --randomize wide --out RUN",
        "dofbot policy train --task pick --obs pipeline --backbone-weights PRE --out RUN",
    ),
    "policy weights": ("dofbot policy weights RUN",),
    "record": ("dofbot record --out demos --label pick", "dofbot record --out demos --seconds 30 --keep"),
    "replay": (
        "dofbot replay episode.mcap --backend sim",
        "dofbot replay episode.mcap --backend serial --port /dev/ttyUSB0 --speed 0.5",
    ),
    "servos": ("dofbot servos scan", "dofbot servos set-id 1 3"),
    "servos scan": ("dofbot servos scan", "dofbot servos scan --port /dev/ttyUSB1 --ids 250"),
    "servos set-id": ("dofbot servos set-id 1 3",),
    "teach": ("dofbot teach record wave.yaml", "dofbot teach play wave.yaml --speed 0.5"),
    "teach play": ("dofbot teach play wave.yaml --speed 0.5", "dofbot teach play wave.yaml --times 3"),
    "teach record": ("dofbot teach record wave.yaml", "dofbot teach record places.yaml --waypoints"),
    "teleop": (
        "dofbot teleop --source 0",
        "dofbot teleop --source keyboard --record demos",
        "dofbot teleop --source gamepad --backend serial --port /dev/ttyUSB0 --domain 7",
    ),
    "trials": ("dofbot trials run --planner aruco --out A", "dofbot trials report A", "dofbot trials compare A B"),
    "trials compare": ("dofbot trials compare A B",),
    "trials report": ("dofbot trials report A",),
    "trials run": ("dofbot trials run --planner aruco --out A", "dofbot trials run --planner cnn --out B rtf:=2"),
    "up": (
        "dofbot up sim",
        "dofbot up bringup port:=/dev/ttyUSB0 first_time:=true",
        "dofbot up teleop source:=0",
    ),
}  # fmt: skip
"""Command -> what to type; one without an entry shows the least that has to be typed."""


def commands(command: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every command below and with `command`, by the words that call it."""
    yield path, command
    if isinstance(command, TyperGroup):
        for name, below in sorted(command.commands.items()):
            yield from commands(below, f"{path} {name}".strip())


def add_examples(path: str, command: Any) -> None:
    """Put the examples below the help of the command that `path` calls."""
    command.epilog = "\n\n".join(("Examples:", *(EXAMPLES.get(path) or (shortest(path, command),))))


def keep_brackets(command: Any) -> None:
    """Let a command's help show its units: typer takes "[deg]" for rich's markup, and leaves it out."""
    command.help = escape(command.help or "") or None
    for each in command.params:
        if getattr(each, "help", None):
            each.help = escape(each.help)


def shortest(path: str, command: Any) -> str:
    """The least that has to be typed, for a command without an entry."""
    words = ["dofbot", path]
    for each in command.params:
        if each.required:
            name = str(each.name).upper()
            words += [name] if each.param_type_name == "argument" else [each.opts[0], name]
    return " ".join(words)
