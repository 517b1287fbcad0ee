"""The hopper in MuJoCo: its body, its camera, its worlds, its episodes."""
