"""Runs a pipeline: commands, kept outputs with reasons, and the order of the steps."""
