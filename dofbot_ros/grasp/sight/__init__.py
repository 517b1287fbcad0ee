"""Where an arm without markers truly is: its drawn shapes laid over its outline in a fixed camera's pictures."""
