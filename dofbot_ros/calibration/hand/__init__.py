"""The gripper: where its fingers are, and which gap its servo's readings mean."""
