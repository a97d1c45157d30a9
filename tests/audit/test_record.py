"""Recording: in the caller's transaction, by a declared name, without secrets."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.db import transaction

from audit import actions, choices
from audit.actions import BadDetails, NotInTransaction, Subject, UnknownAction, record
from audit.actor import connector, system
from audit.models import AuditEntry
from connectors.contract.secret import Secret
from tests.audit.trail import ACTION, write

THING = Subject("thing", "7", "Thing 7")
NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


def test_an_entry_keeps_actor_subject_and_operation_as_they_were(db: None) -> None:
    actor = connector("i-1", "Edge")
    record(ACTION, actor=actor, subject=THING, details={"lines": [1, {"two": None}]}, at=NOON)
    record(ACTION, actor=actor, subject=THING)
    entry, second = AuditEntry.objects.order_by("id")
    assert (entry.actor_kind, entry.actor_id, entry.actor_name, entry.source) == (
        "connector",
        "i-1",
        "Edge",
        "connector",
    )
    assert (entry.subject_type, entry.subject_id, entry.subject_name) == ("thing", "7", "Thing 7")
    assert (entry.action, entry.at, entry.details) == (ACTION, NOON, {"lines": [1, {"two": None}]})
    assert entry.operation == second.operation == actor.operation != actor.again().operation


def test_an_entry_outside_a_transaction_is_refused(fresh_database: str) -> None:
    with pytest.raises(NotInTransaction):
        record(ACTION, actor=system(), subject=THING)
    assert not AuditEntry.objects.exists()


def test_an_entry_falls_with_its_change(fresh_database: str) -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        record(ACTION, actor=system(), subject=THING)
        raise ZeroDivisionError
    assert not AuditEntry.objects.exists()


def test_an_undeclared_action_is_refused(db: None) -> None:
    with pytest.raises(UnknownAction):
        record("audit.exportet", actor=system(), subject=THING)


def test_declaring_twice_is_harmless_and_differently_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choices, "ACTIONS", dict(choices.ACTIONS))
    monkeypatch.setattr(actions, "ACTIONS", choices.ACTIONS)
    actions.declare({"door.opened": "Opened a door"})
    actions.declare({"door.opened": "Opened a door"})
    with pytest.raises(ValueError, match="already declared"):
        actions.declare({"door.opened": "Shut a door"})
    assert choices.ACTIONS["door.opened"] == "Opened a door"


@pytest.mark.parametrize("name", ["door", "Door.opened", "door.", "door.opened.wide", "door opened", "d." + "o" * 80])
def test_a_badly_formed_name_cannot_be_declared(name: str) -> None:
    with pytest.raises(ValueError, match=r"noun\.verb"):
        actions.declare({name: "words"})


SMELLS = [
    "password",
    "newPassword",
    "DB_PASSWORD",
    "api-key",
    "apiKey",
    "APIKey",
    "accessToken",
    "client_secret",
    "pin",
]


@pytest.mark.parametrize("key", [*SMELLS, "pin", "privateKey", "credentials", "x-authorization", "set-cookie"])
def test_a_key_that_smells_of_a_secret_is_refused_at_any_depth(db: None, key: str) -> None:
    for details in ({key: "x"}, {"a": {"b": [{key: "x"}]}}, {"a": ({key: True},)}):
        with pytest.raises(BadDetails, match="secrets"):
            record(ACTION, actor=system(), subject=THING, details=details)
    assert not AuditEntry.objects.exists()


@pytest.mark.parametrize("key", ["tokenised", "secretary", "keyboard", "pinned", "compass", "spin", "author"])
def test_an_innocent_key_passes(db: None, key: str) -> None:
    record(ACTION, actor=system(), subject=THING, details={key: "x"})
    assert AuditEntry.objects.get().details == {key: "x"}


@pytest.mark.parametrize(
    "value", [Secret("hunter2"), uuid.uuid4(), NOON, {1, 2}, float("nan"), float("inf"), b"bytes", {1: "number"}]
)
def test_what_is_not_json_is_refused(db: None, value: object) -> None:
    with pytest.raises(BadDetails) as refusal:
        record(ACTION, actor=system(), subject=THING, details={"value": value})
    assert "hunter2" not in str(refusal.value)


def test_what_postgresql_cannot_store_is_replaced_and_what_is_too_long_is_cut(db: None) -> None:
    bad = "a\x00b\ud800c"
    subject = Subject("thing", "7", bad + "n" * 400)
    record(ACTION, actor=connector("i-1", bad), subject=subject, details={"error": [bad]})
    entry = AuditEntry.objects.get()
    assert entry.actor_name == "a\ufffdb?c"
    assert entry.details == {"error": ["a\ufffdb?c"]}
    assert len(entry.subject_name) == 300


def test_every_declared_action_has_words() -> None:
    assert all(words and words[0].isupper() and not words.endswith(".") for words in choices.ACTIONS.values())


def test_details_given_are_not_changed_and_not_shared(db: None) -> None:
    given = {"list": [1]}
    write(1, **given)
    assert given == {"list": [1]}
