"""Real servers for the tests of providers, one per version and test run."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests import targets_kubernetes, targets_mysql
from tests.connectors import kubernetes_world, redis_world
from tests.connectors.mysql_world import MySQLWorld
from tests.connectors.redis_world import RedisServer
from tests.connectors.world import World
from tests.targets import VERSIONS, PostgresServer, missing, running
from tests.targets_mysql import MySQLServer

_numbers = itertools.count(1)


def _server(version: int) -> Iterator[PostgresServer]:
    reason = missing(version)
    if reason:
        pytest.skip(reason)
    with running(version, "-c log_statement=all") as server:
        server.make_connector()
        yield server


@pytest.fixture(scope="session")
def server_15() -> Iterator[PostgresServer]:
    yield from _server(15)


@pytest.fixture(scope="session")
def server_16() -> Iterator[PostgresServer]:
    yield from _server(16)


@pytest.fixture(scope="session")
def server_18() -> Iterator[PostgresServer]:
    yield from _server(18)


@pytest.fixture(params=VERSIONS, ids=lambda version: f"pg{version}")
def server(request: pytest.FixtureRequest) -> PostgresServer:
    """A real server of each version; shared, so a test keeps to names of its own."""
    found = request.getfixturevalue(f"server_{request.param}")
    assert isinstance(found, PostgresServer)
    return found


@pytest.fixture
def world(server: PostgresServer) -> Iterator[World]:
    """A prepared database on a real server, with a person who asks for it."""
    made = World(server, f"shop{next(_numbers)}")
    made.create()
    yield made
    made.remove()


@pytest.fixture
def one_world(server_18: PostgresServer) -> Iterator[World]:
    """A prepared database on one server, for what does not depend on the version."""
    made = World(server_18, f"shop{next(_numbers)}")
    made.create()
    yield made
    made.remove()


@pytest.fixture
def open_world(world: World) -> World:
    """A database in which single schemas and tables can be granted too."""
    world.server.prepare(world.database, optional=True)
    return world


@pytest.fixture
def new_server() -> Iterator[PostgresServer]:
    """A server of its own, for tests that break it."""
    version = next((version for version in (18, 16, 15) if not missing(version)), 18)
    yield from _server(version)


def _redis(program: str, *options: str) -> Iterator[RedisServer]:
    if reason := redis_world.missing(program):
        pytest.skip(reason)
    with redis_world.running(program, *options) as server:
        yield server


@pytest.fixture(scope="session", params=("redis", "valkey"))
def redis_server(request: pytest.FixtureRequest) -> Iterator[RedisServer]:
    """A Redis and, where there is one, a Valkey; shared, so a test keeps to logins of its own."""
    program = redis_world.redis_program() if request.param == "redis" else str(redis_world.VALKEY)
    # As in version 6, where everybody may use every channel: nothing of ours may rely on another default.
    yield from _redis(program, "acl-pubsub-default allchannels")


@pytest.fixture
def new_redis() -> Iterator[RedisServer]:
    """A Redis of its own, for tests that break it."""
    yield from _redis(redis_world.redis_program())


@pytest.fixture(scope="session")
def cluster() -> Iterator[targets_kubernetes.Cluster]:
    """A real Kubernetes control plane, set up for namespaces; shared, so a test keeps to names of its own."""
    if reason := targets_kubernetes.missing():
        pytest.skip(reason)
    with targets_kubernetes.running(kubernetes_world.PEOPLE) as found:
        kubernetes_world.prepare(found)
        yield found


@pytest.fixture
def kube(cluster: targets_kubernetes.Cluster) -> kubernetes_world.World:
    """A namespace of the test's own in a real cluster, with a person who asks for it.

    It goes with the cluster: a namespace that is deleted takes its time, and other tests list namespaces meanwhile.
    """
    return kubernetes_world.World(cluster, f"shop-{next(_numbers)}").create()


# MySQL is in no package: what both servers have in common is tried on it in the full lane.
BOTH = ("mariadb", pytest.param("mysql", marks=pytest.mark.full))


def _mysql(kind: str) -> Iterator[MySQLServer]:
    if reason := targets_mysql.missing(kind):
        pytest.skip(reason)
    with targets_mysql.running(kind) as server:
        server.make_connector()
        yield server


@pytest.fixture(scope="session")
def mariadb_server() -> Iterator[MySQLServer]:
    yield from _mysql("mariadb")


@pytest.fixture(scope="session")
def mysql_only_server() -> Iterator[MySQLServer]:
    yield from _mysql("mysql")


@pytest.fixture(params=BOTH)
def mysql_server(request: pytest.FixtureRequest) -> MySQLServer:
    """A real server of each kind; shared, so a test keeps to names of its own."""
    found = request.getfixturevalue("mariadb_server" if request.param == "mariadb" else "mysql_only_server")
    assert isinstance(found, MySQLServer)
    return found


@pytest.fixture
def shop(mysql_server: MySQLServer) -> Iterator[MySQLWorld]:
    """A prepared database on a real MariaDB and MySQL, with a person who asks for it."""
    made = MySQLWorld(mysql_server, f"shop_{next(_numbers)}")
    made.create()
    yield made
    made.remove()


@pytest.fixture(params=BOTH)
def own_shop(request: pytest.FixtureRequest) -> Iterator[MySQLWorld]:
    """The same on a server of its own, for tests that change the server."""
    for server in _mysql(request.param):
        made = MySQLWorld(server, "shop")
        made.create()
        yield made
