"""Who plans and grasps in a trial."""
