"""What the person who starts bin/up chose. Needs no package, so that mistakes are answered without any."""

import argparse
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
MOST_SERVERS = 8


@dataclass(frozen=True)
class Options:
    """`root` is the folder of the code, `data` that of everything kept.

    `servers` is how many database servers are wanted; None for as many as the data folder has, or one.
    """

    root: Path
    data: Path
    port: int
    demonstration: bool
    servers: int | None = None


def read_options(arguments: list[str]) -> Options:
    """Read the command line; an unknown word ends the program with a hint."""
    parser = argparse.ArgumentParser(
        prog="bin/up",
        description="Starts Enclave with a database and Redis of its own, and stops all of it on Ctrl-C. "
        "With CONTROL_DATABASE_URL, SHARD_1_DATABASE_URL, … and REDIS_URL set it uses those servers "
        "(docs/deploy.md lists all variables).",
    )
    parser.add_argument("--port", type=_port, default=8000, help="the web server's port (8000)")
    parser.add_argument("--data", type=Path, default=ROOT / "var", help="the folder for all data (var)")
    parser.add_argument("--no-demo", action="store_true", help="do not load the demonstration")
    parser.add_argument(
        "--servers",
        type=_servers,
        metavar="N",
        help=f"database servers, 1 to {MOST_SERVERS}: each after the first has a shard of its own "
        "(as many as the data folder has, or 1)",
    )
    chosen = parser.parse_args(arguments)
    return Options(
        root=ROOT,
        data=chosen.data,
        port=chosen.port,
        demonstration=not chosen.no_demo,
        servers=chosen.servers,
    )


def _servers(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) <= MOST_SERVERS:
        raise argparse.ArgumentTypeError(
            f"{text} servers are not possible; use a number from 1 to {MOST_SERVERS}"
        )
    return int(text)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port; use a number from 1 to 65535")
    return int(text)
