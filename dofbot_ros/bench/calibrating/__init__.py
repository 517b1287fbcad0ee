"""Arms and pictures to calibrate, whose truth is known."""
