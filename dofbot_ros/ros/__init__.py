"""ROS 2: nodes translate, the core decides."""
