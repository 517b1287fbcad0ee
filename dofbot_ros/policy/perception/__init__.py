"""What a policy knows from pictures."""
