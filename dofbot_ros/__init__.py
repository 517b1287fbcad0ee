"""Control stack for the Yahboom DofBot: driver, simulation, vision, teleoperation and grasp trials."""

__version__ = "0.1.0"
