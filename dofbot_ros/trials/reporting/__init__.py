"""Reports and pictures of trials."""
