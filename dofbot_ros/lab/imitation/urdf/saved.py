"""The hand of a run: made by its configuration, kept beside its network, and found again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from dofbot_ros.core.files import write_whole
from dofbot_ros.core.model_files import taking
from dofbot_ros.errors import InputError
from dofbot_ros.lab.imitation.hand import Hand, HandModel
from dofbot_ros.lab.imitation.urdf.hand import UrdfHand
from dofbot_ros.lab.imitation.urdf.reader import read_hand

OWN_HAND = "hand.urdf"
"""The run's copy of a hand that was read from a URDF."""


def hand_of(dof: int, urdf: str, joints: Mapping[str, str], run: Path | None = None) -> Hand:
    """The hand of `dof` joints, or that of the file `urdf` where it is not empty; see read_hand for `joints`.

    A run that is gone on with has its own copy of the file.

    Raises:
        ConfigError: there is no such hand.
    """
    if not urdf:
        return HandModel(dof)
    copy = None if run is None else run / OWN_HAND
    return read_hand(copy if copy is not None and copy.exists() else Path(urdf), joints)


def keep_hand(model: Hand, run: Path) -> None:
    """Write a hand that was read from a URDF into a run's folder, which then needs no other file."""
    if isinstance(model, UrdfHand):
        write_whole(run / OWN_HAND, model.model.urdf)


def hand_texts(model: Hand) -> dict[str, str]:
    """What a network's file says of its hand; saved_hand reads it."""
    own = {"joints": json.dumps(model.joints)} if isinstance(model, UrdfHand) else {}
    return {"dof": str(model.dof), **own}


def saved_hand(texts: Mapping[str, str], weights: Path) -> Hand:
    """The hand of a run's network, by the texts of its file `weights`.

    Raises:
        InputError: it does not say.
    """
    dof, words = texts.get("dof", ""), texts.get("joints", "")
    if words:
        with taking(weights):
            return read_hand(
                weights.with_name(OWN_HAND), {str(name): str(joint) for name, joint in json.loads(words).items()}
            )
    if dof not in ("12", "17"):
        raise InputError(f"{weights} is no imitation network: it does not say of how many joints")
    return HandModel(int(dof))
