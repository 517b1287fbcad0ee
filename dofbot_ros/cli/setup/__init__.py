"""Commands for the first evening with an arm: find it, look it over, try it."""
