"""What all trainers share: the folder of a run, and the device that it trains on."""
