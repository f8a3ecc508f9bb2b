"""Keeps what is known of a run: phase, gaps, usual pace."""
