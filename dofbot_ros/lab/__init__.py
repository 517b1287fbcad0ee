"""The learning laboratory: systems to learn with, and instruments to see what networks have learned."""
