"""Emulated servos on a pty."""
