"""How good a policy is, and what another world costs it."""
