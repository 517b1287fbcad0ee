"""Diagnostics in plain words: what an operator has to know, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dofbot_ros.console.arm import ArmView
from dofbot_ros.console.watched import WATCHED
from dofbot_ros.core.types import JOINT_NAMES
from dofbot_ros.safety.monitor import NO_ANSWER

Level = Literal["good", "note", "bad"]
STATES: dict[str, tuple[Level, str]] = {
    "": ("bad", "No word of an arm yet. Is its stack running, in this ROS domain and namespace?"),
    "DISCONNECTED": ("bad", "The arm is not connected. Check its power and the cable; it is looked for all the time."),
    "ESTOP": ("bad", "Emergency stop. Look what happened, then press Reset; nothing moves by itself."),
    "FAULT": ("bad", "The arm holds still because something is wrong with it. Remove the cause, then press Reset."),
    "IDLE": ("note", "Torque is off: the arm can be moved by hand. Torque on holds it where it is."),
    "ACTIVE": ("good", "Moving."),
    WATCHED: ("note", "A program moves this simulated arm; the page only watches. Stop ends the program."),
    "HOLD": ("good", "Ready: torque is on, the arm stands still."),
}
SERVO_WORDS = {
    "voltage": "its supply voltage is out of range: check the power supply",
    NO_ANSWER: "does not answer: see whether its cable is in. The page shows where the arm was before",
    "temperature": "is too hot: let it cool down, and see what it pushes against",
    "overload": "is overloaded: see what it pushes against",
}
SERVO_NAMES = {name: f"Joint {name[-1]}" for name in JOINT_NAMES[:-1]} | {JOINT_NAMES[-1]: "The gripper"}


@dataclass(frozen=True)
class Line:
    """One sentence for the operator."""

    level: Level
    text: str


def explain(view: ArmView) -> list[Line]:
    """What there is to say, gravest first; the arm's state is always among it."""
    lines = [_state(view), *_servos(view), *_bus(view), *_others(view)]
    order = {"bad": 0, "note": 1, "good": 2}
    return sorted(lines, key=lambda line: order[line.level])


def _state(view: ArmView) -> Line:
    if view.state and not view.present and not view.silent and view.state != "DISCONNECTED":
        return Line("bad", "The arm has gone silent: its driver has ended, or this computer is too busy.")
    level, text = STATES.get(view.state, ("note", f"The arm says it is {view.state}."))
    why = view.diagnostics.get("arm", {}).get("message", "").partition(": ")[2]
    if view.state == "IDLE" and "hold" in why:
        text = f"Not commanded from here, though {why.partition(',')[0]}. Torque on takes over."
    if why and view.state in ("DISCONNECTED", "FAULT", "ESTOP"):
        text = f"{text} The driver says: {why}."
    return Line(level, text)


def _servos(view: ArmView) -> list[Line]:
    lines = []
    for name, shown in SERVO_NAMES.items():
        message = view.diagnostics.get(name, {}).get("message", "healthy")
        if message != "healthy":
            words = "; ".join(SERVO_WORDS.get(fault, fault) for fault in message.split(", "))
            lines.append(Line("bad", f"{shown}: {words}."))
    return lines


def _bus(view: ArmView) -> list[Line]:
    lines = []
    if view.diagnostics.get("loop", {}).get("message") == "late":
        lines.append(Line("note", "The control loop runs late: this computer is busy with something else."))
    return lines


def _others(view: ArmView) -> list[Line]:
    lines = [Line("bad", note) for note in view.notes]
    if limited := view.diagnostics.get("arm", {}).get("limited by", ""):
        lines.append(Line("note", f"The safety governor holds the arm back: {limited}."))
    if view.activity:
        lines.append(Line("note", view.activity_words or f"{view.activity} moves the arm."))
    return lines
