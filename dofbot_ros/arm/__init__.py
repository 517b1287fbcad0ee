"""The arm itself: chain, kinematics, calibration, gripper, and what a backend is."""
