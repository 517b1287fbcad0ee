"""Small pictures of a desk as a policy is shown them, and where they truly show what."""

from __future__ import annotations

from dofbot_ros.core.types import FloatArray, ImageArray
from dofbot_ros.desks.installation import Installation
from dofbot_ros.policy.perception.camera_view import CameraView
from dofbot_ros.policy.perception.pixels import WIDTH, nominal_view, share_shown
from dofbot_ros.sim.rendering.camera import SimCamera
from dofbot_ros.sim.world import World


class DeskCamera:
    """The camera of one installation, its pictures straightened by what the software believes of its lens.

    Args:
        world: as the installation says.
        installation: what is true of camera and light, and what is believed.
        width: of the pictures [px].
    """

    def __init__(self, world: World, installation: Installation, width: int = WIDTH) -> None:
        self._world = world
        self._camera = SimCamera(world)
        self._believed = installation.belief.intrinsics
        self._view = CameraView(self._believed, width)
        self._K = nominal_view(width)[0].K

    def pose(self) -> FloatArray:
        """Where it truly is: the optical frame in the world (4, 4)."""
        return self._camera.pose()

    def project(self, points: FloatArray) -> FloatArray:
        """Where the picture shows points (n, 3) of the world [m]: pixels (n, 2)."""
        rays = self._believed.rays(self._camera.project(points))
        pixels: FloatArray = rays @ self._K[:2, :2].T + self._K[:2, 2]
        return pixels

    def shown(self, name: str) -> float:
        """Share of a block's outline that the last picture shows, 0..1: less where the arm or the frame hides it."""
        return share_shown(self._world, self._camera, name)

    def render(self) -> ImageArray:
        """The picture at this moment, RGB (rows, width, 3)."""
        return self._view.shown(self._camera.render())
