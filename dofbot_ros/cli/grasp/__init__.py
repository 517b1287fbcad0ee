"""`dofbot grasp`: learn to grasp from the simulated arm's own attempts."""
