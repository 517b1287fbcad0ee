"""Drivers under test, and the time they run in."""
