"""What teleop_node sees, shows and commands, and a session of it."""
