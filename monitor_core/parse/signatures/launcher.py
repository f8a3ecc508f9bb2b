"""What launchers say of processes that failed: it follows from what those said themselves."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import cascade, context

CHILD_FAILED, DEEPSPEED_EXIT = "child_failed", "deepspeed_exit"
_LOOK = "look above for what that process said last, or at its own log file"
SIGNATURES = (
    context(
        "sigterm",
        "the launcher stopped the other processes",
        "W1124 api.py:1028] Sending process 2255 closing signal SIGTERM",
        line=rb"closing signal SIGTERM|killed by signal: Terminated|forcefully exiting via",
    ),
    cascade(
        CHILD_FAILED,
        "a process of the job failed",
        _LOOK,
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
        "E1124 api.py:1002] failed (exitcode: 1) local_rank: 1 (pid: 2604) of binary: python",
        line=rb"failed \(exitcode: -?\d{1,3}\)",
        error=rb"ChildFailedError",
    ),
    cascade(
        DEEPSPEED_EXIT,
        "a process of the job failed",
        _LOOK,
        "[launch.py:325:sigkill_handler] ['python', '-u', 'train.py'] exits with return code = 1",
        line=rb"exits with return code = -?[1-9]",
    ),
    cascade(
        "srun_task",
        "a Slurm task failed",
        _LOOK,
        "srun: error: n1: tasks 29,31: Aborted",
        line=rb"srun: error: .{0,200}\btasks? .{1,200}: (?:Exited|Aborted|Killed|Term|Seg|Bus|Ill)",
    ),
    cascade(
        "mpi_exit",
        "a process of mpirun failed",
        _LOOK,
        "mpirun noticed that process rank 3 with PID 0 on node gpu-07 exited on signal 6 (Aborted), error",
        line=rb"MPI_ABORT was invoked|mpirun (?:noticed that process|detected that one or more processes exited)",
    ),
    cascade(
        "worker_failed",
        "a process that another one had started failed",
        _LOOK,
        "subprocess.CalledProcessError: Command '['python', 'train.py']' returned non-zero exit status 1.",
        "torch.multiprocessing.spawn.ProcessRaisedException: ",
        "ray.exceptions.ActorDiedError: The actor died unexpectedly before finishing this task.",
        line=rb"Child process with PID \d{1,9} terminated with code [1-9]",
        error=rb"CalledProcessError|^torch\.multiprocessing\.spawn\.|^ray\.exceptions\.|^concurrent\.futures\."
        rb"|BrokenProcessPool|TerminatedWorkerError|One of the subprocesses has abruptly died",
    ),
    cascade(
        "aborted",
        "a process aborted",
        _LOOK,
        "Fatal Python error: Aborted",
        "terminate called after throwing an instance of 'c10::DistBackendError'",
        line=rb"Fatal Python error|terminate called after throwing|Aborted\s{1,20}\(core",
    ),
)
