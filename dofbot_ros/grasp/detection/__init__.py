"""From a picture to grasps that are likely to hold."""
