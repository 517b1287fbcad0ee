"""The dofbot command."""
