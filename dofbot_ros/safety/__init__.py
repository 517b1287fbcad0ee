"""What stands between a setpoint and a servo: governor, workspace, watchdog, state machine."""
