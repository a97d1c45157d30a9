"""Tokens of remote connectors: shown once, hashed at rest, revoked at once; the actions with permission and trail."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from accounts.actions import NotAllowed
from accounts.choices import Role
from audit.actor import person, system
from audit.choices import Source
from audit.models import AuditEntry
from integrations import actions, queries
from integrations.actions import tokens
from integrations.choices import ConnectorKind
from integrations.models import Connector, ConnectorToken
from tests.cast import Cast
from tests.cast import person as somebody

NOW = timezone.now()


@pytest.fixture
def connector(cast: Cast) -> Connector:
    """A remote connector."""
    return actions.create_connector("Berlin", actor=system())


def test_a_token_is_shown_once_and_only_its_hash_is_kept(connector: Connector, cast: Cast) -> None:
    token = actions.make_token(connector, actor=person(cast.admin, Source.ADMIN))
    row = ConnectorToken.objects.get()
    assert token.startswith(f"lkc_{row.prefix}_")
    assert row.created_by == "ada@example.com"
    secret = token.split("_", 2)[2]
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names():
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            assert secret not in repr(cursor.fetchall()), table


def test_a_token_lets_in_until_it_ends_or_is_revoked(connector: Connector) -> None:
    token = actions.make_token(connector, actor=system(), expires_at=NOW + timedelta(hours=1))
    row = tokens.admit(token, at=NOW)
    assert row is not None
    assert row.connector == connector
    assert tokens.admit(token, at=NOW + timedelta(hours=1)) is None
    assert tokens.still_holds(row.pk, at=NOW)
    assert not tokens.still_holds(row.pk, at=NOW + timedelta(hours=1))
    assert actions.revoke_token(row, actor=system())
    assert not actions.revoke_token(row, actor=system())
    assert tokens.admit(token, at=NOW) is None
    assert not tokens.still_holds(row.pk, at=NOW)


@pytest.mark.parametrize("change", ["", "x", "lkc_", "lkc_0123456789_", "\0", "lkc_é_" + "a" * 43])
def test_what_is_no_token_lets_nobody_in(connector: Connector, change: str) -> None:
    token = actions.make_token(connector, actor=system())
    assert tokens.admit(change) is None
    assert tokens.admit(token + change) is None or change == ""
    assert tokens.admit(token[:-1] + ("A" if token[-1] != "A" else "B")) is None


def test_two_tokens_of_one_connector_both_let_in(connector: Connector) -> None:
    old, new = (actions.make_token(connector, actor=system()) for _ in range(2))
    first = tokens.admit(old)
    assert first is not None and tokens.admit(new) is not None
    actions.revoke_token(first, actor=system())
    assert tokens.admit(old) is None
    assert tokens.admit(new) is not None
    assert [row.revoked_at is None for row in queries.tokens(connector)] == [True, False]


def test_the_last_use_of_a_token_is_noted_once_a_minute(connector: Connector) -> None:
    token = actions.make_token(connector, actor=system())
    for seconds, noted in ((0, 0), (30, 0), (61, 61)):
        tokens.admit(token, at=NOW + timedelta(seconds=seconds))
        assert ConnectorToken.objects.get().last_used_at == NOW + timedelta(seconds=noted)


def test_the_connector_in_this_server_gets_no_token(cast: Cast) -> None:
    with pytest.raises(actions.NotRemote):
        actions.make_token(actions.embedded_connector(), actor=system())


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "Berlin"])
def test_a_connector_needs_a_name_of_its_own(connector: Connector, name: str) -> None:
    with pytest.raises(actions.BadName):
        actions.create_connector(name, actor=system())


def test_each_action_asks_for_its_permission_and_is_in_the_trail(cast: Cast) -> None:
    deployer = person(somebody("Dora", Role.DEPLOYMENT), Source.ADMIN)
    row = actions.create_connector("Paris", actor=deployer)
    assert row.kind == ConnectorKind.REMOTE
    actions.make_token(row, actor=deployer)
    actions.revoke_token(ConnectorToken.objects.get(), actor=deployer)
    entries = AuditEntry.objects.filter(subject_id=str(row.pk)).order_by("pk")
    names = ["connector.created", "connector.token_made", "connector.token_revoked"]
    assert list(entries.values_list("action", flat=True)) == names
    assert {entry.actor_name for entry in entries} == {"Dora"}
    for nobody in (person(cast.outsider, Source.PORTAL), person(somebody("Vi", Role.VIEWER), Source.ADMIN)):
        for refused in (
            lambda actor: actions.create_connector("Rome", actor=actor),
            lambda actor: actions.make_token(row, actor=actor),
            lambda actor: actions.revoke_token(ConnectorToken.objects.get(), actor=actor),
        ):
            with pytest.raises(NotAllowed):
                refused(nobody)
    assert not Connector.objects.filter(name="Rome").exists()
