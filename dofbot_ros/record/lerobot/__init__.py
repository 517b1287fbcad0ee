"""LeRobot datasets from episodes."""
