"""The PyBullet arm and its world."""
