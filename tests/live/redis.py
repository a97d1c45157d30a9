"""Redis servers of its own for connectors.vet.live: two nodes, as users are never copied from one to the other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

from connectors.contract.orders import Person, Unit
from tests.connectors.redis_world import (
    CONNECTOR,
    CONNECTOR_PASSWORD,
    VALKEY,
    RedisServer,
    redis_program,
    running,
)
from tests.connectors.redis_world import missing as no_server


class OpenSession:
    """A connection of the grantee."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        # Connections of a pool are made anew when they break; this one is not.
        self._connection = client.connection_pool.get_connection()

    def alive(self) -> bool:
        """Ask for an answer."""
        try:
            self._connection.send_command("PING")
            return bool(self._connection.read_response() in (b"PONG", "PONG"))
        except (redis.RedisError, OSError):
            return False

    def close(self) -> None:
        """Hang up."""
        self._connection.disconnect()
        self._client.close()


class RedisLive:
    """Two nodes with one person and everything that can be asked for."""

    def __init__(self, main: RedisServer, other: RedisServer) -> None:
        self._main, self._other = main, other
        self.config = {
            "hostname": "127.0.0.1",
            "port": main.port,
            "other_nodes": f"127.0.0.1:{other.port}",
            "tls": "false",
            "username": CONNECTOR,
            "persistence": "acl_file",
            "key_patterns": "app:*\ncache:*",
            "channel_patterns": "news:*",
        }
        self.secrets = {"password": CONNECTOR_PASSWORD}
        self.person = Person("person-live", "Ada Live", ("ada.live@example.com",))
        self.units = (
            Unit("key-pattern", "app:*", "READ_ONLY"),
            Unit("key-pattern", "cache:*", "READ_WRITE"),
            Unit("channel-pattern", "news:*", "SUBSCRIBE"),
            Unit("channel-pattern", "news:*", "PUBLISH"),
            Unit("server", "server", "READ_ONLY"),
            Unit("server", "server", "READ_WRITE"),
            Unit("server", "server", "ADMIN"),
        )

    def reaches(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> bool:
        """Do what the unit is for, on both nodes."""
        commands = {
            ("key-pattern", "READ_ONLY"): ("GET", "app:one"),
            ("key-pattern", "READ_WRITE"): ("SET", "cache:one", "1"),
            ("channel-pattern", "SUBSCRIBE"): ("SUBSCRIBE", "news:one"),
            ("channel-pattern", "PUBLISH"): ("PUBLISH", "news:one", "hello"),
            ("server", "READ_ONLY"): ("DBSIZE",),
            ("server", "READ_WRITE"): ("SET", "elsewhere", "1"),
            ("server", "ADMIN"): ("SLOWLOG", "LEN"),
        }
        command = commands[unit.resource_type, unit.permission]
        for node in (self._main, self._other):
            try:
                with node.client(details["username"], credentials["password"]) as client:
                    client.execute_command(*command)
            except redis.RedisError:
                return False
        return True

    def session(self, unit: Unit, details: dict[str, Any], credentials: dict[str, str]) -> OpenSession:
        """Connect and stay."""
        return OpenSession(self._other.client(details["username"], credentials["password"]))

    def snapshot(self) -> object:
        """Return the users of both nodes, in memory and in their files."""
        files = [sorted(" ".join(sorted(line.split())) for line in self._saved(node)) for node in self._nodes]
        return [node.users() for node in self._nodes], files

    def give_standing(self, unit: Unit) -> bool:
        """Make a user of the person's own name that may read."""
        for node in self._nodes:
            node.admin("ACL SETUSER", "ada.live", "on", ">her own", f"%R~{unit.resource}", "+@read")
            node.admin("ACL SAVE")
        return True

    def take_standing(self, unit: Unit) -> None:
        """Remove it."""
        for node in self._nodes:
            node.admin("ACL DELUSER", "ada.live")
            node.admin("ACL SAVE")

    @property
    def _nodes(self) -> tuple[RedisServer, RedisServer]:
        return self._main, self._other

    def _saved(self, node: RedisServer) -> list[str]:
        with suppress(FileNotFoundError):
            return (node.folder / "users.acl").read_text().splitlines()
        return []


def missing() -> str:
    """Return why there can be no server."""
    return no_server(redis_program())


@contextmanager
def live() -> Iterator[RedisLive]:
    """Start a Redis, and as the second node a Valkey where there is one."""
    other = str(VALKEY) if VALKEY.is_file() else redis_program()
    with running(redis_program()) as first, running(other) as second:
        yield RedisLive(first, second)
