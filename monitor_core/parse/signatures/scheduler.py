"""What schedulers and people order."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import cascade, root

SIGNATURES = (
    root(
        "slurm_time_limit",
        "Slurm stopped it at its time limit",
        "submit it again to go on from the newest checkpoint; a longer --time lets it run through",
        "slurmstepd: error: *** JOB 42221 ON n1 CANCELLED AT 2022-04-14T16:20:46 DUE TO TIME LIMIT ***",
        line=rb"CANCELLED (?:AT \S{1,40} )?DUE TO TIME LIMIT",
        planned=True,
    ),
    root(
        "time_limit",
        "it was stopped at its time limit",
        "start it again to go on from the newest checkpoint; a longer limit lets it run through",
        "PBS: job killed: walltime 3605 exceeded limit 3600",
        "timeout: sending signal TERM to command 'python'",
        line=rb"job killed: walltime|TERM_RUNLIMIT|timeout: sending signal \w{1,10} to command"
        rb"|reached the wall-?time limit",
        planned=True,
    ),
    root(
        "slurm_preempted",
        "Slurm took its nodes away",
        "Slurm starts it again if it was submitted with --requeue; else submit it again",
        "slurmstepd: error: *** JOB 42221 ON n1 CANCELLED AT 2022-04-14T16:20:46 DUE TO PREEMPTION ***",
        line=rb"CANCELLED (?:AT \S{1,40} )?DUE TO (?:PREEMPTION|JOB REQUEUE)",
        planned=True,
    ),
    root(
        "preempted",
        "its machine was taken away",
        "start it again to go on from the newest checkpoint",
        "submitit WARNING (2026-04-14 16:20:46,112) - Caught signal SIGUSR2 on gpu-01: this job is preempted.",
        "Spot interruption notice received: the instance goes in 2 minutes",
        line=rb"this job is preempted|(?:[Pp]reemption|[Ii]nterruption) notice received|TERM_PREEMPT"
        rb"|[Rr]eceived (?:signal )?SIGUSR[12]\b.{0,60}(?:requeu|preempt|checkpoint)",
        planned=True,
    ),
    root(
        "slurm_node_failed",
        "a node of the job failed",
        "submit it again without that node, and have the node examined",
        "srun: error: Node failure on gpu-03",
        "slurmstepd: error: *** STEP 7.0 ON n1 CANCELLED AT 2022-04-14T16:20:46 DUE TO NODE FAILURE, SEE SLURMCTLD ",
        line=rb"error: Node failure on|CANCELLED (?:AT \S{1,40} )?DUE TO NODE FAIL",
    ),
    cascade(
        "slurm_task",
        "Slurm ended the other tasks after one failed",
        "look for the task that failed first",
        "error: *** STEP 7.1 ON n1 CANCELLED AT 2026-05-22T03:56 DUE TO TASK FAILURE",
        line=rb"CANCELLED (?:AT \S{1,40} )?DUE TO TASK",
    ),
    root(
        "slurm_cancelled",
        "somebody cancelled it in Slurm",
        "`sacct -j JOB` tells when; submit it again to go on from the newest checkpoint",
        "slurmstepd: error: *** STEP 9999.0 ON n1 CANCELLED AT 2022-04-14T16:20:46 ***",
        line=rb"\*\*\* (?:JOB|STEP) .{1,200}CANCELLED AT|TERM_OWNER",
        planned=True,
    ),
    root(
        "stopped_by_signal",
        "the launcher was told to stop",
        "ask who stopped it, or the scheduler; start it again to go on from the newest checkpoint",
        "W1124 api.py:753] Received 15 death signal, shutting down workers",
        "torch.distributed.elastic.multiprocessing.api.SignalException: Process 3013 got signal: 15",
        line=rb"Received \d{1,2} death signal|SignalException: Process \d{1,9} got signal"
        rb"|Received Signals\.SIG\w{1,8} death signal",
        planned=True,
    ),
    root(
        "interrupted",
        "somebody interrupted it from the keyboard",
        "start it again to go on from the newest checkpoint",
        "KeyboardInterrupt",
        error=rb"^KeyboardInterrupt\b",
        planned=True,
    ),
)
