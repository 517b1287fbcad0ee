"""The DofBot arm as a LeRobot robot."""

from lerobot_robot_dofbot.config_dofbot import DofbotConfig
from lerobot_robot_dofbot.dofbot import Dofbot

__all__ = ["Dofbot", "DofbotConfig"]
