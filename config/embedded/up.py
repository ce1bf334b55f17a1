"""Starts Enclave on this machine; see `bin/up --help`."""

import argparse
import sys
from pathlib import Path

from config.embedded.console import complain
from config.embedded.errors import CannotStart
from config.embedded.files import because_of
from config.embedded.supervisor import Options, Supervisor

ROOT = Path(__file__).resolve().parent.parent.parent


def read_options(arguments: list[str]) -> Options:
    """Read the command line; an unknown word ends the program with a hint."""
    parser = argparse.ArgumentParser(
        prog="bin/up",
        description="Starts Enclave with a database and Redis of its own, and stops all of it on Ctrl-C. "
        "With CONTROL_DATABASE_URL, SHARD_1_DATABASE_URL, … and REDIS_URL set it uses those servers.",
    )
    parser.add_argument("--port", type=_port, default=8000, help="the web server's port (8000)")
    parser.add_argument("--data", type=Path, default=ROOT / "var", help="the folder for all data (var)")
    parser.add_argument("--no-demo", action="store_true", help="do not load the demonstration")
    chosen = parser.parse_args(arguments)
    return Options(root=ROOT, data=chosen.data, port=chosen.port, demonstration=not chosen.no_demo)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:
        raise argparse.ArgumentTypeError(f"{text} is no port; use a number from 1 to 65535")
    return int(text)


def main() -> int:
    """Run until stopped; 1 with a sentence on standard error when it cannot start."""
    options = read_options(sys.argv[1:])
    try:
        Supervisor(options).run()
    except CannotStart as refusal:
        complain(str(refusal))
        return 1
    except OSError as error:
        complain(str(because_of(error, "Enclave", options.data)))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
