"""Images, their calibration and what is found in them."""
