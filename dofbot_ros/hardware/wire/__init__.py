"""The two wire protocols."""
