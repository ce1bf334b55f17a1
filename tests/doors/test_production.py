"""The commands of docs/deploy.md with production's settings: they serve, and refuse what is unsafe."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from config.embedded.processes import wait_until
from tests.doors import production

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def prepared() -> Iterator[production.Production]:
    """One installation for all tests."""
    with production.running() as made:
        yield made


@pytest.fixture
def installation(prepared: production.Production) -> Iterator[production.Production]:
    """The installation, with nothing left running after the test."""
    yield prepared
    prepared.stop()


def answers(installation: production.Production) -> bool:
    """Whether the web server is up."""
    try:
        return installation.get("/-/health", host="127.0.0.1").status == 200
    except OSError:
        return False


class TestMoving:
    """Somebody meant another installation, or another organisation."""

    def move(self, installation: production.Production, *words: str, typed: str = "") -> tuple[int, str]:
        """Run the command; return how it ended and what it said."""
        done = installation.run("manage.py", "move", *words, variables=installation.owner, typed=typed)
        return done.returncode, done.stdout + done.stderr

    def places(self, installation: production.Production) -> tuple[str, str]:
        """Return the shard on which acme lives, which has never moved, and another one."""
        _, said = self.move(installation, "acme", "--status")
        assert "has never moved" in said
        lives = said.split()[-1].rstrip(".")
        return lives, "shard_2" if lives == "shard_1" else "shard_1"

    def test_says_beforehand_what_would_be_done(self, installation: production.Production) -> None:
        lives, other = self.places(installation)
        ended, said = self.move(installation, "acme", "--to", other, "--check")
        assert ended == 0, said
        assert f"Acme (acme) can move from {lives} to {other}." in said
        assert "rows" in said
        assert "Nothing has been changed." in said
        self.places(installation)

    def test_asks_for_the_address_once_more(self, installation: production.Production) -> None:
        lives, other = self.places(installation)
        for more, typed, why in (
            ((), "", "Say --yes acme if you mean it."),
            ((), "acne\n", "“acne” is not “acme”"),
            (("--yes", "yes"), "", "“yes” is not “acme”"),
        ):
            ended, said = self.move(installation, "acme", "--to", other, *more, typed=typed)
            assert (ended, why in said) == (1, True), said
        self.places(installation)
        assert self.move(installation, "acme", "--to", other, typed="acme\n")[0] == 0
        assert self.move(installation, "acme", "--to", lives, "--yes", "acme")[0] == 0


class TestItServes:
    def test_all_threads_of_all_processes_reach_both_planes(
        self, installation: production.Production
    ) -> None:
        web = installation.web()
        assert wait_until(lambda: answers(installation), 60), web.said()

        # At once: a connection that the processes had in common would answer one request after the other.
        with ThreadPoolExecutor(12) as people:
            pages = list(
                people.map(
                    lambda _: installation.get("/accounts/login/", host="acme.enclave.example"), range(24)
                )
            )

        assert {page.status for page in pages} == {200}, web.said()
        page = pages[0]
        assert page.headers["Strict-Transport-Security"].startswith("max-age=63072000")
        cookies = page.headers.get_all("Set-Cookie") or []
        assert cookies
        for cookie in cookies:
            assert cookie.startswith("__Host-")
            assert "Secure" in cookie
            assert "Domain" not in cookie

    def test_tls_may_end_in_the_web_server(self, installation: production.Production) -> None:
        certificate, key = production.make_certificate(installation.folder)
        web = installation.web(
            ENCLAVE_TLS="direct", ENCLAVE_TLS_CERTIFICATE=str(certificate), ENCLAVE_TLS_KEY=str(key)
        )
        assert web.says("Listening at: https://"), web.said()

        page = installation.get_over_tls(
            "/accounts/login/", host="acme.enclave.example", certificate=certificate
        )

        assert page.status == 200, web.said()
        assert page.headers["Strict-Transport-Security"].startswith("max-age=63072000")

    def test_workers_and_beat_start(self, installation: production.Production) -> None:
        worker = installation.celery("worker", "--concurrency=1", "--queues=jobs.0,mail", "--loglevel=INFO")
        beat = installation.celery(
            "beat", f"--schedule={installation.folder / 'beat'}", "--pidfile=", "--loglevel=INFO"
        )

        assert worker.says(" ready."), worker.said()
        assert beat.says("Scheduler: Sending due task"), beat.said()


class TestItRefuses:
    @pytest.fixture
    def superuser(self, installation: production.Production) -> str:
        return installation.postgres.superuser_url("control")

    def test_a_superuser_in_every_process(self, installation: production.Production, superuser: str) -> None:
        for process in (
            installation.web(CONTROL_DATABASE_URL=superuser),
            installation.celery("worker", "--queues=mail", CONTROL_DATABASE_URL=superuser),
            installation.celery("beat", "--pidfile=", CONTROL_DATABASE_URL=superuser),
        ):
            assert process.ends() != 0
            assert "The login of control has superuser." in process.said()

    def test_a_superuser_as_the_owner(self, installation: production.Production, superuser: str) -> None:
        variables = {**installation.owner, "OWNER_CONTROL_DATABASE_URL": superuser}

        done = installation.run("manage.py", "prepare", variables=variables)

        assert done.returncode != 0
        assert "The login of control has superuser." in done.stderr

    def test_the_owners_login_in_the_web_server(self, installation: production.Production) -> None:
        web = installation.web(**installation.owner)

        assert web.ends() != 0
        assert "the web server never works as the owner" in web.said()

    def test_the_owners_login_in_a_worker_for_everything(self, installation: production.Production) -> None:
        worker = installation.celery("worker", "--queues=owner,jobs.0", **installation.owner)

        assert worker.ends() != 0
        assert "serves the queue owner and no other" in worker.said()

    @pytest.mark.parametrize(
        ("given", "taken", "named"),
        [
            ("ALTER ROLE enclave_app CREATEDB", "ALTER ROLE enclave_app NOCREATEDB", "createdb"),
            (
                "GRANT pg_read_all_data TO enclave_app",
                "REVOKE pg_read_all_data FROM enclave_app",
                "membership of a role of the server's own",
            ),
            (
                "CREATE ROLE extra; GRANT extra TO enclave_app WITH INHERIT TRUE",
                "DROP ROLE extra",
                "inherited rights",
            ),
            (
                "CREATE SCHEMA side AUTHORIZATION enclave_app",
                "DROP SCHEMA side",
                "tables, schemas or databases of its own",
            ),
            (
                "GRANT CREATE ON DATABASE shard_2 TO enclave_app",
                "REVOKE CREATE ON DATABASE shard_2 FROM enclave_app",
                "the right to make schemas",
            ),
            (
                "GRANT TEMP ON DATABASE shard_2 TO PUBLIC",
                "REVOKE TEMP ON DATABASE shard_2 FROM PUBLIC",
                "the right to make temporary tables",
            ),
        ],
    )
    def test_a_login_with_a_right_too_many(
        self, installation: production.Production, given: str, taken: str, named: str
    ) -> None:
        with psycopg.connect(installation.postgres.superuser_url("shard_2"), autocommit=True) as connection:
            connection.execute(given.encode())
            try:
                web = installation.web()
                assert web.ends() != 0
            finally:
                connection.execute(taken.encode())
        assert f"The login of shard_2 has {named}." in web.said()
