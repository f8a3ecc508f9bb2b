"""Examines the set-up: the database, each host with its logs, the mail server. Nothing is sent, nothing is stored."""
