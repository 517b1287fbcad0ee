"""Commands that serve a page."""
