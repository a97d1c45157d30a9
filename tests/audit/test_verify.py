"""Verifying: whatever an owner of the database does to the trail, it shows."""

from __future__ import annotations

import gc
import re
from datetime import datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models

from audit import actions, chain, queries, triggers
from audit.models import AuditEntry, AuditSeal
from audit.verify import Break, verify
from tests.audit.trail import as_owner, write


@pytest.fixture
def trail(fresh_database: str) -> list[int]:
    """Five sealed entries and one that waits; return the ids of all."""
    write(5)
    assert actions.seal() == 5
    write(1)
    return list(AuditEntry.objects.order_by("id").values_list("id", flat=True))


def first_break() -> Break:
    """Return the first break of a trail that has one."""
    return verify().breaks[0]


def command(*words: str) -> str:
    """Run `manage.py audit` and return what it prints."""
    out = StringIO()
    call_command("audit", *words, stdout=out)
    return out.getvalue()


def other_value(field: models.Field[Any, Any]) -> str:
    """Return an SQL expression for a value that differs from every one a test wrote."""
    if isinstance(field, models.BigAutoField | models.BigIntegerField):
        return f"{field.column} + 1000"
    if isinstance(field, models.DateTimeField):
        return "'2001-01-01 00:00:00.000001+00:00'"
    if isinstance(field, models.UUIDField):
        return "'00000000000000000000000000000001'"
    return "'{\"a\": 1}'" if isinstance(field, models.JSONField) else "'other'"


def test_an_untouched_trail_is_intact(trail: list[int]) -> None:
    report = verify(queries.head())
    assert (report.links, report.unsealed, report.head, report.breaks) == (5, 1, queries.head(), [])
    assert re.fullmatch(
        r"The audit trail is intact: 5 links, 1 waiting for the sealer. Head 5:[0-9a-f]{64}\n", command("verify")
    )


def test_an_empty_trail_is_intact(fresh_database: str) -> None:
    report = verify()
    assert (report.links, report.unsealed, report.head, report.breaks) == (0, 0, (0, chain.NO_DIGEST), [])
    noted = command("head").strip()
    write()
    actions.seal()
    assert "intact" in command("verify", "--head", noted)


@pytest.mark.parametrize("name", [field.name for field in AuditEntry._meta.concrete_fields])
def test_an_edited_entry_is_named(trail: list[int], name: str) -> None:
    field = AuditEntry._meta.get_field(name)
    assert isinstance(field, models.Field)
    with as_owner() as owner:
        owner.execute(f"UPDATE audit_auditentry SET {field.column} = {other_value(field)} WHERE id = {trail[2]}")
    found = first_break()
    assert (found.sequence, found.entry_id) == (3, trail[2])
    assert ("deleted" if name == "id" else "content of the entry") in found.what


@pytest.mark.parametrize("name", [field.name for field in AuditSeal._meta.concrete_fields])
def test_an_edited_seal_is_named(trail: list[int], name: str) -> None:
    field = AuditSeal._meta.get_field(name)
    assert isinstance(field, models.Field)
    change = "entry_id = -7" if name == "entry" else f"{field.column} = {other_value(field)}"
    with as_owner() as owner:
        owner.execute(f"UPDATE audit_auditseal SET {change} WHERE sequence = 3")
    expected = {
        "sequence": "the seal is missing",
        "entry": "the entry was deleted",
        "digest": "the digest of the seal was changed",
        "sealed_at": "the content of the entry, its number in the chain or the time of its seal was changed",
    }
    assert (first_break().sequence, first_break().what) == (3, expected[name])


def test_a_detail_that_was_added_is_seen(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute(f"UPDATE audit_auditentry SET details = '{{\"x\": null}}' WHERE id = {trail[0]}")
    assert first_break().sequence == 1


@pytest.mark.parametrize("with_seal", [False, True])
def test_a_deleted_entry_in_the_middle_is_named(trail: list[int], with_seal: bool) -> None:
    with as_owner() as owner:
        owner.execute(f"DELETE FROM audit_auditentry WHERE id = {trail[2]}")
        if with_seal:
            owner.execute("DELETE FROM audit_auditseal WHERE sequence = 3")
    found = first_break()
    assert found.sequence == 3
    assert found.what == ("the seal is missing" if with_seal else "the entry was deleted")


def test_a_deleted_middle_with_the_rest_renumbered_is_seen(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute(f"DELETE FROM audit_auditentry WHERE id = {trail[2]}")
        owner.execute("DELETE FROM audit_auditseal WHERE sequence = 3")
        for sequence in (4, 5):
            owner.execute(f"UPDATE audit_auditseal SET sequence = {sequence - 1} WHERE sequence = {sequence}")
    assert (first_break().sequence, first_break().entry_id) == (3, trail[3])


def test_a_seal_deleted_at_the_end_leaves_its_entry_outside(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute("DELETE FROM audit_auditseal WHERE sequence = 5")
    assert (first_break().entry_id, first_break().what) == (
        trail[4],
        "neither sealed nor waiting: its seal was deleted",
    )


def test_swapped_entries_are_named(trail: list[int]) -> None:
    with as_owner() as owner:
        for sequence, entry in ((2, -1), (3, trail[1]), (2, trail[2])):
            owner.execute(f"UPDATE audit_auditseal SET entry_id = {entry} WHERE sequence = {sequence}")
    assert first_break().sequence == 2
    assert first_break().what == f"the order was changed: entry {trail[1]} belongs here"


def test_a_seal_before_the_first_is_named(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute("UPDATE audit_auditseal SET sequence = 0 WHERE sequence = 1")
    assert (first_break().sequence, first_break().what) == (0, "a seal that was never made here")


def test_a_waiting_entry_that_was_deleted_is_named(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute(f"DELETE FROM audit_auditentry WHERE id = {trail[5]}")
    assert (first_break().entry_id, first_break().what) == (trail[5], "the entry was deleted before it was sealed")


def test_a_waiting_entry_that_was_hidden_from_the_sealer_is_named(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute("DELETE FROM audit_unsealedentry")
    assert first_break().entry_id == trail[5]


def test_an_entry_slipped_past_the_sealer_is_named(trail: list[int]) -> None:
    with as_owner():
        write(1)
    assert "neither sealed nor waiting" in first_break().what


def test_a_tail_cut_off_shows_only_against_a_head_noted_earlier(trail: list[int]) -> None:
    sequence, digest = queries.head()
    with as_owner() as owner:
        owner.execute("DELETE FROM audit_auditseal WHERE sequence > 3")
        owner.execute("DELETE FROM audit_unsealedentry")
        owner.execute(f"DELETE FROM audit_auditentry WHERE id > {trail[2]}")
    assert verify().breaks == []
    (found,) = verify((sequence, digest)).breaks
    assert (found.sequence, "cut off behind link 3" in found.what) == (5, True)


def test_a_chain_computed_anew_shows_only_against_a_head_noted_earlier(trail: list[int]) -> None:
    noted = queries.head()
    with as_owner() as owner:
        owner.execute(f"UPDATE audit_auditentry SET actor_name = 'Mallory' WHERE id = {trail[1]}")
        digest = chain.NO_DIGEST
        for seal in AuditSeal.objects.select_related("entry"):
            digest = chain.link(digest, seal.sequence, seal.sealed_at, seal.entry)
            owner.execute(f"UPDATE audit_auditseal SET digest = '{digest}' WHERE sequence = {seal.sequence}")
    assert verify().breaks == []
    (found,) = verify(noted).breaks
    assert (found.sequence, "computed anew" in found.what) == (5, True)


def test_missing_triggers_are_a_break(trail: list[int]) -> None:
    triggers.remove(connection)
    assert "append-only triggers" in first_break().what


def test_the_first_break_is_named_however_many_there_are(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute(f"UPDATE audit_auditentry SET actor_name = 'x' WHERE id IN ({trail[1]}, {trail[3]})")
    assert [found.sequence for found in verify().breaks] == [2]
    assert verify().links == 1


def test_the_walk_crosses_pages(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.verify._PAGE", 2)
    write(5)
    actions.seal()
    assert verify().links == 5
    with as_owner() as owner:
        owner.execute("UPDATE audit_auditseal SET digest = 'x' WHERE sequence = 4")
    assert first_break().what == "the digest of the seal was changed"


def test_the_command_fails_and_names_the_place(trail: list[int]) -> None:
    with as_owner() as owner:
        owner.execute(f"UPDATE audit_auditentry SET actor_name = 'x' WHERE id = {trail[1]}")
    with pytest.raises(CommandError, match=rf"link 2, entry {trail[1]}: the content") as failure:
        command("verify")
    assert failure.value.returncode == 1


def test_the_command_takes_the_head_it_printed(trail: list[int]) -> None:
    noted = command("head").strip()
    assert "intact" in command("verify", "--head", noted)
    write()
    actions.seal()
    assert "intact" in command("verify", "--head", noted)
    with pytest.raises(CommandError, match="computed anew"):
        command("verify", "--head", f"5:{'0' * 64}")
    with pytest.raises(CommandError, match="SEQ:DIGEST"):
        command("verify", "--head", "5")


def test_a_walk_holds_a_page_at_a_time_however_long_the_trail(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.verify._PAGE", 10)
    held: list[int] = []
    link = chain.link

    def counting(previous: str, sequence: int, sealed_at: datetime, entry: AuditEntry) -> str:
        if sequence % 40 == 0:
            held.append(sum(type(thing) is AuditEntry for thing in gc.get_objects()))
        return link(previous, sequence, sealed_at, entry)

    write(200)
    actions.seal()
    monkeypatch.setattr(chain, "link", counting)
    # What the sealer held, seals and entries that know each other.
    gc.collect()
    assert (verify().links, len(held)) == (200, 5)
    # The page that is walked and the one before it, which is let go when the next one is there.
    assert max(held) <= 21
