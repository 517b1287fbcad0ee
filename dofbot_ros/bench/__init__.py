"""Measurements behind dofbot bench."""
