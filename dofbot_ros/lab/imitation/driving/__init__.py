"""An imitated hand drives the arm: curl to gripper gap, signs to stored poses."""
