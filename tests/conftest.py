"""How tests run. See `tests/databases.py` for our own database and `tests/cast.py` for the people.

Fixtures every test may ask for:

* `db`: our database, rolled back afterwards.  `fresh_database`: a database of the test's own with real commits.
* `cast`: requester, approver, admin, outsider, in whichever database the test asked for (`db` by default).
* `rng`: a random.Random for this test, made from the run's seed (printed; `--seed N` repeats a run).

Options: `--full` also runs what is marked `full`; `--only database` runs what uses our database, `--only plain` the
rest, so that `script/test` runs the rest once and not once per database. Of the fast lane's database tests those in
BOTH_DATABASES run on both databases in every run; each file of the others on one of them, which one the seed says, so
that another run has it the other way round. `--sample`, which script/test gives to the fast lane, also takes only part
of the long matrices (tests/sampling.py). The full lane runs all on both. The environment says which database it is:
LATCHKEY_TEST_DATABASE=sqlite (default) or postgresql, which starts a private server. Sockets reach this machine only.
Time is an argument (`at`) everywhere, so there is no clock to fake.
"""

from __future__ import annotations

import json
import os
import random
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings

from tests import sampling, sharing_out
from tests.environment import held

HERE = Path(__file__).parent
DATABASE_FIXTURES = {"db", "fresh_database", "cast", "django_db_setup", "template_database"}
REFUSED_FIXTURES = {"transactional_db", "live_server", "django_db_reset_sequences", "django_db_serialized_rollback"}

# What holds by locks, constraints, triggers or SQL of our own: there the two databases differ most.
BOTH_DATABASES = (
    "aql/",
    "audit/",
    "integrations/",
    "requests/test_approving",
    "requests/test_lifecycle",
    "requests/test_revoking",
    "requests/test_tiers",
)
# Folders whose tests never use our database: its lanes do not even read them.
NO_DATABASE = ("architecture", "connectors", "deploy", "torture")

# No test is timed, for machines are busy.
hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")

settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
settings.ALLOWED_HOSTS = [*settings.ALLOWED_HOSTS, "testserver", "localhost"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    parser.addoption("--full", action="store_true", help="also run the tests of the full lane")
    parser.addoption("--only", choices=["database", "plain"], help="only tests that use our database, or only others")
    parser.addoption("--sample", action="store_true", help="only part of the long matrices, as the seed says")
    parser.addoption("--seed", help="repeat a run with this seed")


def pytest_configure(config: pytest.Config) -> None:
    """Take the seed; a worker of xdist gets it through the environment."""
    if config.getoption("--seed"):
        os.environ["LATCHKEY_TEST_SEED"] = config.getoption("--seed")


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the private server and remove the run's folder, where this process made them."""
    held.close()


def _uses_database(item: pytest.Item) -> bool:
    """Whether the test touches our own database."""
    fixtures = set(getattr(item, "fixturenames", ()))
    return bool(fixtures & DATABASE_FIXTURES) or item.get_closest_marker("django_db") is not None


def _runs_on_the_other(item: pytest.Item) -> bool:
    """Whether the fast lane has this test on the other database in this run."""
    if item.path.relative_to(HERE).as_posix().startswith(BOTH_DATABASES):
        return False
    # By file: what a file prepares for all its tests is prepared once.
    file = item.nodeid.partition("::")[0]
    on_postgresql = zlib.crc32(f"{os.environ['LATCHKEY_TEST_SEED']}:{file}".encode()) % 2 == 0
    return on_postgresql != (os.environ.get("LATCHKEY_TEST_DATABASE") == "postgresql")


def _refuse_unread(item: pytest.Item) -> None:
    """Stop the run at a test that no lane would run."""
    if _uses_database(item) and item.path.relative_to(HERE).parts[0] in NO_DATABASE:
        raise pytest.UsageError(
            f"{item.nodeid} uses our database: its folder is among NO_DATABASE of tests/conftest.py."
        )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out, where only what uses our database runs, the folders that never do."""
    if config.getoption("--only") == "database" and collection_path.parent == HERE:
        return True if collection_path.name in NO_DATABASE else None
    return None


def _refuse_flushing(item: pytest.Item) -> None:
    """Stop the run at a test that would flush the tables: the audit trail cannot be emptied."""
    marker = item.get_closest_marker("django_db")
    if set(getattr(item, "fixturenames", ())) & REFUSED_FIXTURES or (marker and marker.kwargs.get("transaction")):
        raise pytest.UsageError(f"{item.nodeid}: use the fixture fresh_database to have real commits.")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what belongs to this lane."""
    keep: list[pytest.Item] = []
    leave: list[pytest.Item] = []
    only, full = config.getoption("--only"), config.getoption("--full")
    sample = config.getoption("--sample") and not full
    taken = sampling.chosen(items, os.environ["LATCHKEY_TEST_SEED"]) if sample else lambda item: True
    for item in items:
        _refuse_flushing(item)
        _refuse_unread(item)
        here = only is None or (only == "database") == _uses_database(item)
        later = here and not full and item.get_closest_marker("full") is not None
        elsewhere = only == "database" and not full and _runs_on_the_other(item)
        untaken = here and not later and not elsewhere and not taken(item)
        (keep if here and not later and not elsewhere and not untaken else leave).append(item)
        if later:
            _outcomes["only in the full lane"] += 1
        elif elsewhere:
            _outcomes["on the other database"] += 1
        elif untaken:
            _outcomes["with another seed"] += 1
    items[:] = keep
    sharing_out.long_ones_first(items)
    if leave:
        config.hook.pytest_deselected(items=leave)


_outcomes: Counter[str] = Counter()
_skips: list[tuple[str, str]] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count outcomes; an error in setting up or tearing down is a failure."""
    if report.skipped:
        _outcomes["skipped"] += 1
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skips.append((report.nodeid, reason.removeprefix("Skipped: ")))
    elif report.failed:
        _outcomes["failed"] += 1
    elif report.when == "call":
        _outcomes["passed"] += 1


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """A module that cannot be collected is a failure; one that skips itself is a skip."""
    if report.failed:
        _outcomes["failed"] += 1
    elif report.skipped:
        _outcomes["skipped"] += 1
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        _skips.append((report.nodeid, reason.removeprefix("Skipped: ")))


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write what script/test adds up. Only the controlling process counts; xdist's workers report to it."""
    path = os.environ.get("LATCHKEY_TEST_REPORT")
    if path and "PYTEST_XDIST_WORKER" not in os.environ:
        Path(path).write_text(json.dumps({"outcomes": _outcomes, "skips": _skips}))


def pytest_report_header() -> str:
    """Say what the run depends on."""
    database = os.environ.get("LATCHKEY_TEST_DATABASE", "sqlite")
    return f"latchkey: database {database}, seed {os.environ['LATCHKEY_TEST_SEED']}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Say how tests are shared out among processes."""
    return sharing_out.scheduler(config, log)


@pytest.fixture
def rng(request: pytest.FixtureRequest) -> random.Random:
    """Return this test's own source of chance, repeatable by the seed whatever else runs."""
    return random.Random(f"{os.environ['LATCHKEY_TEST_SEED']}:{request.node.nodeid}")


@pytest.fixture(scope="session")
def template_database(django_test_environment: None, django_db_blocker: object) -> None:
    """Build the template that databases are cloned from, once per run."""
    from pytest_django import DjangoDbBlocker

    from tests import databases

    assert isinstance(django_db_blocker, DjangoDbBlocker)
    with django_db_blocker.unblock():
        databases.ensure_template()


@pytest.fixture(scope="session")
def django_db_setup(template_database: None, django_db_blocker: object) -> Iterator[None]:
    """Give this process a clone for its `db` tests, instead of Django's own way of making a test database."""
    from pytest_django import DjangoDbBlocker

    from tests import databases

    assert isinstance(django_db_blocker, DjangoDbBlocker)
    with ExitStack() as stack:
        with django_db_blocker.unblock():
            stack.enter_context(databases.clone())
        yield
        with django_db_blocker.unblock():
            stack.close()


@pytest.fixture
def fresh_database(template_database: None, django_db_blocker: object) -> Iterator[str]:
    """Give the test a database of its own with real commits; yields its name (SQLite: the path of the file).

    Every thread that the test starts must have ended, or closed its connection, when the test ends.
    """
    from django.contrib.contenttypes.models import ContentType
    from pytest_django import DjangoDbBlocker

    from tests import databases

    assert isinstance(django_db_blocker, DjangoDbBlocker)
    with django_db_blocker.unblock():
        ContentType.objects.clear_cache()
        with databases.clone() as name:
            yield name


@pytest.fixture
def cast(request: pytest.FixtureRequest) -> object:
    """Return the standing cast (tests.cast.Cast), in `fresh_database` where the test asks for that, else in `db`."""
    if "fresh_database" not in request.fixturenames:
        request.getfixturevalue("db")
    else:
        request.getfixturevalue("fresh_database")
    from tests.cast import assemble

    return assemble()
