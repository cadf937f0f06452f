"""pytest against a real PostgreSQL: `python -m tests.on_postgres tests/sessions_app`. Arguments are pytest's."""

import os
import subprocess
import sys

from tests.services import Postgres


def main() -> int:
    postgres = Postgres()
    try:
        postgres.start()
        # The database goes with its server: no need to drop it first, while a thread may still be connected.
        command = [sys.executable, "-m", "pytest", "--reuse-db", *sys.argv[1:]]
        return subprocess.run(command, env={**os.environ, "DATABASE_URL": postgres.url}).returncode
    finally:
        postgres.remove()


if __name__ == "__main__":
    sys.exit(main())
