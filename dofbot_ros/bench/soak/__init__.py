"""An arm at work for an hour: mixed commands, streams and faults, judged by what the emulated servos truly did."""
