"""Random input for everything that reads input: what comes out is a value that is right, or one line that says why."""
