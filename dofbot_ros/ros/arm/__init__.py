"""The arm's side: what a driver publishes, hears and serves."""
