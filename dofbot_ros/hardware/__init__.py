"""The real arm: bytes, port, and the servo emulator that stands in for it."""
