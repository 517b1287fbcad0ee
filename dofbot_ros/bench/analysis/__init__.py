"""What NetworkAnalyzer and the pictures of learning networks are measured by."""
