"""Our own database in tests: a migrated template, cloned for every process and for every test that asks for its own.

Two ways to use it:

* `db` (pytest-django): the test runs in a transaction that is rolled back. Fast; on_commit callbacks do not run and
  other threads see nothing.
* `fresh_database`: the test has a database of its own, a clone of the template. Commits are real, on_commit callbacks
  run, threads and other connections see the data.

Django's own way to have real commits, TransactionTestCase, empties the tables afterwards. The audit trail is
append-only by triggers and cannot be emptied, so `transactional_db` is refused.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from psycopg import sql

TEMPLATE = "latchkey_template"
_numbers = itertools.count(1)


def is_postgresql() -> bool:
    """Whether this run has PostgreSQL as our own database."""
    return bool(connection.vendor == "postgresql")


def current_url() -> str:
    """Return the address of the current database for another process's LATCHKEY_DATABASE_URL ("" for SQLite)."""
    if not is_postgresql():
        return ""
    chosen = connection.settings_dict
    return f"postgresql://{chosen['USER']}@{chosen['HOST']}:{chosen['PORT']}/{chosen['NAME']}"


def point_at(name: str) -> None:
    """Make Django use the database `name` from now on, in every thread that opens a connection."""
    connection.close()
    # One dictionary serves the wrappers of all threads; changing it in place is how Django's own test runner does it.
    connections.settings["default"]["NAME"] = name
    settings.DATABASES["default"]["NAME"] = name


def _administer(statement: sql.Composed) -> None:
    """Run a statement that may not be in a transaction, on the maintenance database."""
    chosen = connection.settings_dict
    with psycopg.connect(
        host=chosen["HOST"], port=chosen["PORT"], user=chosen["USER"], dbname="postgres", autocommit=True
    ) as server:
        server.execute(statement)


def _sqlite_template() -> Path:
    return Path(os.environ["LATCHKEY_TEST_RUN"]) / f"{TEMPLATE}.sqlite3"


def _build_template() -> None:
    """Migrate an empty database and leave it where clones are made from."""
    if is_postgresql():
        _administer(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(TEMPLATE)))
        point_at(TEMPLATE)
    else:
        point_at(str(_sqlite_template()))
    call_command("migrate", verbosity=0)
    if not is_postgresql():
        # A clone is a copy of one file: everything has to be in it, nothing in the write-ahead log.
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def ensure_template() -> None:
    """Build the template unless another process of this run has: the first does, the others wait."""
    run = Path(os.environ["LATCHKEY_TEST_RUN"])
    with (run / "template.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = run / "template.done"
        if not done.exists():
            _build_template()
            done.touch()


@contextmanager
def clone() -> Iterator[str]:
    """Make a clone of the template, point Django at it, yield its name, point back and remove it."""
    before = str(connection.settings_dict["NAME"])
    label = f"latchkey_{os.environ.get('PYTEST_XDIST_WORKER', 'only')}_{os.getpid()}_{next(_numbers)}"
    if is_postgresql():
        name = label
        _administer(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(TEMPLATE)))
    else:
        name = str(_sqlite_template().with_name(f"{label}.sqlite3"))
        shutil.copyfile(_sqlite_template(), name)
    point_at(name)
    try:
        yield name
    finally:
        point_at(before)
        _remove(name)


def _remove(name: str) -> None:
    """Drop a clone, whoever is still connected to it."""
    if is_postgresql():
        _administer(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        return
    for suffix in ("", "-wal", "-shm"):
        Path(name + suffix).unlink(missing_ok=True)
