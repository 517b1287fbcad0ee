"""Calibration step by step, for pages that lead through it."""
