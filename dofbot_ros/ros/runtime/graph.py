"""What the graph of nodes says of one that it does not know well yet."""

from __future__ import annotations

NAMELESS = "_NODE_NAME_UNKNOWN_"
"""What rmw calls the node of an endpoint whose name has not arrived yet: names come a moment later than endpoints."""
