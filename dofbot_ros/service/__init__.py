"""The ROS-free daemon that owns the bus."""
