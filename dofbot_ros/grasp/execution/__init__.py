"""Grasps carried out."""
