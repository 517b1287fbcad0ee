"""A hopping robot in MuJoCo: policies trained in one world, measured in another."""
