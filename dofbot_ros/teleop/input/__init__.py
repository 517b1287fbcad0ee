"""What the operator does: landmarks, keys, a gamepad."""
