"""Measuring one arm, its cameras and its table: from pictures and servo readings to files that hold."""
