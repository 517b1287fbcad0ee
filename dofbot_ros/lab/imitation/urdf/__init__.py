"""A user's own hand, read from a URDF."""
