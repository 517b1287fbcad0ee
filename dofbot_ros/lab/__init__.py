"""The learning laboratory: small, complete learning systems beside the arm."""
