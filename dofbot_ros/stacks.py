"""What runs in each stack: the single description behind `launch/*.launch.py` and `dofbot up`."""

from __future__ import annotations

from dataclasses import replace

from dofbot_ros.config.params_file import Scalar
from dofbot_ros.core.dds import NETWORK_VARIABLE, NETWORKS
from dofbot_ros.core.resources import share_file
from dofbot_ros.errors import UsageError, one_of
from dofbot_ros.launching import Argument, NodeSpec, Ref, Stack

NAMESPACE = Argument("namespace", "", "namespace of all nodes: two arms on one network need two")
NETWORK = Argument(
    "network",
    "",
    "local: this machine alone; open: every machine on the network can command the arm (docs/security.md); "
    f"empty: as {NETWORK_VARIABLE} says, local where it says nothing",
    ("", *NETWORKS),
)
FRAME_PREFIX = Argument("frame_prefix", "", "in front of all frames' names, for instance left/: two arms need two")
PARAMS_FILE = Argument("params_file", "", "ROS parameters file (YAML): it outdoes defaults, and arguments outdo it")
COMMON = (NAMESPACE, NETWORK, PARAMS_FILE, FRAME_PREFIX)
"""Arguments of every stack."""
BACKEND = Argument(
    "backend",
    "sim",
    "serial: a real arm; sim: the simulated one; emulator: the simulated one behind an emulated servo bus",
    ("serial", "sim", "emulator"),
)
PORT = Argument("port", "/dev/ttyUSB0", "serial port of the real arm")
EMULATOR_PORT = Argument(
    "emulator_port", "/tmp/dofbot_servo_bus", "where the emulated servo bus appears (a link to a pty)"
)
BUS_FAULTS = Argument("bus_faults", "", "what goes wrong on the emulated bus, for instance: drop=0.001 corrupt=0.001")
PROTOCOL = Argument(
    "protocol", "bus", "bus: straight to the servos (FF FF); se: USB board of the SE kit (FF FC)", ("bus", "se")
)
CALIBRATION = Argument("calibration_file", "", "calibration of the arm (YAML); empty: the shipped one")
BAUDRATE = Argument("baudrate", "", "bits per second on the servo bus; empty: 115200")
MAX_VELOCITY = Argument("max_velocity", "", "joint velocity limit of the arm [rad/s]; empty: 1.6")
SPEED = Argument("speed", "", "share of the arm's velocity and acceleration limits, 0.05 to 1; empty: 1")
FIRST_TIME = Argument("first_time", "false", "a fifth of the speed at most: for the first time", ("true", "false"))
WAIVE_CHECK = Argument(
    "waive_check", "false", "full speed on a real arm whose directions were never checked", ("true", "false")
)
FRAMERATE = Argument("framerate", "", "frames a second of the camera; empty: its own")
IMAGE_WIDTH = Argument("image_width", "", "asked of a V4L2 camera [px]; empty: 640")
IMAGE_HEIGHT = Argument("image_height", "", "asked of a V4L2 camera [px]; empty: 480")
FRAME_ID = Argument("frame_id", "", "optical frame of the camera; empty: overhead_camera_optical_frame")
ON_EXIT = Argument("on_exit", "hold", "what the arm does when the stack ends", ("hold", "park", "release"))
RTF = Argument("rtf", "1.0", "speed of the simulation against real time; 0: as fast as it goes")
SEED = Argument("scene_seed", "0", "seed of the block poses")
DESK = Argument(
    "desk", "own", "errors of the simulated arm, camera, blocks, table: own, careful, typical, rough, or a file (YAML)"
)
DESK_SEED = Argument("desk_seed", "0", "which installation of that desk")
WORLD = Argument("world_file", "", "what the simulated world consists of (YAML); empty: the shipped config/sim.yaml")
GRASP_WORLD = replace(
    WORLD,
    default=str(share_file("config", "sim_grasp.yaml")),
    description="what the simulated world consists of (YAML): plain blocks where the grasp network looks",
)
LOCALIZE = Argument("localize", "true", "find blocks by their markers in the camera image", ("true", "false"))
CAMERA = Argument("camera", "", "V4L2 index or path, video file, image folder or http stream; empty: no camera")
_CAMERA_SETTINGS = (FRAMERATE, IMAGE_WIDTH, IMAGE_HEIGHT, FRAME_ID)
CAMERA_INFO = Argument("camera_info_url", "", "calibration of the camera: a camera_info YAML, file:// or a plain path")
EXTRINSICS = Argument("extrinsics_file", "", "pose of the camera in base_link (YAML); a real camera needs one")
LOOK_AT_HAND = Argument(
    "look_at_hand", "false", "show the hand to the camera before the first grasp, and aim by it", ("true", "false")
)
BLOCKS = Argument("blocks_file", "", "ids, sizes and marker layout of the blocks (YAML); empty: the shipped set")
SOURCE = Argument(
    "source",
    "topic",
    "what the operator is seen or steers with: topic (camera/image_raw), joy, gamepad, V4L2 index or path, video file, "
    "image folder, http stream, or a landmark recording (.npz)",
)
MODE = Argument("mode", "", "hand: the tool follows the hand; arm: joints 1-4 follow the arm; empty: as configured")
TELEOP_CONFIG = Argument("config_file", "", "configuration of teleoperation (YAML); empty: the shipped one")
AUTO_ENGAGE = Argument(
    "auto_engage", "false", "engage without a sign: for recordings and simulation", ("true", "false")
)
LOOP = Argument("loop", "false", "a source that is a file or folder begins again at its end", ("true", "false"))

MODEL = Argument("model", "", "folder of a policy (policy.onnx, policy.yaml); empty: the shipped one for task and obs")
TASK = Argument("task", "pick", "which shipped policy, where model is empty", ("reach", "pick", "place"))
OBS = Argument(
    "obs",
    "state",
    "what that policy sees: state (the block localizer), image, or pipeline (a pose network)",
    ("state", "image", "pipeline"),
)
BLOCK = Argument("block", "red", "name of the block to grasp")
GOAL = Argument("goal", "", "where to, in base_link [m]: 'x y z' to reach, 'x y' to place; empty to pick")
AUTO_START = Argument("auto_start", "false", "switch the torque on and run once: for simulated arms", ("true", "false"))

_ARM_PARAMETERS: dict[str, Scalar | Ref] = {
    "protocol": Ref("protocol"),
    "calibration_file": Ref("calibration_file"),
    "on_exit": Ref("on_exit"),
    "max_velocity": Ref("max_velocity", float, optional=True),
    "speed": Ref("speed", float, optional=True),
    "first_time": Ref("first_time", bool),
    "waive_check": Ref("waive_check", bool),
    "frame_prefix": Ref("frame_prefix", optional=True),
}
_SCENE: dict[str, Scalar | Ref] = {
    "scene_seed": Ref("scene_seed", int),
    "desk": Ref("desk"),
    "desk_seed": Ref("desk_seed", int),
    "camera_info_url": Ref("camera_info_url"),
}
_SCENE_PARAMETERS: dict[str, Scalar | Ref] = {"rtf": Ref("rtf", float), **_SCENE}

_BUS_PARAMETERS: dict[str, Scalar | Ref] = {"baudrate": Ref("baudrate", int, optional=True), **_ARM_PARAMETERS}

DRIVER = NodeSpec("driver_node", {"port": Ref("port"), **_BUS_PARAMETERS}, when={"backend": ("serial",)})
SIMULATOR = NodeSpec("sim_node", {**_ARM_PARAMETERS, **_SCENE_PARAMETERS}, when={"backend": ("sim",)})
REAL_TIME_SIMULATOR = replace(SIMULATOR, parameters={**_ARM_PARAMETERS, **_SCENE})  # an operator has no other time
LATE_EMULATION_S = 1.0
"""Silence of emulated servos that is a fault [s]: a busy computer keeps them waiting, without a loose cable."""
REHEARSAL = (
    NodeSpec(
        "world_node",
        {
            "port_link": Ref("emulator_port"),
            "faults": Ref("bus_faults"),
            "protocol": Ref("protocol"),
            "calibration_file": Ref("calibration_file"),
            **_SCENE,
        },
        when={"backend": ("emulator",)},
    ),
    NodeSpec(
        "driver_node",
        # The port appears only once the world stands, so that the driver cannot see yet that nobody can be hurt there.
        {"port": Ref("emulator_port"), **_BUS_PARAMETERS, "waive_check": True, "stale_read_s": LATE_EMULATION_S},
        when={"backend": ("emulator",)},
    ),
)
REAL_CAMERA = NodeSpec(
    "camera_node",
    {
        "video_device": Ref("camera"),
        "camera_info_url": Ref("camera_info_url"),
        "framerate": Ref("framerate", float, optional=True),
        "image_width": Ref("image_width", int, optional=True),
        "image_height": Ref("image_height", int, optional=True),
        "frame_id": Ref("frame_id", optional=True),
    },
    unless={"camera": ("",)},
    required=False,
)
LOCALIZER = NodeSpec(
    "block_localizer_node",
    {
        "extrinsics_file": Ref("extrinsics_file"),
        "blocks_file": Ref("blocks_file"),
        "frame_prefix": Ref("frame_prefix", optional=True),
    },
    when={"localize": ("true",)},
)
TELEOP = NodeSpec(
    "teleop_node",
    {
        "source": Ref("source"),
        "mode": Ref("mode"),
        "config_file": Ref("config_file"),
        "calibration_file": Ref("calibration_file"),
        "auto_engage": Ref("auto_engage", bool),
        "loop": Ref("loop", bool),
    },
)

GRASP = NodeSpec(
    "grasp_node",
    {
        "model": Ref("model"),
        "extrinsics_file": Ref("extrinsics_file"),
        "look_at_hand": Ref("look_at_hand", bool),
        "frame_prefix": Ref("frame_prefix", optional=True),
        "calibration_file": Ref("calibration_file"),
    },
)

POLICY_CAMERA_HZ = 25.0
"""Pictures a second of a simulated camera, as many as a policy has periods."""
POLICY_VELOCITY, POLICY_ACCELERATION = "2.0", 16.0
"""Of the driver: room above what policies command, see policy/interface/compatibility.py [rad/s], [rad/s^2]."""
POLICY = NodeSpec(
    "policy_node",
    {
        "model": Ref("model"),
        "task": Ref("task"),
        "obs": Ref("obs"),
        "block": Ref("block"),
        "goal": Ref("goal"),
        "auto_start": Ref("auto_start", bool),
        "extrinsics_file": Ref("extrinsics_file"),
    },
)


def _with_room(node: NodeSpec) -> NodeSpec:
    """The same node, its limits above what policies command."""
    if node.executable not in ("sim_node", "driver_node"):
        return node
    return replace(node, parameters={**node.parameters, "max_acceleration": POLICY_ACCELERATION})


def _looking_often(node: NodeSpec) -> NodeSpec:
    """The same node, its simulated camera as fast as policies look."""
    if "scene_seed" not in node.parameters:
        return node
    return replace(node, parameters={**node.parameters, "camera_rate_hz": POLICY_CAMERA_HZ})


def _in_world(node: NodeSpec) -> NodeSpec:
    """The same node in the world of `world_file`, where it has a world."""
    if "scene_seed" not in node.parameters:
        return node
    return replace(node, parameters={**node.parameters, "world_file": Ref("world_file")})


_SPEEDS = (SPEED, FIRST_TIME, WAIVE_CHECK)
_ARM_ARGUMENTS = (PROTOCOL, CALIBRATION, ON_EXIT, BAUDRATE, MAX_VELOCITY, *_SPEEDS)
_FAST_ARM_ARGUMENTS = (
    PROTOCOL,
    CALIBRATION,
    ON_EXIT,
    BAUDRATE,
    replace(MAX_VELOCITY, default=POLICY_VELOCITY),
    *_SPEEDS,
)
_LOCALIZER_ARGUMENTS = (EXTRINSICS, BLOCKS)
SCENE_ARGUMENTS = (SEED, DESK, DESK_SEED)
"""Of every stack that may simulate."""

STACKS: dict[str, Stack] = {
    stack.name: stack
    for stack in (
        Stack(
            "bringup",
            "The arm alone, real by default, with a camera and the block localizer where asked for.",
            (
                replace(BACKEND, default="serial"),
                PORT,
                EMULATOR_PORT,
                BUS_FAULTS,
                *_ARM_ARGUMENTS,
                CAMERA,
                CAMERA_INFO,
                *_CAMERA_SETTINGS,
                replace(LOCALIZE, default="false"),
                *_LOCALIZER_ARGUMENTS,
                RTF,
                *SCENE_ARGUMENTS,
                *COMMON,
            ),
            (*REHEARSAL, DRIVER, SIMULATOR, REAL_CAMERA, LOCALIZER),
        ),
        Stack(
            "sim",
            "The simulated arm with its table, blocks and camera, and the block localizer.",
            (RTF, *SCENE_ARGUMENTS, *_ARM_ARGUMENTS, CAMERA_INFO, LOCALIZE, *_LOCALIZER_ARGUMENTS, *COMMON),
            (replace(SIMULATOR, when={}), LOCALIZER),
        ),
        Stack(
            "demo",
            "What the demo runs on: the simulated arm, or its rehearsal over the servo bus, and the block localizer.",
            (
                replace(BACKEND, choices=("sim", "emulator")),
                EMULATOR_PORT,
                BUS_FAULTS,
                *_ARM_ARGUMENTS,
                CAMERA_INFO,
                RTF,
                *SCENE_ARGUMENTS,
                *_LOCALIZER_ARGUMENTS,
                *COMMON,
            ),
            (*REHEARSAL, SIMULATOR, replace(LOCALIZER, when={})),
        ),
        Stack(
            "trials",
            "What grasp trials run on: an arm, real, rehearsed or simulated, its camera, and the block localizer.",
            (
                BACKEND,
                PORT,
                EMULATOR_PORT,
                BUS_FAULTS,
                *_FAST_ARM_ARGUMENTS,
                CAMERA,
                CAMERA_INFO,
                *_CAMERA_SETTINGS,
                WORLD,
                RTF,
                *SCENE_ARGUMENTS,
                LOCALIZE,
                *_LOCALIZER_ARGUMENTS,
                *COMMON,
            ),
            (
                *(_in_world(_with_room(node)) for node in (*REHEARSAL, SIMULATOR)),
                _with_room(DRIVER),
                replace(REAL_CAMERA, required=True),
                LOCALIZER,
            ),
        ),
        Stack(
            "teleop",
            "The arm, steered by an operator: by hand or arm in front of a camera, or by gamepad.",
            (
                SOURCE,
                MODE,
                TELEOP_CONFIG,
                AUTO_ENGAGE,
                LOOP,
                BACKEND,
                PORT,
                EMULATOR_PORT,
                BUS_FAULTS,
                *_ARM_ARGUMENTS,
                CAMERA,
                CAMERA_INFO,
                *_CAMERA_SETTINGS,
                *SCENE_ARGUMENTS,
                *COMMON,
            ),
            (*REHEARSAL, DRIVER, REAL_TIME_SIMULATOR, REAL_CAMERA, TELEOP),
        ),
        Stack(
            "grasp",
            "The arm, its camera, and the grasp network: shows grasps, and carries the best one out when asked.",
            (
                replace(
                    MODEL, description="an .onnx file or a training run's folder; empty: the shipped grasp network"
                ),
                BACKEND,
                PORT,
                EMULATOR_PORT,
                BUS_FAULTS,
                *_ARM_ARGUMENTS,
                CAMERA,
                CAMERA_INFO,
                *_CAMERA_SETTINGS,
                EXTRINSICS,
                LOOK_AT_HAND,
                GRASP_WORLD,
                RTF,
                *SCENE_ARGUMENTS,
                *COMMON,
            ),
            (*(_in_world(node) for node in (*REHEARSAL, SIMULATOR)), DRIVER, REAL_CAMERA, GRASP),
        ),
        Stack(
            "policy",
            "The arm with a trained policy, the camera, and the block localizer.",
            (
                MODEL,
                TASK,
                OBS,
                BLOCK,
                GOAL,
                AUTO_START,
                BACKEND,
                PORT,
                EMULATOR_PORT,
                BUS_FAULTS,
                *_FAST_ARM_ARGUMENTS,
                CAMERA,
                CAMERA_INFO,
                *_CAMERA_SETTINGS,
                LOCALIZE,
                *_LOCALIZER_ARGUMENTS,
                WORLD,
                *SCENE_ARGUMENTS,
                *COMMON,
            ),
            (
                *(_in_world(_looking_often(_with_room(n))) for n in (*REHEARSAL, DRIVER, REAL_TIME_SIMULATOR)),
                REAL_CAMERA,
                LOCALIZER,
                POLICY,
            ),
        ),
    )
}


def find(name: str) -> Stack:
    """The stack called `name`.

    Raises:
        InputError: there is none; names the nearest.
    """
    if name not in STACKS:
        raise UsageError(one_of("stack", name, STACKS))
    return STACKS[name]
