"""Reads logs on hosts: over SSH or on this machine, with one script and one framing."""

from __future__ import annotations

from monitor_core.collect.hosts import HostReader

__all__ = ["HostReader"]
