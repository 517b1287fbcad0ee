"""A TrialArm without ROS: daemon, camera and localiser on a simulated world in this process, with trouble on demand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.arm.gripper import MAX_GAP, joint_to_gap
from dofbot_ros.arm.robot import Robot
from dofbot_ros.config.loader import load_yaml
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.resources import share_file
from dofbot_ros.core.transforms import transform
from dofbot_ros.core.types import ARM_JOINTS, GRIP, FloatArray
from dofbot_ros.errors import CommandRefusedError, DofbotError
from dofbot_ros.motion.timed_path import TimedPath
from dofbot_ros.policy.fit import DRIVER_PARAMETERS, ArmAbilities
from dofbot_ros.safety.states import ArmState
from dofbot_ros.service.config import DriverConfig
from dofbot_ros.service.daemon import ArmDaemon
from dofbot_ros.service.motion_events import EndCode, Event, MotionEvent
from dofbot_ros.sim.arm import SimArm
from dofbot_ros.sim.arrangement import Arrangement, arrange
from dofbot_ros.sim.camera import SimCamera
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.world import World
from dofbot_ros.trials.arm import Look, View
from dofbot_ros.trials.placement import PickProtocol
from dofbot_ros.vision.blocks import BlockLocaliser

SETTLE_S = 0.12
"""The servos reach what they were told this much after they were told it [s]."""

REST_LIMIT_S = 20.0
"""No motion of a trial takes longer [s]."""

TRIALS_DRIVER = DriverConfig(max_velocity=2.0, max_acceleration=16.0)
"""As the stack of the trials starts it: with the room that policies need."""


class DirectArm:
    """As fast as the machine goes. Set the attributes to make trouble.

    Args:
        world: what is simulated.
        driver: of the daemon.
        calibration: of the servos.

    Attributes:
        paths: of all motions that were asked for, the refused ones too.
        rejected: why the daemon refused motions.
        shifted: this block is seen 55 mm from where it is, in the first look.
        refusals: so many of the next motions are refused.
        hidden: nobody tells the true poses.
    """

    def __init__(
        self, world: World, driver: DriverConfig | None = None, calibration: Calibration = DEFAULT_CALIBRATION
    ) -> None:
        self.world = world
        self.paths: list[TimedPath] = []
        self._ended: dict[int, MotionEvent] = {}
        self.rejected: list[str] = []
        self.shifted, self.refusals, self.hidden = "", 0, False
        backend = SimArm(world, calibration=calibration)
        self.daemon = ArmDaemon(backend, driver or DriverConfig(), Robot.calibrated(calibration))
        self._camera = SimCamera(world)
        self._localiser = BlockLocaliser(world.blocks, self._camera.intrinsics)
        self.view = View(self._camera.intrinsics, self._camera.pose())
        self._clock = backend.clock
        self._rate = Rate(self._clock, self.daemon.config.control_rate_hz)

    def close(self) -> None:
        self.daemon.shutdown()
        self.world.close()

    def now_s(self) -> float:
        return self._clock.now()

    def prepare(self) -> None:
        self._step()
        if self.daemon.snapshot().state is ArmState.FAULT:
            self.daemon.clear_fault()
        self.daemon.set_torque(True)
        self.daemon.gripper(MAX_GAP)
        self.daemon.home()
        self._until_rest()

    def stop(self) -> None:
        self.daemon.stop()
        self._until_rest()

    def abilities(self) -> ArmAbilities:
        driver = {name: float(getattr(self.daemon.config, name)) for name in DRIVER_PARAMETERS}
        return ArmAbilities(self.daemon.robot.describe(), driver)

    def follow(self, path: TimedPath) -> None:
        self.paths.append(path)
        if self.refusals:
            self.refusals -= 1
            raise CommandRefusedError("refused for a test")
        try:
            number = self.daemon.follow(path.times, path.positions, path.velocities, ARM_JOINTS)
        except CommandRefusedError as error:
            self.rejected.append(str(error))
            raise
        self._until_rest()
        ended = self._ended[number]
        if not ended.succeeded:
            raise CommandRefusedError(f"the motion ended early: {ended.reason}")

    def home(self) -> None:
        self.daemon.home()
        self._until_rest()

    def gripper(self, gap: float) -> bool:
        number = self.daemon.gripper(gap)
        self._until_rest()
        return self._ended[number].code is EndCode.STALLED

    def regrip(self) -> None:
        self.daemon.gripper(0.0)

    def require_heard(self) -> None:
        self._step()

    def require_ready(self) -> None:
        self._step()

    def sequence(self) -> AbstractContextManager[None]:
        return nullcontext()  # nobody else is here to stop it

    @property
    def position(self) -> FloatArray:
        return self.joints()[0]

    @property
    def gap(self) -> float:
        return joint_to_gap(float(self.position[GRIP]))

    def look(self) -> Look:
        image = self._camera.render()
        found = self._localiser.locate(image, self.now_s(), self.view.T_base_camera)
        blocks = {block.name: block.T_base_block for block in found.blocks}
        if self.shifted:
            blocks[self.shifted] = transform(translation=(0.055, 0.0, 0.0)) @ blocks[self.shifted]
            self.shifted = ""
        return Look(found.stamp_s, blocks, image)

    def reset_scene(self, seed: int) -> None:
        self.world.scatter(seed)
        self._run_for(0.2)

    def rest(self, seconds: float) -> None:
        self._run_for(seconds)

    @property
    def state(self) -> str:
        return self.daemon.snapshot().state.value

    def joints(self) -> tuple[FloatArray, float]:
        reading = self.daemon.snapshot().reading
        if reading is None:
            raise DofbotError("the arm has not been read yet")
        return reading.position.copy(), float(reading.stamps_s.min())

    def seen(self) -> tuple[dict[str, FloatArray], float]:
        return self.world.truth(), self.now_s()

    def stream(self, position: FloatArray, *, stamp_s: float) -> None:
        self.daemon.stream(position, stamp_s)

    def wait_until_time(self, time_s: float) -> None:
        self._until(lambda: self.now_s() >= time_s)

    def arrange(self, arrangement: Arrangement) -> None:
        arrange(self.world, arrangement)
        self._camera = SimCamera(self.world)
        self._run_for(0.2)

    def truth(self) -> dict[str, FloatArray] | None:
        return None if self.hidden else self.world.truth()

    def _step(self) -> None:
        for event in self.daemon.step().events:
            if event.event is Event.ENDED:
                self._ended[event.motion] = event
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


@pytest.fixture
def arm() -> Iterator[DirectArm]:
    pytest.importorskip("pybullet")
    direct = DirectArm(World(load_world_config(), 0))
    yield direct
    direct.close()


@pytest.fixture(scope="session")
def kit() -> PickProtocol:
    """The shipped protocol."""
    return load_yaml(PickProtocol, share_file("config", "trials.yaml"))


@pytest.fixture
def pick_arm(kit: PickProtocol) -> Iterator[DirectArm]:
    pytest.importorskip("pybullet")
    direct = DirectArm(World(kit.world(load_world_config()), 0), TRIALS_DRIVER)
    yield direct
    direct.close()
