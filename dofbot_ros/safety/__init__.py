"""What stands between a wish and a servo: governor, workspace, watchdog, state machine."""
