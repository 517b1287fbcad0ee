"""From a pose to checked motions of arm and fingers."""
