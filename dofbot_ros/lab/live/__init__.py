"""Seeing a network learn: one recorder, drawn as a film, a page, a window or served live; and what pruning leaves."""
