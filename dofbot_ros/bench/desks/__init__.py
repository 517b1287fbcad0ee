"""What the jobs of the arm achieve on desks whose errors the software is not told."""
