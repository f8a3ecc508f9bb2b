"""Causes that no line tells: only that the process is gone, or what its scheduler says."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import root

PROCESS_GONE = "process_gone"
SLURM_FAILED = "slurm_failed"

SIGNATURES = (
    root(
        PROCESS_GONE,
        "its process is gone without a word in the log",
        "look at the kernel log of that host (`dmesg`) for a kill, and at what the scheduler says of the job",
    ),
    root(
        SLURM_FAILED,
        "Slurm says that it failed",
        "`sacct -j JOB -o State,ExitCode,Reason,NodeList` tells what Slurm knows; look at the logs of all tasks",
    ),
)
