"""What is said when the memory of the host, or a part of it, runs out, and when native code crashes."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import Evidence, root

SIGNATURES = (
    root(
        "host_oom",
        "the host ran out of memory",
        "ask for more memory, or use fewer data loader workers and less prefetching and pinned memory",
        "[Tue Mar 3] Out of memory: Killed process 14750 (python) total-vm:1kB",
        "slurmstepd: error: Detected 1 oom_kill event in StepId=123.0. Some of the step tasks have been OOM Killed.",
        "slurmstepd: error: Detected 1 oom-kill event(s) in step 7.batch cgroup.",
        "srun: error: gpu-07: task 3: Out Of Memory",
        "oom-kill:constraint=CONSTRAINT_MEMCG,nodemask=(null),cpuset=job_42,mems_allowed=0-1,oom_memcg=/slurm/job_42",
        "terminate called after throwing an instance of 'std::bad_alloc'",
        line=rb"[Oo]ut of memory: Kill|[Oo][Oo][Mm][_-][Kk]ill(?: event|ed|:)|OOM[ -]?Killed"
        rb"|tasks? [\d,-]{1,80}: Out Of Memory"
        rb"|std::bad_alloc|[Ee]xceeded (?:\w+ )?memory limit|TERM_MEMLIMIT",
        error=rb"(?<!OutOf)MemoryError\b|[Cc]annot allocate memory|DefaultCPUAllocator: "
        rb"|not enough memory: you tried to allocate"
        rb"|OutOfMemoryError: Task was killed due to the node running low|memory usage threshold",
    ),
    root(
        "shm",
        "shared memory ran out (/dev/shm)",
        "give the container more (`--shm-size`, `--ipc=host`), or use fewer data loader workers",
        "RuntimeError: DataLoader worker (pid 123) is killed by signal: Bus error. It is possible that",
        "./run.sh: line 12:  3391 Bus error               (core dumped) python train.py",
        line=rb"insufficient shared memory|Bus error(?: +\(core|\.|\s*$|  )",
        error=rb"Bus error|unable to (?:open|write to file|mmap \d+ bytes from the file) </torch_|out of shared memory",
    ),
    root(
        "too_many_threads",
        "the limit of processes and threads is reached",
        "raise `ulimit -u` or the limit of the container, or use fewer workers and OMP_NUM_THREADS",
        "RuntimeError: can't start new thread",
        error=rb"can't start new thread|Resource temporarily unavailable|pthread_create failed",
    ),
    root(
        "too_many_files",
        "the limit of open files is reached",
        "raise `ulimit -n`, or set the sharing strategy of torch.multiprocessing to file_system",
        "OSError: [Errno 24] Too many open files: '/data/shard-00017.tar'",
        error=rb"Too many open files|received 0 items of ancdata",
        caught=True,
    ),
    root(
        "segv",
        "a process crashed in native code",
        "look at the stack below it; often two libraries were built for different versions",
        "./run.sh: line 3: 1234 Segmentation fault      (core dumped) python train.py",
        "Fatal Python error: Segmentation fault",
        "[gpu-07:14750] Signal: Segmentation fault (11) is an error",
        line=rb"(?:Fatal Python error: |Signal: |: line \d{1,9}: +\d{1,9} |`|signal: |^\s{0,8})Segmentation fault"
        rb"|Segmentation fault\s{1,20}\(core|signal SIGSEGV|[Cc]aught signal 11|SIGSEGV \(",
        error=rb"SIGSEGV|[Ss]egmentation fault",
    ),
    root(
        "illegal_instruction",
        "a program was built for another processor",
        "install or build it for the processor of that host",
        "./run.sh: line 4:  881 Illegal instruction     (core dumped) python train.py",
        line=rb"Illegal instruction\s{1,20}\(core|Fatal Python error: Illegal instruction",
        error=rb"SIGILL\b",
    ),
    root(
        "sigkill",
        "a process was killed from outside",
        "most often the host ran out of memory: look at its kernel log (`dmesg`) and at the memory of the job",
        "./run.sh: line 12:  3391 Killed                  python train.py",
        "torch.multiprocessing.spawn.ProcessExitedException: process 1 terminated with signal SIGKILL",
        line=rb": line \d{1,9}: +\d{1,9} Killed\s|^Killed\s*$|exited on signal 9\b",
        error=rb"signal SIGKILL|died with <Signals\.SIGKILL|is killed by signal: Killed",
        evidence=Evidence.ENDED,
    ),
    root(
        "dataloader",
        "a data loader worker died",
        "look at the memory of the host and at /dev/shm; run it once with num_workers=0 to see the error itself",
        "RuntimeError: DataLoader worker (pid(s) 123) exited unexpectedly",
        line=rb"DataLoader worker \(pid.{0,60}(?:exited unexpectedly|killed by signal: (?!Terminated))",
        error=rb"DataLoader timed out after",
        evidence=Evidence.ENDED,
    ),
)
