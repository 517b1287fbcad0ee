"""Markers and the blocks that carry them."""
