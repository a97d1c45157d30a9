"""The harness keeps what it promises."""

from __future__ import annotations

import os
import random
import socket
import threading

import pytest
from django.db import connection, connections, transaction

from accounts.models import User
from tests import cast as people
from tests.cast import Cast
from tests.network import NetworkBlocked


def test_a_socket_cannot_leave_the_machine() -> None:
    with socket.socket() as outgoing, pytest.raises(NetworkBlocked):
        outgoing.connect(("192.0.2.1", 80))
    with socket.socket() as outgoing, pytest.raises(NetworkBlocked):
        outgoing.connect_ex(("192.0.2.1", 80))


def test_a_socket_reaches_this_machine() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
        assert client.getpeername() == server.getsockname()


@pytest.mark.parametrize("time", [1, 2])
def test_db_rolls_back_between_tests(db: None, time: int) -> None:
    assert not User.objects.exists()
    people.person(f"Guest{time}")


@pytest.mark.parametrize("time", [1, 2])
def test_each_test_has_its_own_fresh_database(fresh_database: str, time: int) -> None:
    assert not User.objects.exists()
    people.person("Guest")
    assert str(connection.settings_dict["NAME"]) == fresh_database


def test_a_fresh_database_commits_for_real(fresh_database: str) -> None:
    ran = []
    with transaction.atomic():
        people.person("Guest")
        transaction.on_commit(lambda: ran.append("after commit"))
        assert not ran
    assert ran == ["after commit"]


def test_threads_see_what_a_fresh_database_has(fresh_database: str) -> None:
    people.person("Guest")
    seen = []

    def look() -> None:
        seen.append(User.objects.count())
        connections.close_all()

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [1]


def test_our_database_is_set_as_in_production(fresh_database: str) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            modes = [cursor.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
            assert modes == ["wal", 2]
            assert connection.settings_dict["OPTIONS"]["transaction_mode"] == "IMMEDIATE"
        else:
            cursor.execute("SHOW data_directory")
            assert cursor.fetchone()[0].startswith(os.environ["LATCHKEY_TEST_RUN"])


def test_names_of_other_machines_are_unknown() -> None:
    with pytest.raises(socket.gaierror):
        socket.getaddrinfo("example.com", 80)
    assert socket.getaddrinfo("localhost", 80)


def test_the_cast_has_four_people_in_four_roles(cast: Cast) -> None:
    assert {person.email for person in User.objects.all()} == {
        "rita@example.com", "abel@example.com", "ada@example.com", "otto@example.com",
    }  # fmt: skip
    assert cast.admin.is_staff
    assert not cast.outsider.is_staff


def test_the_cast_lives_in_the_fresh_database_when_there_is_one(fresh_database: str, cast: Cast) -> None:
    assert connection.settings_dict["NAME"] == fresh_database
    assert User.objects.filter(pk=cast.requester.pk).exists()


def test_chance_repeats_with_the_seed(rng: random.Random, request: pytest.FixtureRequest) -> None:
    again = random.Random(f"{os.environ['LATCHKEY_TEST_SEED']}:{request.node.nodeid}")
    assert [rng.random() for _ in range(3)] == [again.random() for _ in range(3)]
