"""Grasps through grasp_node, from the camera's image to the answer, judged by where the blocks really are."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.progress import track

from dofbot_ros.core.console import console
from dofbot_ros.core.statistics import wilson
from dofbot_ros.errors import CommandRefusedError, UsageError, one_of

if TYPE_CHECKING:
    from dofbot_ros.ros.clients.arm_client import ArmClient

ANSWER_S = 120.0
LIFTED_M = 0.2
"""A block this high is in the hand of an arm that stands upright."""


def measure(grasps: int = 30, seed: int = 0, backend: str = "sim", rtf: float = 1.0) -> dict[str, Any]:
    """Start the stack `grasp` and ask for one grasp in each of `grasps` scenes; what was lifted is put back.

    Args:
        grasps: how many.
        seed: of the first scene; each has three plain blocks where the network looks.
        backend: sim or emulator.
        rtf: speed of the simulation (sim only).

    Returns:
        held of grasps with Wilson's interval, by the true poses; wrong_answers, where the node said otherwise; why the
        others failed; seconds of a grasp by the arm's clock; planning_ms, from image to motions, as the node tells it.
    """
    from dofbot_ros.ros.clients.trial_client import trial_client
    from dofbot_ros.ros.runtime.managed_stack import WORLD_NODES, managed_stack

    if backend not in WORLD_NODES:
        raise UsageError(one_of("backend", backend, WORLD_NODES))
    held, wrong, failures, seconds = 0, 0, Counter[str](), []
    with (
        managed_stack("grasp", backend, {"rtf": str(rtf)}) as check,
        trial_client(WORLD_NODES[backend], check) as client,
    ):
        client.prepare()
        for number in track(range(grasps), "grasps", console=console, transient=True):
            client.reset_scene(seed + number)
            begin_s = client.now_s()
            said = _answer(client)
            seconds.append(client.now_s() - begin_s)
            truth = client.truth() or {}
            lifted = any(pose[2, 3] > LIFTED_M for pose in truth.values())
            held += lifted
            wrong += lifted != (said == "lifted")
            if said == "lifted":
                client.trigger("grasp/put_back", ANSWER_S)
            else:
                failures[said] += 1
                client.prepare()
        time.sleep(1.5)  # diagnostics come once a second
        told = client.diagnostics.get("grasp", {})
    return {
        "held": held,
        "grasps": grasps,
        "interval": list(wilson(held, grasps)),
        "wrong_answers": wrong,
        "failures": dict(failures),
        "seconds_median": float(np.median(seconds)),
        "planning_ms": {"p50": float(told["p50_planning_ms"]), "p95": float(told["p95_planning_ms"])},
        "backend": backend,
    }


def _answer(client: ArmClient) -> str:
    """The answer's first word: lifted, missed, slipped, nothing, ..."""
    try:
        said = client.trigger("grasp/execute", ANSWER_S)
    except CommandRefusedError as error:
        said = str(error)
    return said.split(maxsplit=1)[0].rstrip(":")
