"""Gymnasium environments over the simulated arm."""
