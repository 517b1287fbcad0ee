"""A simulated camera that renders in a process of its own: world and servo bus do not stand still meanwhile.

PyBullet keeps Python's interpreter lock while it renders, some 30 ms a picture: enough to spoil a control cycle, or
to leave a servo bus without its answer. The process has a world of its own and puts joints and blocks where it is told.
"""

from __future__ import annotations

import socket
import subprocess
import sys
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection

import numpy as np

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.errors import DofbotError
from dofbot_ros.sim.config import Light, WorldConfig
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World

START_S = 20.0
"""How long the process may take to build its world [s]."""
STOP_S = 2.0


@dataclass(frozen=True, eq=False)
class _Scene:
    """What a picture shows: joint positions [rad] (6,), the blocks' poses (4, 4), and the light."""

    position: FloatArray
    blocks: dict[str, FloatArray]
    light: Light


class CameraProcess:
    """Takes one picture at a time: request(), then result() until it is there.

    Args:
        world: what is shown; its camera's configuration and intrinsics are those of a SimCamera.

    Raises:
        DofbotError: the process did not start.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._stamp_s: float | None = None
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,  # PyBullet talks there
                start_new_session=True,  # Ctrl-C is not for it: it ends with this end of the pipe
            )
        self._pipe = Connection(ours.detach())
        self._pipe.send(world.config)
        try:
            if not self._pipe.poll(START_S):
                raise DofbotError(f"the camera's process has not started within {START_S:g} s")
            self._pipe.recv()
        except (EOFError, OSError, DofbotError) as error:
            self.close()
            raise DofbotError(f"the camera's process did not start: {error}") from error

    @property
    def busy(self) -> bool:
        """Whether a picture has been requested and not been fetched."""
        return self._stamp_s is not None

    def request(self, stamp_s: float) -> None:
        """Begin a picture of this moment, which is `stamp_s` on the caller's clock [s]."""
        if self.busy:
            raise RuntimeError("one picture at a time")
        with self._world.lock:
            scene = _Scene(self._world.arm.positions(), self._world.truth(), self._world.config.camera.light)
        self._pipe.send(scene)
        self._stamp_s = stamp_s

    def result(self, timeout_s: float = 0.0) -> tuple[ImageArray, float] | None:
        """The picture, RGB (height, width, 3), and its stamp [s]; None when it is not there within `timeout_s` [s].

        Raises:
            DofbotError: the process died.
        """
        if self._stamp_s is None:
            return None
        try:
            if not self._pipe.poll(timeout_s):
                return None
            pixels = self._pipe.recv_bytes()
        except (EOFError, OSError) as error:
            raise DofbotError("the camera's process has died") from error
        config, stamp_s = self._world.config.camera, self._stamp_s
        self._stamp_s = None
        return np.frombuffer(pixels, np.uint8).reshape(config.height, config.width, 3), stamp_s

    def close(self) -> None:
        """End the process."""
        self._pipe.close()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def _serve(pipe: Connection) -> None:
    """Render what is asked for until the other end is closed."""
    config: WorldConfig = pipe.recv()
    world = World(config)
    camera = SimCamera(world)
    pipe.send("ready")
    while True:
        scene: _Scene = pipe.recv()
        world.arm.teleport(scene.position)
        for name, pose in scene.blocks.items():
            world.place(name, pose)
        if scene.light != camera.config.light:
            camera = SimCamera(world, replace(camera.config, light=scene.light))
        pipe.send_bytes(camera.render().tobytes())


if __name__ == "__main__":
    try:
        _serve(Connection(int(sys.argv[1])))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        sys.exit(0)
