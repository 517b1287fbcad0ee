"""A TrialArm without ROS: daemon, camera and localiser on a simulated world in this process, as fast as it goes."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import numpy as np

from dofbot_ros.arm.gripper import MAX_GAP, joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray, ImageArray
from dofbot_ros.desks.installation import Installation, install
from dofbot_ros.driver.config import SPEED_IN_USE, DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.policy.interface.compatibility import DRIVER_PARAMETERS, RobotCapabilities
from dofbot_ros.safety.states import ArmState
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.arrangement import Arrangement, arrange
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.trials.arm import Look, View
from dofbot_ros.vision.markers.blocks import BlockLocaliser, LocaliserConfig

SETTLE_S = 0.12
"""The servos reach what they were told this much after they were told it [s]."""
REST_LIMIT_S = 20.0
"""No motion of a trial takes longer [s]."""
IMAGE_S = 0.1
"""Between two images [s]."""


class DirectArm:
    """A TrialArm on an installation. Its seen() tells the true poses: policies are judged apart from perception.

    Args:
        installation: what is true and what is told; the own desk by default.
        driver: of the daemon.
        scene_seed: of the blocks' first places.
        localiser: when a block's pose is believed.
    """

    def __init__(
        self,
        installation: Installation | None = None,
        driver: DriverConfig | None = None,
        scene_seed: int = 0,
        localiser: LocaliserConfig | None = None,
    ) -> None:
        self.installation = installation or install("own", 0)
        belief = self.installation.belief
        self.world = World(self.installation.world, scene_seed)
        backend = SimArm(
            self.world,
            calibration=belief.calibration,
            servo=self.installation.servos,
            truth=self.installation.calibration,
        )
        self.daemon = ArmDaemon(backend, driver or DriverConfig(), Robot.calibrated(belief.calibration))
        self._camera = SimCamera(self.world)
        self._localiser = BlockLocaliser(belief.blocks, belief.intrinsics, localiser)
        self.view = View(belief.intrinsics, belief.T_base_camera)
        self._ended: dict[int, MotionEvent] = {}
        self._losses = np.random.default_rng([self.installation.seed, 4])
        self._clock = backend.clock
        self._rate = Rate(self._clock, self.daemon.config.control_rate_hz)

    def close(self) -> None:
        """Bring the arm to rest and let go of the world."""
        self.daemon.shutdown()
        self.world.close()

    def now_s(self) -> float:
        """Simulated time [s]."""
        return self._clock.now()

    def prepare(self) -> None:
        """Bring the arm upright with open fingers, from whatever state it is in."""
        self._step()
        if self.daemon.snapshot().state is ArmState.FAULT:
            self.daemon.clear_fault()
        self.daemon.set_torque(True)
        self.daemon.gripper(MAX_GAP)
        self.daemon.home()
        self._until_rest()

    def stop(self) -> None:
        """Brake and hold."""
        self.daemon.stop()
        self._until_rest()

    def capabilities(self) -> RobotCapabilities:
        """What the arm and its driver can do."""
        config = self.daemon.config
        driver = {name: float(getattr(config, name)) for name in DRIVER_PARAMETERS if name != SPEED_IN_USE}
        driver[SPEED_IN_USE] = config.speed
        return RobotCapabilities(self.daemon.robot.describe(), driver)

    def home(self) -> None:
        """Move upright; raises as follow()."""
        self._end_of(self.daemon.home())

    def follow(self, path: TimedPath) -> None:
        """Move along `path`.

        Raises:
            CommandRefusedError: the arm refused it, or ended it early, and why.
        """
        self._end_of(self.daemon.follow(path.times, path.positions, path.velocities, ARM_JOINTS))

    def gripper(self, gap: float) -> bool:
        """Open or close to `gap` [m]. Returns whether something stopped the fingers before."""
        return self._end_of(self.daemon.gripper(gap)).code is EndCode.STALLED

    def regrip(self) -> None:
        """Let the fingers close on what they hold while the next motion runs."""
        self.daemon.gripper(0.0)

    def require_heard(self) -> None:
        """It is heard: it is in this process."""

    def require_ready(self) -> None:
        """Raises CommandRefusedError when the arm takes no commands."""
        if self.daemon.snapshot().state not in (ArmState.ACTIVE, ArmState.HOLD):
            raise CommandRefusedError(f"the arm's state is {self.state}")

    def sequence(self) -> AbstractContextManager[None]:
        """Motions that belong together; nobody else is here to stop them."""
        return nullcontext()

    @property
    def position(self) -> FloatArray:
        """Measured angles [rad] (6,)."""
        return self.joints()[0]

    @property
    def gap(self) -> float:
        """Where the fingers stand now [m]."""
        return joint_to_gap(float(self.position[GRIP]))

    def look(self) -> Look:
        """An image taken from now on, and what the localiser finds in it."""
        image = self._image()
        found = self._localiser.locate(image, self.now_s(), self.view.T_base_camera)
        refused = {refusal.what: refusal.reason for refusal in found.refused}
        return Look(found.stamp_s, {block.name: block.T_base_block for block in found.blocks}, image, refused)

    def reset_scene(self, seed: int) -> None:
        """Put the blocks where `seed` says; returns when they rest."""
        self.world.scatter(seed)
        self._run_for(0.2)

    def rest(self, seconds: float) -> None:
        """Return after so much simulated time [s]."""
        self._run_for(seconds)

    @property
    def state(self) -> str:
        """Of the arm, as safety.states.ArmState says it."""
        return self.daemon.snapshot().state.value

    def joints(self) -> tuple[FloatArray, float]:
        """Measured angles [rad] (6,), and when the oldest of them was read [s]."""
        reading = self.daemon.snapshot().reading
        if reading is None:
            raise DofbotError("the arm has not been read yet")
        return reading.position.copy(), float(reading.stamps_s.min())

    def seen(self) -> tuple[dict[str, FloatArray], float]:
        """True poses (4, 4) [m] by name, and the time [s]."""
        return self.world.truth(), self.now_s()

    def stream(self, position: FloatArray, *, stamp_s: float) -> None:
        """Follow a point [rad] (6,) that was made at `stamp_s` [s]."""
        self.daemon.stream(position, stamp_s)

    def wait_until_time(self, time_s: float) -> None:
        """Return when the arm's clock has reached `time_s` [s]."""
        self._until(lambda: self.now_s() >= time_s)

    def arrange(self, arrangement: Arrangement) -> None:
        """Put the objects there; returns when they rest."""
        arrange(self.world, arrangement)
        self._camera = SimCamera(self.world)
        self._run_for(0.2)

    def truth(self) -> dict[str, FloatArray] | None:
        """True poses of the blocks, (4, 4) each."""
        return self.world.truth()

    def _image(self) -> ImageArray:
        """What the camera delivers next: late, and not every image."""
        flaws = self._camera.config.flaws
        while flaws.loss and self._losses.random() < flaws.loss:
            self._run_for(IMAGE_S)
        image = self._camera.render()
        if flaws.latency_s:
            self._run_for(flaws.latency_s)
        return image

    def _end_of(self, motion: int) -> MotionEvent:
        """How a motion ended, once the arm rests."""
        self._until_rest()
        ended = self._ended[motion]
        if not ended.succeeded:
            raise CommandRefusedError(f"the motion ended early: {ended.reason}")
        return ended

    def _step(self) -> None:
        self._ended |= {e.motion: e for e in self.daemon.step().events if e.event is Event.ENDED}
        self._rate.wait()

    def _run_for(self, seconds: float) -> None:
        end = self.now_s() + seconds
        self._until(lambda: self.now_s() >= end)

    def _until_rest(self) -> None:
        self._step()
        self._until(lambda: self.daemon.snapshot().state is not ArmState.ACTIVE)
        self._run_for(SETTLE_S)

    def _until(self, done: Callable[[], bool]) -> None:
        limit = self.now_s() + REST_LIMIT_S
        while not done():
            self._step()
            if self.now_s() > limit:
                raise DofbotError(f"the arm has not come to rest within {REST_LIMIT_S:g} s")
