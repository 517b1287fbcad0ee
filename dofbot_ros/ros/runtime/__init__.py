"""How node processes start, wait and end."""
