"""What is said of disks, files, checkpoints and data."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import root

SIGNATURES = (
    root(
        "disk_full",
        "a disk is full, or its quota used up",
        "remove old checkpoints, or write to another disk (`df -h`, `df -i`, `quota`)",
        "tee: /logs/run.log: No space left on device",
        "cp: writing 'x': Disk quota exceeded",
        "OSError: [Errno 28] No space left on device",
        line=rb"No space left on device|Disk quota exceeded",
        error=rb"\[Errno (?:28|122)\]|StorageFull|DiskFullError",
    ),
    root(
        "write_failed",
        "a checkpoint could not be written (is the disk full?)",
        "look at the free space, the quota and the inodes of the disk (`df -h`, `df -i`)",
        "RuntimeError: [enforce fail at inline_container.cc:858] . PytorchStreamWriter failed writing",
        "RuntimeError: [enforce fail at inline_container.cc:672] . unexpected pos 16571776 vs 16571664",
        error=rb"PytorchStreamWriter failed|basic_ios::clear: iostream error|unexpected pos \d{1,20} vs \d"
        rb"|file write failed"
        rb"|SafetensorError: Error while serializing|Parent directory .{0,200} does not exist",
    ),
    root(
        "checkpoint_missing",
        "the checkpoint to begin from is not there",
        "look at the path, and whether the newest save was complete",
        "FileNotFoundError: [Errno 2] No such file or directory: '/ckpt/iter_0008000/mp_rank_00_003/model_optim_rng",
        "ValueError: Can't find a valid checkpoint at /ckpt/checkpoint-500",
        error=rb"No such file or directory: ['\"][^'\"]{0,300}(?:ckpt|checkpoint|iter_\d{7}|model_optim_rng)"
        rb"|(?i:can't find a valid checkpoint|no valid checkpoint|could not find (?:a |any |the )?(?:valid )?checkpoint"
        rb"|checkpoint .{0,200}(?:not found|does not exist|doesn't exist)|no checkpoints? (?:was |were )?found)",
        caught=True,
    ),
    root(
        "checkpoint_corrupt",
        "a file is damaged (often a checkpoint that was not written to its end)",
        "begin from the checkpoint before it",
        "RuntimeError: PytorchStreamReader failed reading zip archive: failed finding central directory",
        "safetensors_rust.SafetensorError: Error while deserializing header: MetadataIncompleteBuffer",
        error=rb"PytorchStreamReader failed|archive is corrupted|Error while deserializing header|UnpicklingError"
        rb"|Ran out of input|[Uu]nexpected EOF|BadZipFile|Bad magic number|zlib\.error|corrupted|is not a checkpoint"
        rb"|file in archive is not in a subdirectory|invalid load key",
        caught=True,
    ),
    root(
        "checkpoint_mismatch",
        "the checkpoint does not fit the model",
        "compare the model's settings and the parallel sizes with those of the run that saved it",
        "RuntimeError: Error(s) in loading state_dict for GPTModel:",
        error=rb"[Ee]rror\(s\) in loading state_dict|size mismatch for|(?:Missing|Unexpected) key\(s\) in state_dict"
        rb"|loaded state dict (?:has|contains)|[Gg]lobal shape mismatch|(?:checkpoint|loaded).{0,80}(?:mismatch"
        rb"|do(?:es)? not match)"
        rb"|Missing key in checkpoint|from checkpoint.{0,60}(?:is not equal|not equal)",
    ),
    root(
        "checkpoint_failed",
        "a checkpoint could not be saved or read",
        "look at the first error it quotes, and at the storage",
        "torch.distributed.checkpoint.api.CheckpointException: CheckpointException ranks:dict_keys([0, 3])",
        error=rb"CheckpointException|CheckpointingException",
    ),
    root(
        "model_load",
        "a model or its tokenizer cannot be loaded",
        "look at its path and files, and whether this version of the library knows it",
        "OSError: Can't load tokenizer for 'example/base'. If you were trying to load it from the hub",
        error=rb"Can't load (?:tokenizer|the model|the configuration|config|feature extractor|image processor)"
        rb"|[Cc]ouldn't instantiate the backend tokenizer|Tokenizer class \w{1,80} does not exist"
        rb"|Unrecognized (?:model|configuration class|processing class)|does not appear to have a file named"
        rb"|no file named|but Transformers does not recognize this architecture|[Vv]ocab(?:ulary)?.{0,40}not found",
        caught=True,
    ),
    root(
        "data_error",
        "the data cannot be read",
        "look at the file that it names, and whether the data set is complete",
        "datasets.exceptions.DatasetGenerationError: An error occurred while generating the dataset",
        "PIL.UnidentifiedImageError: cannot identify image file '/data/img/000123.jpg'",
        error=rb"^datasets\.|DatasetNotFoundError|DataFilesNotFoundError|UnidentifiedImageError|ArrowInvalid"
        rb"|JSONDecodeError"
        rb"|image file is truncated|UnicodeDecodeError|^tarfile\.|ParserError|[Dd]ata ?set .{0,120}(?:is empty"
        rb"|not found)",
        caught=True,
    ),
    root(
        "filesystem",
        "a file system failed",
        "look at the mounts of that host (`mount`, `dmesg`) and at the storage servers",
        "OSError: [Errno 116] Stale file handle",
        error=rb"Stale (?:NFS )?file handle|Input/output error|Remote I/O error|Transport endpoint"
        rb"|Read-only file system"
        rb"|\[Errno (?:5|108|116|121)\]|Structure needs cleaning|Device or resource busy|Host is down",
    ),
    root(
        "permission",
        "it may not read or write a file",
        "look at the owner and the rights of that path, as the user of the run",
        "PermissionError: [Errno 13] Permission denied: '/data/shared/cache'",
        "bash: ./run.sh: Permission denied",
        line=rb"(?:^|[ :])(?:ba|z|da)?sh: .{1,200}: Permission denied$"
        rb"|slurmstepd: error: execve\(\): .{1,200}: Permission denied",
        error=rb"^PermissionError|Permission denied|Operation not permitted",
        caught=True,
    ),
    root(
        "file_missing",
        "a file or folder is not there",
        "look at the path that it names, on the host that says it",
        "FileNotFoundError: [Errno 2] No such file or directory: '/data/wiki/train_text_document.idx'",
        "python: can't open file '/job/pretrain.py': [Errno 2] No such file or directory",
        line=rb"python\S{0,20}: can't open file|slurmstepd: error: execve\(\): .{1,200}: No such file",
        error=rb"FileNotFoundError|(?<!object file: )No such file or directory|NotADirectoryError"
        rb"|^\S{0,80}\bNotFoundError",
        caught=True,
    ),
)
