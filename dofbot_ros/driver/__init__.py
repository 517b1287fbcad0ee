"""The ROS-free daemon that owns the arm."""
