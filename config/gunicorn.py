"""How the web server runs: some processes with threads, sized by WEB_CONCURRENCY and WEB_THREADS."""

import os

# Threads, with a limit on how long a request may take to come in.
worker_class = "config.patience.PatientWorker"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("WEB_THREADS", "8"))
# One import for all processes: half the time to start, and shared memory.
preload_app = True
timeout = 60
graceful_timeout = 4
keepalive = 5
# With ENCLAVE_TLS=direct: this process ends TLS, and settings/prod.py has seen that both files are there.
if os.environ.get("ENCLAVE_TLS") == "direct":
    certfile = os.environ.get("ENCLAVE_TLS_CERTIFICATE")
    keyfile = os.environ.get("ENCLAVE_TLS_KEY")
# Where a proxy stands in front, TRUSTED_PROXIES names its address; nobody else may set forwarded headers.
forwarded_allow_ips = os.environ.get("TRUSTED_PROXIES", "127.0.0.1")
# Heartbeats of the processes: a folder in memory where there is one, so that a slow disk kills nobody.
_MEMORY = "/dev/shm"  # noqa: S108  # gunicorn makes a nameless file there
worker_tmp_dir = _MEMORY if os.path.isdir(_MEMORY) else None
control_socket_disable = True
