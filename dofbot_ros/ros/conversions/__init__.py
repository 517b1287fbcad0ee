"""Between numpy and messages."""
