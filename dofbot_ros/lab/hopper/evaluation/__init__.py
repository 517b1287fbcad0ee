"""How good hopper policies are, what another world costs them, and what they look like."""
