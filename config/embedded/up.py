"""Starts Enclave on this machine; see `bin/up --help`."""

import sys

from config.embedded.console import complain
from config.embedded.errors import CannotStart
from config.embedded.files import because_of
from config.embedded.options import read_options


def main() -> int:
    """Run until stopped; 1 with a sentence on standard error when it cannot start."""
    options = read_options(sys.argv[1:])
    try:
        # Here and not above, so that a package that is missing gives a sentence too.
        from config.embedded.supervisor import Supervisor
    except ImportError as error:
        complain(f"The packages in .venv are not whole ({error}); delete .venv and run bin/up again.")
        return 1
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
