"""A simulated hand that imitates the silhouette of a real one."""
