"""What the console costs, and a browser to look at it."""
