"""Teaches the grasp network's backbone to see before it learns to grasp: by views that nobody has to try a grasp in."""
