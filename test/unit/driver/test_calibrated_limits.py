"""The joint limits of a calibrated arm, from min_ticks and max_ticks to what the daemon lets pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from dofbot_ros.arm.calibration import DEFAULT_CALIBRATION, Calibration
from dofbot_ros.core.types import ARM_JOINTS
from dofbot_ros.driver.config import PARK
from dofbot_ros.errors import CommandRefusedError

UPPER = np.radians((3100 - 2300) / DEFAULT_CALIBRATION.joint1.ticks_per_degree)
"""Of joint 1 where its zero is 300 ticks further up than the vendor's [rad]: 65.5 degrees."""


def with_zero(joint: str, ticks: int) -> Calibration:
    """The nominal calibration with the zero of one servo moved."""
    return replace(DEFAULT_CALIBRATION, **{joint: replace(getattr(DEFAULT_CALIBRATION, joint), zero_ticks=ticks)})


def test_the_governor_holds_a_stream_at_the_calibrated_limit(new_bench: Any) -> None:
    bench = new_bench(with_zero("joint1", 2300))
    bench.hold()
    point = np.append(bench.measured()[:5], 0.0)
    for _ in range(300):
        point[0] = min(point[0] + 0.02, 1.55)
        bench.daemon.stream(point, bench.clock.now())
        bench.run(0.02)
    sent = np.array([goal[0] for goal in bench.arm.goals])
    assert sent.max() == pytest.approx(UPPER, abs=0.002)
    assert sent.max() <= UPPER + 1e-9
    assert bench.daemon.snapshot().limited_counts


def test_a_trajectory_beyond_the_calibrated_limit_is_refused(new_bench: Any) -> None:
    bench = new_bench(with_zero("joint1", 2300))
    bench.hold()
    target = [1.5, *bench.measured()[1:5]]
    with pytest.raises(CommandRefusedError, match="joint1"):
        bench.daemon.follow([3.0], [target], joints=ARM_JOINTS)
    with pytest.raises(CommandRefusedError, match=r"joint1 is to go to 1\.500 rad; its limits are .*\.\.1\.142 rad"):
        bench.daemon.move_joints(target)


def test_an_arm_whose_limits_are_a_little_narrower_parks_at_them(new_bench: Any) -> None:
    bench = new_bench(with_zero("joint3", 2050))
    bench.hold()
    bench.daemon.park()
    rested = bench.until(lambda snapshot: snapshot.state == "HOLD" and snapshot.result is not None)
    assert rested.result.succeeded
    limit = np.radians(1050 / DEFAULT_CALIBRATION.joint3.ticks_per_degree)
    assert bench.measured()[:5] == pytest.approx([*PARK[:2], limit, *PARK[3:5]], abs=0.03)


def test_an_arm_that_lacks_much_of_the_parking_pose_says_so(new_bench: Any) -> None:
    bench = new_bench(with_zero("joint3", 2300))
    bench.hold()
    with pytest.raises(CommandRefusedError, match=r"joint3 is to go to 1\.571 rad; its limits are"):
        bench.daemon.park()
