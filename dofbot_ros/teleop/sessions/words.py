"""What the operator is told: how it stands, and what to do next, in the picture and in the terminal alike."""

from __future__ import annotations

from dofbot_ros.teleop.retargeting.clutch import Reason

ADVICE: dict[str, str] = {
    Reason.HAND_LOST.value: "no hand in view: show your hand",
    Reason.BODY_LOST.value: "nobody in view: step back until hips and shoulders are seen",
    Reason.STALE.value: "no fresh picture: is the camera covered, or the computer busy?",
    Reason.SETTLING.value: "seen: hold still for a moment",
    Reason.LOW_SCORE.value: "not seen clearly: more light, or come nearer",
    Reason.TWO_HANDS.value: "two hands in view: take one away",
    Reason.WRONG_HAND.value: "that is the other hand: show the one that steers",
    Reason.OUTLIER.value: "the hand jumped: hold it still",
    Reason.NOT_FINITE.value: "not seen whole: bring it into the picture",
    Reason.UNREACHABLE.value: "the arm is outside its limits: move it home first",
    Reason.TOO_NEAR.value: "the arm lies on the table or on itself: move it home first",
    Reason.SOURCE_LOST.value: "camera or device lost: plug it in",
}
"""What keeps from engaging -> what to do about it."""
STEPS: dict[tuple[str, bool], tuple[str, ...]] = {
    ("hand", False): ("close your hand", "show your open palm and hold it"),
    ("hand", True): ("make a fist and hold it to let go",),
    ("arm", False): ("lower the other hand", "raise the other hand and hold it up"),
    ("arm", True): ("lower the other hand", "raise the other hand to let go"),
}
"""Mode, and whether the arm follows -> the steps of the sign that changes that."""
KEYS = "w/s forth, back  a/d left, right  r/f up, down  t/g tilt  q/e roll  o/c fingers"
DEVICES: dict[tuple[str, bool], str] = {
    ("keyboard", False): "press Enter to engage",
    ("keyboard", True): f"{KEYS}  space lets go",
    ("gamepad", False): "hold RB to engage",
    ("gamepad", True): "sticks move the tool; let RB go to hold",
}
"""Device, and whether the arm follows -> what to do."""


def advice(fault: str) -> str:
    """What keeps from engaging, as TeleopReport.fault says it, with what to do about it."""
    return ADVICE.get(fault, fault)


def step_now(mode: str, engaged: bool, primed: bool) -> int:
    """Index in STEPS of the step that is due.

    Args:
        mode: hand or arm.
        engaged: whether the arm follows.
        primed: whether the sign was seen absent, so that showing it counts.
    """
    return min(int(primed), len(STEPS[mode, engaged]) - 1)


def instruction(source: str, mode: str, engaged: bool, primed: bool) -> str:
    """What to do now, where nothing is wrong.

    Args:
        source: keyboard, gamepad, or anything else for a camera.
        mode: hand or arm, for a camera.
        engaged: whether the arm follows.
        primed: as step_now().
    """
    if (source, engaged) in DEVICES:
        return DEVICES[source, engaged]
    return STEPS[mode, engaged][step_now(mode, engaged, primed)]
