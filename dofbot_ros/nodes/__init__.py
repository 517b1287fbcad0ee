"""ROS 2 nodes: they translate, the core decides."""
