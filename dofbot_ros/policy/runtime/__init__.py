"""A trained policy at work: no torch, no simulator."""
