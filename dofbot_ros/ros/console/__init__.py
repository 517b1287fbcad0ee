"""The console's arm over ROS."""
