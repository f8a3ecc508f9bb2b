"""What ranks say that lose or do not find each other, and what services on the network answer."""

from __future__ import annotations

from monitor_core.parse.signatures.signature import Evidence, cascade, root

SIGNATURES = (
    root(
        "nccl_timeout",
        "a collective operation timed out: a rank did not join it",
        "look for the rank that is behind or silent, what its log said last, and at its host",
        "[Rank 118] Watchdog caught collective operation timeout: WorkNCCL(SeqNum=2398459, OpType=ALLREDUCE)",
        "RuntimeError: [unbound_buffer.cc:78] Timed out waiting 20000ms for recv operation to complete",
        "RuntimeError: Rank 0 timed out waiting for rank 3 in monitoredBarrier: Ranks 3 failed to pass monitoredBar",
        line=rb"Watchdog caught collective operation timeout|Timed out waiting \d{1,12}ms for (?:recv|send) operation",
        error=rb"monitoredBarrier|[Bb]arrier timed out|EI000[26]\b|[Hh][Cc][Cc][Ll].{0,80}[Tt]ime ?out"
        rb"|notify wait time",
        evidence=Evidence.WAITED,
    ),
    root(
        "nccl_heartbeat",
        "the NCCL watchdog itself hung",
        "look for a GPU or a driver that hangs on that host; a stack (`py-spy dump`) shows where it waits",
        "[rank0]:[E603 17:48:01 ProcessGroupNCCL.cpp:1] [Rank 0] Heartbeat monitor timed out! Process",
        line=rb"Heartbeat monitor timed out|ProcessGroupNCCL(?:'s)? watchdog (?:hang|got stuck)",
        evidence=Evidence.WAITED,
    ),
    root(
        "nvrx_heartbeat",
        "a rank gave no heartbeat to its monitor",
        "look at what that rank said last; if the pause was a healthy one, raise the heartbeat timeout",
        "[ERROR] [rank_monitor_server.py] Did not get subsequent heartbeat. Waited 180.00 seconds.",
        line=rb"Did not get (?:initial|subsequent) heartbeat|stopped sending heartbeats",
        error=rb"[Hh]eartbeat.{0,40}(?:timed out|timeout)",
        evidence=Evidence.WAITED,
    ),
    root(
        "nccl_usage",
        "NCCL was called in a way it does not allow (often two ranks on one GPU)",
        "see that each rank sets its own device by LOCAL_RANK; NCCL_DEBUG=WARN says more",
        "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1691, invalid usage (run with NCCL",
        "gpu-01:1:9 [0] NCCL WARN Duplicate GPU detected : rank 1 and rank 0 both on CUDA device 5d000, an error",
        line=rb"Duplicate GPU detected",
        error=rb"ncclInvalidUsage|ncclInvalidArgument|, invalid (?:usage|argument) \(run with NCCL",
    ),
    root(
        "ib_error",
        "an InfiniBand link failed",
        "look at the link and its counters on both hosts (`ibstat`, `link_downed`)",
        "gpu-01:1:9 [0] NCCL WARN NET/IB : Got completion from peer 192.0.2.7 with status=12 opcode=0 vendor err 12",
        line=rb"NET/IB ?: .{0,80}(?:Got completion.{0,80}(?:status=\d|error)|Got async (?:fatal )?event: (?!client))"
        rb"|IBV_WC_RETRY_EXC_ERR|local catastrophic error",
        evidence=Evidence.ENDED,
    ),
    root(
        "access",
        "a service refused access to a model or to data",
        "accept the terms of the model, and give the run a valid token",
        "huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo",
        error=rb"GatedRepoError|RepositoryNotFoundError|40[13] Client Error|Invalid user token|AccessDenied"
        rb"|NoCredentials"
        rb"|InvalidAccessKeyId|is not a local folder and is not a valid model identifier|ExpiredToken",
        caught=True,
    ),
    root(
        "wandb",
        "Weights & Biases did not take the run",
        "try WANDB_MODE=offline, or look at its key and the network",
        "wandb.errors.errors.CommError: Run initialization has timed out after 90.0 sec.",
        error=rb"^wandb\.|wandb.{0,80}api_key not configured|ServiceStart\w*Error",
        caught=True,
    ),
    root(
        "remote_service",
        "a service on the network did not answer",
        "fetch models and data before the run (HF_HUB_OFFLINE=1), or look at the proxy of that host",
        "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='huggingface.co', port=443): Max retries exc",
        error=rb"^(?:requests|urllib3?|httpx|httpcore|aiohttp|botocore|huggingface_hub(?!.{0,20}HFValid)|google"
        rb"|azure)\b|HfHubHTTPError"
        rb"|We couldn't connect to|LocalEntryNotFoundError|OfflineModeIsEnabled|MaxRetryError|EndpointConnectionError"
        rb"|[Cc]ouldn't reach .{0,80}on the Hub|HTTP Error \d|\b50[0234] Server Error",
        caught=True,
    ),
    root(
        "port_in_use",
        "a port is in use, perhaps by a job left over",
        "end what is left of the run before, or choose another MASTER_PORT",
        "torch.distributed.DistNetworkError: failed to listen: Address already in use",
        error=rb"[Aa]ddress already in use|EADDRINUSE",
    ),
    root(
        "ssh_failed",
        "the launcher could not log in to a host",
        "try `ssh` to that host from the first one, without a password",
        "gpu-02: ssh: connect to host gpu-02 port 22: Connection refused",
        "Host key verification failed.",
        "gpu-02: Permission denied (publickey,password).",
        line=rb"ssh: connect to host|ssh: Could not resolve hostname|Host key verification failed"
        rb"|Permission denied \((?:publickey|password)",
    ),
    root(
        "name_resolution",
        "the name of a host cannot be resolved",
        "look at MASTER_ADDR and at the name service of that host",
        "socket.gaierror: [Errno -2] Name or service not known",
        error=rb"Name or service not known|Temporary failure in name resolution|gaierror|getaddrinfo",
        caught=True,
    ),
    root(
        "rendezvous",
        "the ranks did not find each other",
        "see that all hosts started, and that MASTER_ADDR and its port can be reached from each",
        "torch.distributed.elastic.rendezvous.api.RendezvousClosedError",
        "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. 1/2 clients joined.",
        error=rb"Rendezvous(?:Connection|Timeout|Closed|State|Graceful)\w*Error|TCPStore.{0,200}[Tt]imed? ?out"
        rb"|client socket has (?:timed out|failed to connect)|waiting for clients\.|wait timeout after \d{1,12}ms, keys"
        rb"|Timed out initializing process group|connect\(\) timed out\. Original timeout|connection to .{0,60}c10d",
        evidence=Evidence.WAITED,
    ),
    cascade(
        "peer_lost",
        "the connection to another rank was lost",
        "look at the other ranks: the first that went away is the cause",
        "RuntimeError: [pair.cc:553] Connection closed by peer [127.0.0.1]:14211.",
        "torch.distributed.DistNetworkError: failed to recv, got 0 bytes",
        error=rb"Connection (?:closed by|reset by) peer|remote process exited or there was a network error"
        rb"|ncclRemoteError"
        rb"|NCCL communicator was aborted|failed to (?:recv|send), got \d|Broken pipe|(?:send|recv)(?:Bytes"
        rb"|Value\w*) failed"
        rb"|Connection refused|[Ss]ocket [Tt]imeout|Connection was likely closed|Software caused connection abort",
    ),
    cascade(
        "coordination",
        "the JAX coordination service ended the run since another process failed",
        "look at the other processes: the first that went away is the cause",
        "jaxlib.xla_extension.XlaRuntimeError: UNAVAILABLE: The following tasks are unhealthy",
        line=rb"JAX distributed service detected fatal errors|Polled an error from (?:the )?coordination service",
        error=rb"[Cc]oordination service|tasks are unhealthy|UNAVAILABLE: |DEADLINE_EXCEEDED|ABORTED: ",
    ),
    cascade(
        "nccl_error",
        "an NCCL operation failed",
        "look at the other ranks for what came first; NCCL_DEBUG=WARN says more",
        "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:1970, internal error",
        error=rb"(?:NCCL|RCCL|HCCL) [Ee]rror|nccl(?:System|Internal|UnhandledCuda)Error|unhandled (?:system|cuda) error"
        rb"|DistBackendError",
    ),
)
