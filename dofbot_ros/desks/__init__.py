"""Desks: worlds in which what the software is told differs from what is true, by the amounts of a real desk."""
