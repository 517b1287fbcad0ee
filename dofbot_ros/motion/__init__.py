"""Trajectories and online motion generation."""
