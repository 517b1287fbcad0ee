"""Frozen validated dataclasses and their YAML spelling."""
