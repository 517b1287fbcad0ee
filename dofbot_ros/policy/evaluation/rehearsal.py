"""Episodes over the wire, in real time: policy, daemon, serial port, emulated servo bus, and the arm behind it."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np

from dofbot_ros.arm.robot import Robot
from dofbot_ros.core.clock import MonotonicClock
from dofbot_ros.core.rate import Rate
from dofbot_ros.core.statistics import wilson
from dofbot_ros.core.types import N_JOINTS
from dofbot_ros.driver.config import DriverConfig
from dofbot_ros.driver.daemon import ArmDaemon
from dofbot_ros.driver.snapshot import Snapshot
from dofbot_ros.errors import CommandRefusedError, DofbotError, InputError
from dofbot_ros.hardware.emulation.emulator import Emulator
from dofbot_ros.hardware.emulation.faults import parse_faults
from dofbot_ros.hardware.serial_arm import SerialArm
from dofbot_ros.hardware.streamer import StreamConfig
from dofbot_ros.policy.env.environments import DofBotEnv, make_env
from dofbot_ros.policy.evaluation.evaluate import EvaluateConfig, rollout
from dofbot_ros.policy.interface.action_mapper import PERIOD_S
from dofbot_ros.policy.interface.compatibility import driver_needs
from dofbot_ros.policy.interface.spec import PolicySpec
from dofbot_ros.policy.runtime.block_tracker import BlockDetection
from dofbot_ros.policy.runtime.controller import ControllerConfig, PolicyController
from dofbot_ros.policy.runtime.episode_runner import unwilling
from dofbot_ros.policy.runtime.policy_runner import PolicyRunner
from dofbot_ros.safety.states import ArmState
from dofbot_ros.sim.randomization import load_domain

HEALTHY_BUS = ("drop=0.001", "corrupt=0.001")
"""What a servo bus in good order loses and garbles, as in `dofbot demo --backend emulator`."""

STREAM = StreamConfig(soft_start_s=0.0)
"""Soft start is for the moment that torque comes on; an episode begins with an arm that has long been holding."""

TO_THE_END = ControllerConfig(time_limit_s=60.0, goal_hold_s=60.0)
"""Episodes last as long as training's, and are judged at their end."""

ROBOT = Robot.calibrated()
"""The arm on the emulated bus."""

CONNECT_S = 20.0


@dataclass(frozen=True)
class Rehearsed:
    """One episode.

    Attributes:
        success: whether the goal was truly reached at its end.
        trouble: what ended it before; "" when nothing did.
        missed: periods that were skipped because the machine was late.
        late: cycles of the driver that were skipped for the same reason.
        refused: points that came to the daemon too late.
        lost: questions to servos that got no answer, retries included.
    """

    success: bool
    trouble: str
    missed: int
    late: int
    refused: int
    lost: int


def rehearse(
    config: EvaluateConfig,
    report: Callable[[int, int], None] | None = None,
    show: Callable[[DofBotEnv], None] = lambda _: None,
) -> dict[str, Any]:
    """Run the same episodes in simulation and over the wire, in real time, each in the physics that sim_node runs.

    Args:
        config: which; physics as in the nodes.
        report: told after each episode how many are done and how many of them succeeded.
        show: called in each period of the episodes over the wire.

    Returns:
        As evaluate() does, of the episodes over the wire; and `simulated_success_rate` of the same ones,
        `points_below_simulation`, `missed_periods`, `missed_cycles`, `refused_points`, `lost_frames`, and `troubles`:
        what ended how many early.

    Raises:
        InputError: a policy that is shown pictures: rendering them would hold up the emulated bus.
    """
    policy = PolicyRunner(config.model)
    spec = policy.spec
    if spec.obs != "state":
        raise InputError(f"only state policies are rehearsed: pictures are rendered too slowly for this {spec.obs} one")
    env = make_env(spec.task, control=spec.control, ranges=load_domain(config.domain), node_physics=True)
    try:
        simulated, done = 0, []
        for seed in range(config.seed, config.seed + config.episodes):
            simulated += rollout(env, policy, seed).success
            done.append(_episode(env, policy, seed, show))
            if report is not None:
                report(len(done), sum(episode.success for episode in done))
    finally:
        env.close()
    successes = sum(episode.success for episode in done)
    return {
        "success_rate": successes / config.episodes,
        "interval": list(wilson(successes, config.episodes)),
        "episodes": config.episodes,
        "simulated_success_rate": simulated / config.episodes,
        "points_below_simulation": 100.0 * (simulated - successes) / config.episodes,
        "missed_periods": sum(episode.missed for episode in done),
        "missed_cycles": sum(episode.late for episode in done),
        "refused_points": sum(episode.refused for episode in done),
        "lost_frames": sum(episode.lost for episode in done),
        "troubles": dict(Counter(episode.trouble for episode in done if episode.trouble)),
        "task": spec.task,
        "obs": spec.obs,
        "domain": config.domain,
        "physics": "node",
        "seed": config.seed,
    }


def _episode(env: DofBotEnv, policy: PolicyRunner, seed: int, show: Callable[[DofBotEnv], None]) -> Rehearsed:
    env.reset(seed=seed)
    clock, sim = MonotonicClock(), env.sim
    controller = PolicyController(policy, TO_THE_END, robot=ROBOT)
    noise = np.random.default_rng([seed, 1])
    start = list(sim.state.command)
    faults = parse_faults(list(HEALTHY_BUS), np.random.default_rng(seed)).line
    trouble, refused = "", 0
    with Emulator(sim.servos, faults=faults, first=True) as emulator, _Driver(emulator, policy.spec) as driver:
        daemon = driver.daemon
        rate = Rate(clock, 1.0 / PERIOD_S)
        try:
            # As policy_node does: a stream takes its velocity from the point before.
            refused += not _told(daemon, start, clock.now())
            rate.wait()
            begin_s = now_s = clock.now()
            while now_s - begin_s < env.task.periods * PERIOD_S:
                with emulator.lock:
                    sim.observe()
                controller.joints(*_joints(daemon, env.draw.joint_noise, noise))
                block = sim.state.block
                if block is not None and (block.age == 0 or now_s == begin_s):
                    controller.block(BlockDetection(block.position, block.yaw, now_s))
                if now_s == begin_s:
                    controller.begin(now_s, env.goal, start)
                step = controller.step(now_s)
                if step.command is None:
                    raise CommandRefusedError(f"{step.end.value if step.end else 'ended'}: {step.detail}")
                refused += not _told(daemon, step.command.tolist(), now_s)
                show(env)
                rate.wait()
                now_s = clock.now()
        except CommandRefusedError as error:
            trouble = str(error)
        with emulator.lock:
            sim.observe()
            success = env.task.success(sim, env.goal)
        lost = daemon.snapshot().bus.lost
    return Rehearsed(success and not trouble, trouble, rate.missed, driver.missed_cycles, refused, lost)


def _told(daemon: ArmDaemon, position: Sequence[float], now_s: float) -> bool:
    """Stream a point. Returns False where it was refused: as over a topic, the next one may come in time.

    Raises:
        CommandRefusedError: the arm obeys nobody any more.
    """
    try:
        daemon.stream(position, now_s)
    except CommandRefusedError:
        if unwilling(daemon.snapshot().state.value):
            raise
        return False
    return True


def _joints(daemon: ArmDaemon, sigma: float, rng: np.random.Generator) -> tuple[list[float], float]:
    """What the arm says, with the noise of the domain."""
    reading = daemon.snapshot().reading
    if reading is None:
        raise DofbotError("the emulated arm has said nothing")
    noisy = reading.position + sigma * rng.standard_normal(N_JOINTS)
    return noisy.tolist(), float(reading.stamps_s.min())


class _Driver:
    """The driver's daemon on the emulated bus, holding, in a thread of its own; as fast as the policy needs it."""

    def __init__(self, emulator: Emulator, spec: PolicySpec) -> None:
        needs = driver_needs(spec)
        config = DriverConfig(
            soft_start_s=0.0, max_velocity=needs["max_velocity"], max_acceleration=needs["max_acceleration"]
        )
        self.daemon = ArmDaemon(SerialArm(emulator.port, stream=STREAM), config, ROBOT)
        self.missed_cycles = 0
        self._stop, self._ready = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="daemon", daemon=True)

    def _run(self) -> None:
        self.daemon.run(self._stop.is_set, self._after_cycle)

    def _after_cycle(self, snapshot: Snapshot, rate: Rate) -> None:
        self.missed_cycles = rate.missed
        if snapshot.state is not ArmState.DISCONNECTED:
            self._ready.set()

    def __enter__(self) -> _Driver:
        self._thread.start()
        if not self._ready.wait(CONNECT_S):
            self.__exit__(None, None, None)
            raise DofbotError(f"the emulated arm did not answer: {self.daemon.snapshot().reason}")
        self.daemon.set_torque(True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
