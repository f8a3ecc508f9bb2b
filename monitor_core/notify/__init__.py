"""Carries messages to people: the protocol, mail, and the terminal."""
