"""Commands of the learning laboratory."""
