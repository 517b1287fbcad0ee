"""A session with its recordings, reports and pictures."""
