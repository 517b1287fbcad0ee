"""What training and the arm share: observation, action mapping, limits, the spec of a policy."""
