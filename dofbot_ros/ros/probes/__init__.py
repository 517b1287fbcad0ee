"""Processes that benchmarks start: they measure, disturb and watch."""
