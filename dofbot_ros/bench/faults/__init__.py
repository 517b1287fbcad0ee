"""The fault matrix: every state of the arm, every fault, judged by what the emulated servos truly did."""
