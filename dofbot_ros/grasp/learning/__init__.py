"""Data, training and evaluation of the grasp networks."""
