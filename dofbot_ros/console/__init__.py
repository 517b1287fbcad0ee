"""The operator's web page: see, steer and stop the arm from a browser."""
