"""Trials whose numbers can be trusted: protocol, runner, report."""
