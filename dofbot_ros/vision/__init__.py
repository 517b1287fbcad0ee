"""From pixels to block poses."""
