"""The joint fit of arm and camera, and what it can know."""
