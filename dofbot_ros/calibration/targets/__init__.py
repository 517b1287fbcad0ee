"""What is looked at: boards, sheets, a block in the hand."""
