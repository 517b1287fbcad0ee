"""The simulated arm without ROS: daemon, camera and localiser in this process, as fast as the machine goes."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from dofbot_ros.arm.gripper import MAX_GAP, joint_to_gap
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.grasp.retiming import TimedPath
from dofbot_ros.safety.states import ArmState
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.daemon import ArmDaemon
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.camera import SimCamera
from dofbot_ros.sim.world import World
from dofbot_ros.trials.arm import Look, View
from dofbot_ros.vision.blocks import BlockLocaliser

SETTLE_S = 0.12
"""The servos reach what they were told this much after they were told it [s]."""

REST_LIMIT_S = 20.0
"""No motion of a trial takes longer [s]."""


class DirectArm:
    """A trials.arm.TrialArm on a simulated world.

    Args:
        world: closed with this.
        config: of the daemon.
    """

    def __init__(self, world: World, config: DriverConfig | None = None) -> None:
        self.world = world
        backend = SimArm(world)
        self.daemon = ArmDaemon(backend, config or DriverConfig())
        self._camera = SimCamera(world)
        self._localiser = BlockLocaliser(world.blocks, self._camera.intrinsics)
        self.view = View(self._camera.intrinsics, self._camera.pose())
        self._clock = backend.clock
        self._rate = Rate(self._clock, self.daemon.config.control_rate_hz)

    def __enter__(self) -> DirectArm:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.daemon.shutdown()
        self.world.close()

    def now_s(self) -> float:
        """Simulated time [s]."""
        return self._clock.now()

    def prepare(self) -> None:
        """Bring the arm upright with open fingers."""
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

    def follow(self, path: TimedPath) -> None:
        """Move along `path`."""
        number = self.daemon.follow(path.times, path.positions, path.velocities, ARM_JOINTS)
        self._until_rest()
        result = self.daemon.snapshot().result
        if result is None or result.motion != number or not result.succeeded:
            raise CommandRefusedError(f"the motion ended early: {result.reason if result else 'unknown'}")

    def grip(self, gap: float) -> None:
        """Open or close to `gap` [m], or until a block stops the fingers."""
        self.daemon.gripper(gap)
        self._until_rest()

    def gap(self) -> float:
        """Where the fingers stand now [m]."""
        reading = self.daemon.snapshot().reading
        if reading is None:
            raise DofbotError("the arm has not been read yet")
        return joint_to_gap(float(reading.position[GRIP]))

    def look(self) -> Look:
        """Render and localise."""
        image = self._camera.render()
        found = self._localiser.locate(image, self.now_s(), self.view.T_base_camera)
        return Look(found.stamp_s, {block.name: block.T_base_block for block in found.blocks}, image)

    def reset_scene(self, seed: int) -> None:
        """Put the blocks where `seed` says, and let them come to rest."""
        self.world.scatter(seed)
        self._run_for(0.2)

    def truth(self) -> dict[str, FloatArray] | None:
        """True poses of the blocks."""
        return self.world.truth()

    def _step(self) -> None:
        self.daemon.step()
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
