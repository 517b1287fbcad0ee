"""Episodes: record what the arm saw, was told and did; read it back, replay it, export it. Knows no ROS."""
