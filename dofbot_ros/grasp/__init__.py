"""Grasping: from the pose of a block to motions of the arm."""
