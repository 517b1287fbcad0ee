"""Scenes in which grasps are tried."""
