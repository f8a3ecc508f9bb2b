"""What Python programs say: settings, modules, numbers and tensors that do not fit."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import root

SIGNATURES = (
    root(
        "nan",
        "the loss or a gradient is not a number",
        "go back to a checkpoint before it, and try a lower learning rate or other data from there",
        "AssertionError: Rank 3: found NaN in local grad norm in backward pass",
        "Loss is nan, stopping training with an error",
        line=rb"Loss is (?:nan|inf|-inf), stopping training",
        error=rb"Unexpected result (?:nan|inf)|found (?:NaN|Inf) in|[Nn]on-finite|Minimum loss scale reached"
        rb"|loss scale already at minimum|(?:[Ll]oss|[Gg]radients?|grad norm|[Ll]ogits)\b.{0,40}\b(?:nan|NaN|inf"
        rb"|infinite)\b"
        rb"|FloatingPointError|probability tensor contains either|returned nan values",
    ),
    root(
        "library",
        "a compiled library does not fit the others",
        "install it again for this version of PyTorch, CUDA and Python",
        "ImportError: /env/flash_attn_2_cuda.so: undefined symbol: _ZN3c104cuda9SetDeviceEia",
        error=rb"undefined symbol|GLIBCXX_\d|GLIBC_\d|cannot open shared object file|binary incompatibility"
        rb"|compiled with different CUDA|module compiled against ABI|numpy\.dtype size changed",
    ),
    root(
        "build",
        "an extension could not be built",
        "look at the compiler's message above; CUDA_HOME, nvcc and gcc must fit PyTorch",
        "RuntimeError: Error building extension 'fused_adam'",
        error=rb"Error building extension|ninja: build stopped|Ninja is required"
        rb"|CUDA_HOME environment variable is not set"
        rb"|Error compiling objects|Unsupported gpu architecture|detected CUDA version .{0,60}mismatches",
        caught=True,
    ),
    root(
        "import",
        "a Python module cannot be imported",
        "install what it names into the environment of the run",
        "ModuleNotFoundError: No module named 'dataclasses'",
        error=rb"^(?:ModuleNotFoundError|ImportError)\b|PackageNotFoundError|DistributionNotFound|VersionConflict",
    ),
    root(
        "arguments",
        "the command line is not understood",
        "correct the option that it names",
        "pretrain_gpt.py: error: unrecognized arguments: --no-such-thing",
        line=rb"\.py: error: (?:unrecognized|argument|the following|ambiguous)|(?:torchrun|deepspeed): error: "
        rb"|: error: (?:unrecognized arguments|the following arguments are required)",
        error=rb"^hydra\.errors\.|Could not override|^tyro\.|^jsonargparse|HfArgumentParser",
    ),
    root(
        "config",
        "the configuration is not valid",
        "correct the setting that it names",
        "omegaconf.errors.ConfigAttributeError: Key 'warmup' is not in struct",
        error=rb"^omegaconf\.|^yaml\.|^pydantic|ValidationError|ConfigKeyError|Unknown config|^toml|TOMLDecodeError"
        rb"|[Ii]nvalid config",
        caught=True,
    ),
    root(
        "layout",
        "the parallel or batch sizes do not divide each other",
        "choose sizes whose product fits the number of ranks",
        "RuntimeError: world_size (6) is not divisible by tensor_model_parallel_size (4)",
        error=rb"(?:is not|must be|should be|not) (?:evenly )?(?:divisible|a multiple of)"
        rb"|train_batch_size is not equal to",
        caught=True,
    ),
    root(
        "ddp_unused",
        "a part of the model took no part in the loss, or twice",
        "set find_unused_parameters=True, or leave those parameters out",
        "RuntimeError: Expected to have finished reduction in the prior iteration before starting a new one.",
        error=rb"Expected to have finished reduction in the prior iteration|Expected to mark a variable ready only once"
        rb"|parameters that were not used in producing",
        caught=True,
    ),
    root(
        "autograd",
        "the backward pass cannot be done",
        "look for tensors changed in place, detached, or used twice",
        "RuntimeError: Trying to backward through the graph a second time",
        error=rb"backward through the graph a second time|modified by an inplace operation"
        rb"|does not require grad and does not"
        rb"|Recomputed values for the following tensors",
        caught=True,
    ),
    root(
        "device_mix",
        "tensors are on different devices",
        "move the one that it names to the device of the model",
        "RuntimeError: Expected all tensors to be on the same device, but found at least two devices",
        error=rb"Expected all tensors to be on the same device|Input type .{1,60} and weight type|on different devices",
        caught=True,
    ),
    root(
        "dtype",
        "data types do not fit each other",
        "look at autocast and at what is in half precision",
        "RuntimeError: expected scalar type BFloat16 but found Float",
        error=rb"expected scalar type|must have the same dtype|to have the same dtype|not implemented for '(?:Half"
        rb"|BFloat16|Int"
        rb"|Long|Float|Bool|Byte)'|[Ee]xpected .{1,40}dtype",
        caught=True,
    ),
    root(
        "shape",
        "shapes do not fit each other",
        "compare the sizes that it names with the model's and the batch's",
        "RuntimeError: mat1 and mat2 shapes cannot be multiplied (4096x1024 and 2048x4096)",
        error=rb"shapes cannot be multiplied|The size of tensor a|expanded size of the tensor"
        rb"|Sizes of tensors must match"
        rb"|shape '\[.{0,80}\]' is invalid|stack expects each tensor to be equal size|could not broadcast"
        rb"|[Ss]hape mismatch"
        rb"|[Ii]ncompatible shapes|index out of range in self|[Ii]ndices should be either|inhomogeneous shape",
        caught=True,
    ),
    root(
        "assertion",
        "the program found something that must not be",
        "look at the line of the program that it names",
        "AssertionError: data parallel size must be at least 2",
        error=rb"^AssertionError\b",
        caught=True,
    ),
    root(
        "key",
        "a key is not there",
        "look at the configuration, or at the fields of the data or checkpoint",
        "KeyError: 'learning_rate'",
        error=rb"^KeyError\b",
        caught=True,
    ),
)
EXCEPTION = "exception"
# Any other.
UNKNOWN = root(
    EXCEPTION,
    "a Python exception",
    "look at the line of the program that it names",
    "ValueError: could not decode sample 48213",
    error=rb"\S",
    caught=True,
)
