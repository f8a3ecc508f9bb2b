"""Runs parser and detectors over a recorded log with its own clock: the same code as live, with simulated polls."""
