"""One executable node each."""
