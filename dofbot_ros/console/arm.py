"""What the console needs of an arm; behind it stands ROS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.types import FloatArray, ToolPose


@dataclass(frozen=True, eq=False)
class SeenBlock:
    """A block as the localiser found it.

    Attributes:
        name: of the block.
        pose: in base_link, shape (4, 4) [m].
        size: edge [m].
        colour: RGB, 0 to 255.
    """

    name: str
    pose: FloatArray
    size: float
    colour: tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class ArmView:
    """The arm at one moment.

    Attributes:
        present: whether all its joints were heard of just now.
        state: as safety.states.ArmState says it; "" before the first word.
        joints: measured positions [rad] (6,), nan where none has come yet.
        gap: distance of the finger tips [m].
        tool: pose of the tool in base_link; None while the arm has not described itself.
        diagnostics: entries by name, each with its message and values.
        blocks: as seen last.
        offers: names of the jobs that can be asked for now.
        pictures: names of the pictures that can be looked at.
        activity: the node that moves the arm by itself, "teleop" or "policy"; "" for none.
        activity_words: how teleoperation or the policy stands, in words.
        recording: how the episode that is recorded does, in words; "" for none.
        silent: joints that do not answer, by name.
        notes: further sentences about what is wrong beside the arm.
    """

    present: bool
    state: str
    joints: FloatArray
    gap: float
    tool: ToolPose | None
    diagnostics: Mapping[str, Mapping[str, str]]
    blocks: tuple[SeenBlock, ...] = ()
    offers: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    activity: str = ""
    activity_words: str = ""
    recording: str = ""
    silent: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class JobEnd:
    """What came of a job.

    Attributes:
        words: for people.
        ghost: joint positions (6,) [rad] to show as where the arm is going to be; None for none.
    """

    words: str = ""
    ghost: FloatArray | None = field(default=None)


class ConsoleArm(Protocol):
    """One arm and the nodes beside it."""

    @property
    def robot(self) -> Robot:
        """Kinematics and limits.

        Raises:
            DofbotError: the arm has not described itself.
        """
        ...

    @property
    def urdf(self) -> str:
        """The arm's description; "" before it has described itself."""
        ...

    def listen(self, on: bool) -> None:
        """Whether somebody looks: what an arm tells that nobody looks at is not taken in."""
        ...

    def view(self) -> ArmView:
        """The arm now."""
        ...

    def stream(self, joints: FloatArray) -> None:
        """Follow a point (5,) [rad]; the next one is due within 0.1 s. Returns at once."""
        ...

    def send_gripper(self, gap: float) -> None:
        """Open or close the fingers to `gap` [m]. Returns at once."""
        ...

    def request_stop(self) -> None:
        """Brake and hold. Returns at once."""
        ...

    def request_estop(self) -> None:
        """Brake, and refuse every motion until the job "reset". Returns at once."""
        ...

    def do(self, job: str, speed: float, about: str = "") -> JobEnd:
        """Carry out a job and return when it is done.

        Args:
            job: one of the names in ArmView.offers.
            speed: of the joints at most [rad/s], where the job moves the arm by a plan made here.
            about: name of the block, where the job is about one; label of a recording.

        Raises:
            DofbotError: it cannot be done, or was ended early, and why.
        """
        ...

    def look_at(self, names: Collection[str]) -> None:
        """Which pictures somebody looks at from now on."""
        ...

    def picture(self, name: str) -> tuple[int, bytes]:
        """The newest picture as its number, which grows, and JPEG; (0, b"") before the first."""
        ...
