"""What grasp_node sees and shows."""
