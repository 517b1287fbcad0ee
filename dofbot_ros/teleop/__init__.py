"""Teleoperation by hand, body, keys or gamepad: from what an operator does to a joint stream, without ROS."""
