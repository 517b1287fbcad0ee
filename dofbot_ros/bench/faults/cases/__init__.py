"""States, faults and what is done in them."""
