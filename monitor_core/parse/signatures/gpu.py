"""What GPUs, their drivers and their libraries say."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import root

SIGNATURES = (
    root(
        "cuda_oom",
        "GPU out of memory",
        "try a smaller micro-batch or sequence, activation checkpointing, or more ranks for one model",
        "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
        "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while trying to allocate 171798691",
        "RuntimeError: NPU out of memory. Tried to allocate 2.24 GiB",
        "terminate called after throwing an instance of 'c10::CUDAError': CUDA out of memory",
        line=rb"(?:CUDA|HIP|NPU|XPU|MPS backend) (?:error: )?out of memory|\bOutOfMemoryError\b"
        rb"|CUBLAS_STATUS_ALLOC_FAILED"
        rb"|RESOURCE_EXHAUSTED: (?:Out of memory|Failed to allocate|Error allocating)|CUDA_ERROR_OUT_OF_MEMORY: out of"
        rb"|Cuda failure.{0,10}out of memory|Out of memory error on (?:GPU|NPU|XPU)"
        rb"|memory isn't enough and alloc failed",
        error=rb"OOM when allocating|ResourceExhaustedError|RESOURCE_EXHAUSTED|Failed to allocate memory.{0,80}EL0004"
        rb"|EL0004",
    ),
    root(
        "cuda_assert",
        "a GPU kernel failed",
        "look for token ids, labels or indices out of range; run it once with CUDA_LAUNCH_BLOCKING=1",
        "RuntimeError: CUDA error: device-side assert triggered",
        "Loss.cu:250: nll_loss: block: [0,0,0], thread: [0,0,0] Assertion `t >= 0 && t < n_classes` failed, CUDA error",
        "what():  CUDA error: an illegal memory access was encountered",
        line=rb"device-side assert triggered|illegal memory access|thread: \[[\d, ]{1,40}\] Assertion"
        rb"|Memory access fault by GPU",
        error=rb"CUDA error: (?:misaligned address|invalid program counter|an illegal instruction"
        rb"|operation not supported)"
        rb"|CUDA_ERROR_ILLEGAL_ADDRESS|aicore exception|error code is 507015",
    ),
    root(
        "cuda_hardware",
        "a GPU failed",
        "look at `nvidia-smi -q` and the kernel log of that host for an Xid; take the host out if it comes again",
        "RuntimeError: CUDA error: uncorrectable ECC error encountered",
        "RuntimeError: No CUDA GPUs are available",
        line=rb"Unable to determine the device handle for GPU|GPU is lost",
        error=rb"uncorrectable (?:NVLink |ECC )+error|unspecified launch failure|CUDA error: unknown error"
        rb"|hardware error"
        rb"|CUDA-capable device\(s\) is/are busy|no CUDA-capable device|No CUDA GPUs are available"
        rb"|CUDA_ERROR_ECC_UNCORRECTABLE|No (?:HIP|NPU|XPU) (?:GPUs|devices?) (?:are|is) available",
    ),
    root(
        "cuda_driver",
        "the GPU driver does not fit the CUDA libraries",
        "compare `nvidia-smi` with the CUDA version of the build; after a driver update the host needs a reboot",
        "RuntimeError: CUDA error: no kernel image is available for execution on the device",
        "Failed to initialize NVML: Driver/library version mismatch, an error",
        line=rb"Failed to initialize NVML: Driver/library version mismatch",
        error=rb"driver version is insufficient|NVIDIA driver on your system is too old|Found no NVIDIA driver"
        rb"|no kernel image is available|forward compatibility was attempted|CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"
        rb"|hipErrorNoBinaryForGpu|PTX was compiled with an unsupported toolchain|ersion mismatch.{0,40}driver"
        rb"|system not yet initialized",
    ),
    root(
        "cuda_device",
        "it asks for a GPU that is not there",
        "start as many processes on a host as it has GPUs, and look at CUDA_VISIBLE_DEVICES",
        "torch.AcceleratorError: CUDA error: invalid device ordinal",
        error=rb"invalid device ordinal|Invalid device id|device_count.{0,40}but",
    ),
    root(
        "cudnn",
        "a call of cuDNN or cuBLAS failed",
        "often the GPU is out of memory, else versions do not fit each other: watch its memory, try one GPU alone",
        "RuntimeError: cuDNN error: CUDNN_STATUS_EXECUTION_FAILED",
        "RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling `cublasSgemm`",
        error=rb"CUDNN_STATUS_\w|CUBLAS_STATUS_\w|CUSOLVER_STATUS_\w|MIOPEN|miopenStatus",
    ),
    root(
        "compile",
        "a GPU kernel could not be compiled",
        "run it once without torch.compile, and clear the caches of Triton and Inductor",
        "torch._inductor.exc.InductorError: LoweringException: AssertionError: no valid triton configs",
        error=rb"^torch\._(?:inductor|dynamo)\.exc\.|BackendCompilerFailed|OutOfResources|^triton\.|CompilationError"
        rb"|PassManager::run failed|XLA compilation|ptxas",
        caught=True,
    ),
    root(
        "gpu_unsupported",
        "this GPU lacks what the code asks for",
        "choose another attention backend or data type, or run on a newer GPU",
        "RuntimeError: FlashAttention only supports Ampere GPUs or newer.",
        error=rb"FlashAttention only supports|No operator found for .memory_efficient|No available kernel"
        rb"|requires compute capability|bf16.{0,40}not supported|fp8.{0,60}(?:only|requires|not) (?:supported|compute)",
        caught=True,
    ),
)
ANY_CUDA = root(
    "cuda_error",
    "a call of the GPU's driver failed",
    "run it once with CUDA_LAUNCH_BLOCKING=1 to see which call it was",
    "RuntimeError: CUDA error: invalid argument",
    error=rb"(?:CUDA|HIP|ACL|NPU|XPU) error|CUDA driver error|hipError\w|CUDA_ERROR_\w|ERR\d{5}",
)
