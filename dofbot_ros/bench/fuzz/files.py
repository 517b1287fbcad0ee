"""Fuzzes configurations, calibrations, specs, scenes, models and recordings: a value of finite numbers, or one line."""

from __future__ import annotations

import dataclasses
import io
import json
import math
import random
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dofbot_ros.arm.calibration import load_calibration
from dofbot_ros.arm.model import parse_model
from dofbot_ros.bench.fuzz.mutate import NUMBERS, WORDS, flipped, replaced, retyped
from dofbot_ros.bench.fuzz.target import Target
from dofbot_ros.config.loader import load_yaml, to_mapping
from dofbot_ros.core.array_files import load_arrays
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import DofbotError
from dofbot_ros.grasp.simulation.object_files import read_folder
from dofbot_ros.policy.interface.spec import SPEC, load_spec
from dofbot_ros.policy.perception.pose_estimator import POSE_SPEC, PoseSpec
from dofbot_ros.sim.arrangement import Arrangement, from_text
from dofbot_ros.sim.config import load_world_config
from dofbot_ros.sim.randomization import load_domain, load_level
from dofbot_ros.teleop.config import load_config
from dofbot_ros.teleop.input.landmarks import N_HAND, Landmarks, Observation
from dofbot_ros.teleop.sessions.report import landmarks_from_json, landmarks_json
from dofbot_ros.trials.log import PickSeries, read_log
from dofbot_ros.trials.pick import PickRecord
from dofbot_ros.trials.placement import PickProtocol, PlacedObject
from dofbot_ros.trials.trial_log import SERIES, TRIALS
from dofbot_ros.vision.extrinsics import load_extrinsics
from dofbot_ros.vision.intrinsics import load_intrinsics
from dofbot_ros.vision.markers.block_layout import load_blocks

YAML_SHARE = 0.25
"""There are eleven of them, and a mutation costs 10 ms."""
MAX_ARRAYS = 10**7
"""Most that the arrays of a fuzzed file may have [bytes]."""


def targets(folder: Path) -> list[Target]:
    """Every file that a user may write or be given, from the one that this package ships."""
    config = share_file("config", "calibration.yaml").parent
    pipeline = share_file("models", "policy", "pick_pipeline", SPEC).parent
    readers: dict[str, tuple[Path, Callable[[Path], object]]] = {
        "calibration": (config / "calibration.yaml", load_calibration),
        "camera info": (config / "camera_info" / "overhead.yaml", load_intrinsics),
        "camera pose": (config / "sim_camera.yaml", load_extrinsics),
        "world": (config / "sim.yaml", load_world_config),
        "blocks": (config / "blocks.yaml", load_blocks),
        "randomization": (config / "randomization.yaml", lambda path: load_level("mild", path)),
        "domains": (config / "domains.yaml", lambda path: load_domain("target", path)),
        "teleop": (config / "teleop.yaml", load_config),
        "trials": (config / "trials.yaml", lambda path: load_yaml(PickProtocol, path)),
        "policy spec": (pipeline / SPEC, lambda path: load_spec(path.parent)),
        "pose spec": (pipeline / POSE_SPEC, lambda path: load_yaml(PoseSpec, path)),
    }
    made = [
        Target(f"yaml: {name}", _yaml(source, folder, read), share=YAML_SHARE)
        for name, (source, read) in readers.items()
    ]
    urdf = share_file("urdf", "dofbot.urdf").read_text(encoding="utf-8")
    return [
        *made,
        Target("urdf", lambda rng: _model(rng, urdf)),
        Target("arrangement", _arrangement),
        Target("objects", _objects(folder / "objects")),
        Target("landmarks", _landmarks),
        Target("trials", _trials(folder / "trials")),
        Target("npz", _arrays(folder)),
    ]


def finite(value: object) -> bool:
    """Whether all numbers in a configuration are, however deep; NaN and inf in free-form data count too."""
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, np.ndarray):
        return value.dtype.kind != "f" or bool(np.isfinite(value).all())
    if dataclasses.is_dataclass(value):
        return all(finite(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, Mapping):
        return all(finite(item) for item in value.values())
    return all(finite(item) for item in value) if isinstance(value, (list, tuple)) else True


def _yaml(source: Path, folder: Path, read: Callable[[Path], object]) -> Callable[[random.Random], None]:
    text = source.read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    # Under its own name: some readers look for it in a folder.
    path = folder / source.stem / source.name
    path.parent.mkdir(exist_ok=True)

    def _accepted(path: Path) -> None:
        try:
            read(path)
        except DofbotError as error:
            raise AssertionError(f"the file as it is shipped is refused: {error}") from error

    def case(rng: random.Random) -> None:
        kind = rng.random()
        if kind < 0.05:
            path.write_text(text, encoding="utf-8")
            _accepted(path)
        elif kind < 0.5:
            path.write_text(yaml.safe_dump(replaced(rng, content)), encoding="utf-8")
        elif kind < 0.9:
            path.write_text(retyped(rng, text), encoding="utf-8")
        else:
            path.write_bytes(flipped(rng, text.encode(), 30))
        assert finite(read(path)), "a number that is not finite got through"

    return case


def _model(rng: random.Random, urdf: str) -> None:
    text = retyped(rng, urdf)
    if rng.random() < 0.5:
        words = text.split('"')
        words[rng.randrange(len(words))] = str(rng.choice((*NUMBERS, "x", "", "1 2", "1 2 nan")))
        text = '"'.join(words)
    model = parse_model(text, "robot_description")
    assert all(finite([joint.origin, joint.axis, joint.mimic]) for joint in model.joints)
    assert all(
        not math.isnan(value) for joint in model.joints for value in vars(joint).values() if type(value) is float
    )


def _arrangement(rng: random.Random) -> None:
    whole = to_mapping(Arrangement({"red": (0.2, 0.1, 0.0), "blue": (0.2, -0.1, 1.0)}))
    text = json.dumps(replaced(rng, whole)) if rng.random() < 0.7 else retyped(rng, json.dumps(whole))
    assert finite(from_text(text)), "a number that is not finite got through"


OBJECT = """<robot name="o"><link name="o">
<collision><origin xyz="0 0 0.01" rpy="0 0 0.1"/><geometry><box size="0.02 0.03 0.04"/></geometry></collision>
<collision><geometry><cylinder radius="0.01" length="0.03"/></geometry></collision>
<collision><geometry><mesh filename="m.obj" scale="1 1 1"/></geometry></collision>
</link></robot>"""
CORNERS = [(x, y, z) for x in (0, 1) for y in (0, 2) for z in (0, 3)]
OBJ = "".join(f"v {x} {y} {z}\n" for x, y, z in CORNERS)


def _objects(folder: Path) -> Callable[[random.Random], None]:
    folder.mkdir(exist_ok=True)
    facets = [CORNERS[k : k + 3] for k in range(6)]
    stl = bytes(80) + struct.pack("<I", 6) + b"".join(
        struct.pack("<12fH", 0, 0, 0, *[v for corner in facet for v in corner], 0) for facet in facets
    )  # fmt: skip

    def case(rng: random.Random) -> None:
        kind, urdf = rng.random(), OBJECT
        if kind < 0.3:
            words = urdf.split('"')
            words[rng.randrange(len(words))] = str(rng.choice((*NUMBERS, *WORDS, "1 2", "nan nan nan", "0 0 0")))
            urdf = '"'.join(words)
        elif kind < 0.5:
            urdf = retyped(rng, urdf)
        (folder / "a.urdf").write_text(urdf, encoding="utf-8")
        (folder / "m.obj").write_text(retyped(rng, OBJ) if 0.5 < kind < 0.8 else OBJ, encoding="utf-8")
        (folder / "s.stl").write_bytes(flipped(rng, stl) if kind > 0.8 else stl)
        found = read_folder(folder)
        assert all("\n" not in why for why in found.skipped.values())
        assert all(np.isfinite(shape.hull()).all() for shape in found.shapes.values())

    return case


def _landmarks(rng: random.Random) -> None:
    hand = Landmarks(np.full((N_HAND, 3), 0.5), np.full((N_HAND, 3), 0.01), 0.9, "right")
    text = landmarks_json(Observation(1.0, 640, 480, hand), 1.0)
    landmarks_from_json(json.dumps(replaced(rng, json.loads(text))) if rng.random() < 0.7 else retyped(rng, text))


def _trials(folder: Path) -> Callable[[random.Random], None]:
    folder.mkdir(exist_ok=True)
    protocol = load_yaml(PickProtocol, share_file("config", "trials.yaml"))
    series = to_mapping(PickSeries("aruco", "sim", 0, "truth", "", protocol))
    record = to_mapping(PickRecord("single", 0, (PlacedObject("red", 0.2, 0.0, 0.0),), "lifted", "truth"))

    def written(rng: random.Random, content: Mapping[str, Any]) -> bytes:
        text = json.dumps(content)
        kind = rng.random()
        if kind < 0.4:
            return json.dumps(replaced(rng, content)).encode()
        return flipped(rng, text.encode()) if kind < 0.6 else text.encode()

    def case(rng: random.Random) -> None:
        (folder / SERIES).write_bytes(written(rng, series))
        (folder / TRIALS).write_bytes(b"".join(written(rng, record) + b"\n" for _ in range(3)))
        log = read_log(folder)
        assert finite(log.series)
        assert all(finite(one) for one in log.records), "a number that is not finite got through"

    return case


def _arrays(folder: Path) -> Callable[[random.Random], None]:
    whole = io.BytesIO()
    np.savez_compressed(whole, stamps=np.arange(5.0), pictures=np.zeros((2, 4, 4, 3), np.uint8), names=np.array(["a"]))
    plain = io.BytesIO()
    np.savez(plain, stamps=np.arange(5.0), pictures=np.zeros((2, 4, 4, 3), np.uint8), names=np.array(["a"]))
    path = folder / "arrays.npz"

    def case(rng: random.Random) -> None:
        path.write_bytes(flipped(rng, rng.choice((whole, plain)).getvalue()))
        arrays = load_arrays(path, "test", MAX_ARRAYS)
        assert all(array.dtype.kind != "O" for array in arrays.values())
        assert sum(array.nbytes for array in arrays.values()) <= MAX_ARRAYS

    return case
