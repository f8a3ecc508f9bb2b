"""Marks of tests that hold only in some ways of reading a host."""

from __future__ import annotations

import os

import pytest

# SFTP tells neither the clock of the host, nor inodes, nor fractions of a second.
by_shell = pytest.mark.parametrize("server", ["local", "ssh"], indirect=True)
by_ssh = pytest.mark.parametrize("server", ["ssh"], indirect=True)
here = pytest.mark.parametrize("server", ["local"], indirect=True)
not_as_root = pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything, and sshd kills nothing for it")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may do that")
