"""Commands that keep what an arm did, and play it again."""
