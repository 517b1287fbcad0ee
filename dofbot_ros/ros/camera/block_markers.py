"""Blocks as RViz shows them: a cube in its colour and its name above."""

from __future__ import annotations

from geometry_msgs.msg import Point, Vector3
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from dofbot_ros.ros.conversions.messages import pose_message
from dofbot_ros.vision.markers.block_layout import BlockSet
from dofbot_ros.vision.markers.blocks import BlockPose, Localisation

TEXT_HEIGHT_M = 0.012
TEXT_ABOVE_M = 0.03


def block_markers(header: Header, blocks: BlockSet, found: Localisation) -> MarkerArray:
    """A cube (namespace: the block's name, id 0) and a text (id 1) for each block; what was there before goes away."""
    markers = [Marker(header=header, action=Marker.DELETEALL)]
    for block in found.blocks:
        markers += [_cube(header, blocks, block), _text(header, block)]
    return MarkerArray(markers=markers)


def _cube(header: Header, blocks: BlockSet, found: BlockPose) -> Marker:
    block = blocks.block(found.name)
    red, green, blue = (c / 255.0 for c in block.colour)
    return Marker(
        header=header,
        ns=found.name,
        id=0,
        type=Marker.CUBE,
        pose=pose_message(found.T_base_block),
        scale=Vector3(x=block.size, y=block.size, z=block.size),
        color=ColorRGBA(r=red, g=green, b=blue, a=1.0),
    )


def _text(header: Header, found: BlockPose) -> Marker:
    marker = Marker(header=header, ns=found.name, id=1, type=Marker.TEXT_VIEW_FACING, text=found.name)
    x, y, z = (float(v) for v in found.T_base_block[:3, 3])
    marker.pose.position = Point(x=x, y=y, z=z + TEXT_ABOVE_M)
    marker.scale.z = TEXT_HEIGHT_M
    marker.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
    return marker
