"""Serial ports, real and virtual."""
