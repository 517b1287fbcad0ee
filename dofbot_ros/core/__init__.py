"""What every part shares: units, time, frames, results of long work."""
