"""`dofbot analyze ...`: look into networks, and watch them learn."""
