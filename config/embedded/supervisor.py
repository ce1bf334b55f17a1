"""Runs all parts of the product on one machine, and ends all of them, whatever happens."""

import http.client
import signal
import threading
import time
from hashlib import sha256
from types import FrameType

from config.embedded import databases
from config.embedded import environment as variables
from config.embedded.console import say, say_addresses
from config.embedded.errors import CannotStart
from config.embedded.files import FolderLock, make_folder, require_space
from config.embedded.options import Options
from config.embedded.parts import Parts
from config.embedded.ports import LOOPBACK, is_free, remembered_ports
from config.embedded.processes import end_leftover
from config.embedded.recall import remember
from config.embedded.servers import Servers
from config.embedded.service import Service
from config.embedded.stamps import Stamps, code_stamp, static_stamp
from config.embedded.steps import AskedToStop, Question, Steps, because_it_said

HEALTHY_SECONDS = 60.0
ADDRESSES_SECONDS = 15.0
TEND_SECONDS = 0.25
ARCHIVE_WORTH_SAYING_GB = 2.0
# Long jobs resume from their checkpoint.
PARTS_STOP_SECONDS = 5.0


class Supervisor:
    """Starts the servers and the parts, tends them, and stops them in reverse order."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.data = options.data.absolute()
        self._began = time.monotonic()
        self._stop = threading.Event()
        self._servers: Servers | None = None
        self._services: list[Service] = []
        self._question: Question | None = None

    def run(self) -> None:
        """Run until asked to stop; raises CannotStart. Nothing is left running in either case."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._asked)
        self.data = make_folder(self.data)
        with FolderLock(self.data):
            try:
                self._start()
                while not self._stop.wait(TEND_SECONDS):
                    self._tend()
            except AskedToStop:
                pass
            finally:
                self._stop_all()

    def _asked(self, number: int, frame: FrameType | None) -> None:
        self._stop.set()

    def _start(self) -> None:
        port = self.options.port
        require_space(self.data)
        variables.tell_unused()
        for name in ("run", "log", "mail"):
            (self.data / name).mkdir(mode=0o700, exist_ok=True)
        # A bin/up that was killed may have left the web server, on the very port we want.
        for record in (self.data / "run").glob("*.json"):
            end_leftover(record, end_with=signal.SIGTERM)
        if not is_free(port):
            raise CannotStart(f"Port {port} is in use by another program; choose another one with --port.")
        count = self._count_servers()
        names = [databases.name_of(number) for number in range(1, count + 1)]
        ports = remembered_ports(self.data / "run" / "ports", (*names, "redis", "mail"))
        self._servers = Servers(self.data, ports, servers=count)
        self._servers.start()
        environment = variables.base_environment(
            data=self.data, port=port, mail_port=ports["mail"], redis_url=self._servers.redis_url
        )
        parts = Parts(root=self.options.root, data=self.data, environment=environment)
        steps = Steps(root=self.options.root, data=self.data, environment=environment, stop=self._stop)
        stamps = self._stamps()
        self._prepare(self._servers, environment, steps, stamps, servers=count)
        self._start_parts(parts, steps, ports["mail"], stamps)

    def _count_servers(self) -> int:
        """How many databases to start; a server of one's own is none of them. Raises CannotStart."""
        if not variables.own_database():
            return databases.how_many(self.data, self.options.servers)
        if self.options.servers is not None:
            raise CannotStart(
                "--servers is for embedded databases; with CONTROL_DATABASE_URL set the shards are those of "
                "SHARD_1_DATABASE_URL, SHARD_2_DATABASE_URL, … ."
            )
        return 1

    def _stamps(self) -> Stamps:
        """Kept beside the databases they speak of, so that both are lost together."""
        assert self._servers is not None
        if self._servers.postgres is not None:
            return Stamps(self._servers.postgres.folder)
        return Stamps(self.data / "run" / sha256(variables.control_url().encode()).hexdigest()[:16])

    def _prepare(
        self,
        embedded: Servers,
        environment: dict[str, str],
        steps: Steps,
        stamps: Stamps,
        *,
        servers: int,
    ) -> None:
        code = code_stamp(self.options.root)
        if servers > 1:
            code = f"{code} on {servers} servers"
        is_prepared = stamps.holds("prepare", code)
        if not is_prepared:
            say("Preparing the databases.")
        if not is_prepared or not embedded.knows_logins():
            embedded.make_logins()
        environment.update(embedded.urls())
        embedded.require_answers(environment)
        remember(self.data, environment)
        if not is_prepared:
            stamps.forget("prepare")
            if variables.knows_owner(environment):
                steps.run("prepare", owner=True, what="Preparing the databases")
                stamps.set("prepare", code)
            else:
                say("The databases are taken as they are, because OWNER_CONTROL_DATABASE_URL is not set.")
        static, collected = static_stamp(self.options.root), Stamps(self.data / "static")
        if not collected.holds("collectstatic", static):
            steps.run("collectstatic", "--noinput", "-v", "0", owner=False, what="Collecting static files")
            collected.set("collectstatic", static)

    def _start_parts(self, parts: Parts, steps: Steps, mail_port: int, stamps: Stamps) -> None:
        web = parts.web(self.options.port)
        self._launch(web)
        # Two cores: the page first, then what works in the background.
        self._question = steps.ask("addresses", "--json")
        if "MAIL_CATCHER_FOLDER" in parts.environment:
            self._launch(parts.mail(mail_port))
        self._wait_until_healthy(web)
        for service in parts.workers():
            self._launch(service)
        if self.options.demonstration and not stamps.holds("demonstration", "loaded"):
            say("Loading the demonstration, which takes about a minute.")
            steps.run("demonstration", owner=False, what="Loading the demonstration")
            stamps.set("demonstration", "loaded")
            self._question.drop()
            self._question = steps.ask("addresses", "--json")
        self._greet(self._question, catches_mail="MAIL_CATCHER_FOLDER" in parts.environment)

    def _launch(self, service: Service) -> None:
        service.start()
        self._services.append(service)

    def _wait_until_healthy(self, web: Service) -> None:
        end = time.monotonic() + HEALTHY_SECONDS
        while not _is_healthy(self.options.port):
            if self._stop.wait(0.05):
                raise AskedToStop
            if not web.child.is_running() or time.monotonic() > end:
                raise because_it_said("The web server does not start", web.child)

    def _greet(self, question: Question, *, catches_mail: bool) -> None:
        sites = question.answer(ADDRESSES_SECONDS)
        say(f"Enclave answers after {time.monotonic() - self._began:.1f} s.")
        say()
        if isinstance(sites, list):
            say_addresses(site for site in sites if isinstance(site, dict))
        else:
            say(f"  http://enclave.localhost:{self.options.port}/")
        say()
        if catches_mail:
            say(f"Mail is caught and shown at http://enclave.localhost:{self.options.port}/mail/")
        say(f"Logs are in {self.data / 'log'}.")
        self._warn_of_archive()
        say("Ctrl-C stops everything.")

    def _warn_of_archive(self) -> None:
        assert self._servers is not None
        kept = self._servers.databases
        gigabytes = 0.0 if kept is None else kept.archived_bytes() / 1e9
        if gigabytes > ARCHIVE_WORTH_SAYING_GB:
            say(
                f"The archive of the database's log has grown to {gigabytes:.1f} GB; "
                "docs/deploy.md says when it may be emptied."
            )

    def _tend(self) -> None:
        assert self._servers is not None
        self._servers.tend()
        for service in self._services:
            service.tend()

    def _stop_all(self) -> None:
        if self._question is not None:
            self._question.drop()
        for service in reversed(self._services):
            service.child.ask_to_stop()
        end = time.monotonic() + PARTS_STOP_SECONDS
        for service in reversed(self._services):
            service.child.wait_or_kill(end - time.monotonic())
        if self._servers is not None:
            self._servers.stop()


def _is_healthy(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=2)
    try:
        connection.request("GET", "/-/health")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
