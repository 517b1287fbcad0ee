"""How hopper policies learn: from state, and from pictures by imitation."""
