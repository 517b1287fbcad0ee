"""From what the operator does to what the arm shall do."""
