"""A production installation: servers that an administrator prepared, and processes started on them."""

import http.client
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from config.embedded.ports import free_port
from config.embedded.postgres import PostgresServer
from config.embedded.processes import wait_until
from config.embedded.redis import RedisServer
from tenants.bootstrap import Logins, environment, without_owner
from tests.production_settings import GOOD

ROOT = Path(__file__).resolve().parent.parent.parent
SETTINGS = {**GOOD, "DJANGO_SETTINGS_MODULE": "config.settings.prod"}


class Process:
    """One process of the product, and what it wrote."""

    def __init__(self, words: list[str], *, variables: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words],
                cwd=ROOT,
                env=dict(variables),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def said(self) -> str:
        """All that it wrote."""
        return self.log.read_text(errors="replace")

    def says(self, words: str, seconds: float = 60) -> bool:
        """Whether it writes `words` before it ends."""
        wait_until(lambda: words in self.said() or self.process.poll() is not None, seconds)
        return words in self.said()

    def ends(self, seconds: float = 60) -> int:
        """What it returns when it ends by itself."""
        return self.process.wait(timeout=seconds)

    def stop(self) -> None:
        """End it."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()


class Production:
    """The servers, the variables of an app's and of an owner's process, and what was started."""

    def __init__(self, folder: Path, postgres: PostgresServer, redis: RedisServer) -> None:
        self.folder, self.postgres = folder, postgres
        self.port = free_port()
        logins = Logins.make()
        urls = environment(host="127.0.0.1", port=postgres.port, logins=logins, shards=("shard_1", "shard_2"))
        ours = ("ENCLAVE_", "DJANGO_", "PYTEST_", "EMAIL_", "_DATABASE_URL")
        clean = {name: value for name, value in os.environ.items() if not any(word in name for word in ours)}
        self.owner = {
            **clean,
            **SETTINGS,
            **urls,
            "ENCLAVE_LOGIN": "owner",
            "REDIS_URL": redis.url,
            "ENCLAVE_DATA": str(folder / "data"),
        }
        self.app = {**without_owner(self.owner), "ENCLAVE_LOGIN": "app"}
        self._started: list[Process] = []

    def run(
        self, *words: str, variables: Mapping[str, str], typed: str = ""
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end, and type something."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=ROOT,
            env=dict(variables),
            capture_output=True,
            text=True,
            check=False,
            input=typed,
        )

    def start(self, *words: str, **changed: str) -> Process:
        """Start a process of the app, with some variables changed."""
        log = self.folder / f"{len(self._started)}.log"
        process = Process(list(words), variables={**self.app, **changed}, log=log)
        self._started.append(process)
        return process

    def web(self, **changed: str) -> Process:
        """Start the web server."""
        bind = f"127.0.0.1:{self.port}"
        return self.start(
            "gunicorn",
            "--config",
            "python:config.gunicorn",
            "--bind",
            bind,
            "config.wsgi:application",
            **changed,
        )

    def celery(self, *words: str, **changed: str) -> Process:
        """Start a worker or beat."""
        return self.start("celery", "--app=config.celery", *words, **changed)

    def get(self, path: str, *, host: str) -> http.client.HTTPResponse:
        """Ask as a proxy would that has ended TLS."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        headers = {"Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def get_over_tls(self, path: str, *, host: str, certificate: Path) -> http.client.HTTPResponse:
        """Ask as a browser would, where no proxy stands in front."""
        trusting = ssl.create_default_context(cafile=str(certificate))
        connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=trusting)
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        response.read()
        connection.close()
        return response

    def stop(self) -> None:
        """End everything that was started."""
        while self._started:
            self._started.pop().stop()


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for 127.0.0.1 that signs itself, and its key; return where they are."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@contextmanager
def running() -> Iterator[Production]:
    """A prepared installation with the organisation `acme`, thrown away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="enclave-production-"))
    folder.chmod(0o711)
    postgres = PostgresServer(folder / "postgres", free_port(), durable=False)
    redis = RedisServer(folder / "redis", free_port(), "a-password-of-tests")
    try:
        with postgres.running(), redis.running():
            production = Production(folder, postgres, redis)
            administrator = {**production.owner, "SUPERUSER_DATABASE_URL": postgres.superuser_url()}
            made = production.run("-m", "config.own_server", variables=administrator)
            assert made.returncode == 0, made.stderr
            for words in (
                ("prepare", "--ready", "1"),
                ("collectstatic", "--noinput", "-v", "0"),
                ("provision", "acme", "--name", "Acme", "--owner", "ann@acme.example"),
            ):
                variables = production.owner if words[0] == "prepare" else production.app
                done = production.run("manage.py", *words, variables=variables)
                assert done.returncode == 0, done.stderr
            yield production
    finally:
        shutil.rmtree(folder)
