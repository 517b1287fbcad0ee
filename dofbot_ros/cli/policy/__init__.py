"""`dofbot policy`: train policies in simulation and measure them."""
