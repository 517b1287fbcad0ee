"""The states of the arm: derived from four facts, so that no two parts can disagree about them."""

from __future__ import annotations

from enum import Enum


class ArmState(str, Enum):
    """What the arm is doing, as published on `state`."""

    DISCONNECTED = "DISCONNECTED"
    """No port, or the port went away; connecting is tried again and again."""
    ESTOP = "ESTOP"
    """Stopped by hand; latched until reset_estop, also over a loss of the port."""
    FAULT = "FAULT"
    """Something is wrong with the arm: it holds still until clear_fault, and says why."""
    IDLE = "IDLE"
    """Connected, torque off (or never switched on by us): the arm can be moved by hand, commands are refused."""
    ACTIVE = "ACTIVE"
    """Moving on command."""
    HOLD = "HOLD"
    """Torque on, standing still."""


def arm_state(connected: bool, estopped: bool, faulty: bool, torque: bool, moving: bool) -> ArmState:
    """The state that the facts amount to; the gravest wins."""
    if not connected:
        return ArmState.DISCONNECTED
    if estopped:
        return ArmState.ESTOP
    if faulty:
        return ArmState.FAULT
    if not torque:
        return ArmState.IDLE
    return ArmState.ACTIVE if moving else ArmState.HOLD
