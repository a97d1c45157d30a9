"""The database refuses to change the trail, whoever asks, and goes on doing so after migrations."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from audit import triggers
from audit.actions import seal
from audit.checks import check_triggers
from audit.models import AuditEntry, AuditSeal, UnsealedEntry
from tests.audit.trail import write

CHANGES = [
    "UPDATE audit_auditentry SET action = 'x.y'",
    "UPDATE audit_auditentry SET details = details",
    "DELETE FROM audit_auditentry",
    "UPDATE audit_auditseal SET digest = 'x'",
    "DELETE FROM audit_auditseal",
    "UPDATE audit_unsealedentry SET entry_id = entry_id + 100",
    "DELETE FROM audit_unsealedentry",
]
REPLACEMENTS = [
    "INSERT OR REPLACE INTO audit_auditentry SELECT * FROM audit_auditentry",
    "INSERT OR REPLACE INTO audit_auditseal SELECT * FROM audit_auditseal",
    "INSERT OR REPLACE INTO audit_auditseal SELECT sequence + 100, digest, sealed_at, entry_id FROM audit_auditseal",
    "UPDATE OR REPLACE audit_auditentry SET id = id + 1",
]
TABLES = ["audit_auditentry", "audit_auditseal", "audit_unsealedentry"]


def only(vendor: str) -> None:
    """Skip on the other database, where the statement does not exist."""
    if connection.vendor != vendor:
        pytest.skip(f"a statement of {vendor} only")


def refuse(statement: str) -> None:
    """Assert that the statement fails as a broken rule and changes nothing."""
    before = [list(model._default_manager.values_list()) for model in (AuditEntry, AuditSeal, UnsealedEntry)]
    refused = pytest.raises(IntegrityError, match=r"append-only|not sealed yet")
    with refused, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert before == [list(model._default_manager.values_list()) for model in (AuditEntry, AuditSeal, UnsealedEntry)]


@pytest.fixture
def trail(db: None) -> None:
    """One sealed entry, one that waits."""
    write()
    assert seal() == 1
    write()


@pytest.mark.usefixtures("trail")
class TestRefused:
    @pytest.mark.parametrize("statement", CHANGES)
    def test_a_change(self, statement: str) -> None:
        refuse(statement)

    @pytest.mark.parametrize("statement", REPLACEMENTS)
    def test_a_replacement(self, statement: str) -> None:
        only("sqlite")
        refuse(statement)

    @pytest.mark.parametrize("table", TABLES)
    def test_emptying_a_table(self, table: str) -> None:
        only("postgresql")
        # Or PostgreSQL refuses because foreign keys of this transaction are still to be checked.
        connection.check_constraints()
        refuse(f"TRUNCATE {table} CASCADE")

    def test_an_upsert(self) -> None:
        refuse(
            "INSERT INTO audit_auditseal (sequence, digest, sealed_at, entry_id) "
            "SELECT sequence, 'x', sealed_at, entry_id FROM audit_auditseal WHERE true "
            "ON CONFLICT (sequence) DO UPDATE SET digest = excluded.digest"
        )

    def test_a_change_by_a_session_that_plays_replica(self) -> None:
        only("postgresql")
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
        refuse("DELETE FROM audit_auditentry")

    def test_a_change_by_the_models(self) -> None:
        entry = AuditEntry.objects.latest("id")
        for change in (entry.save, entry.delete, AuditEntry.objects.all().delete, AuditSeal.objects.all().delete):
            with pytest.raises(IntegrityError), transaction.atomic():
                change()


def test_every_entry_waits_for_the_sealer_however_it_is_written(db: None) -> None:
    AuditEntry.objects.bulk_create([AuditEntry(action="a.b", actor_kind="system", source="system") for _ in range(3)])
    assert list(UnsealedEntry.objects.values_list("pk", flat=True)) == sorted(
        AuditEntry.objects.values_list("pk", flat=True)
    )


def test_a_removed_or_altered_trigger_is_reported_and_migrate_puts_it_back(fresh_database: str) -> None:
    assert check_triggers(databases=["default"]) == []
    name = "audit_entry_waits"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_entry_waits")
            cursor.execute(
                "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger AS $$BEGIN END$$ LANGUAGE plpgsql"
            )
        else:
            cursor.execute(f"DROP TRIGGER {name}")
            cursor.execute("DROP TRIGGER audit_seal_no_delete")
            cursor.execute("CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_auditseal BEGIN SELECT 1; END")
    absent = triggers.missing(connection)
    assert name in absent
    assert any(other.startswith("audit_seal_no_") for other in absent)
    (warning,) = check_triggers(databases=["default"])
    assert (warning.id, name in warning.msg) == ("audit.W001", True)
    call_command("migrate", verbosity=0)
    assert triggers.missing(connection) == []
    write()
    refuse("DELETE FROM audit_auditentry")


def test_before_the_first_migration_nothing_is_missing(fresh_database: str) -> None:
    call_command("migrate", "audit", "zero", verbosity=0)
    assert triggers.missing(connection) == []
    call_command("migrate", verbosity=0)
    assert triggers.missing(connection) == []
    write()
    assert seal() == 1


def test_entries_from_before_the_triggers_wait_for_the_sealer(fresh_database: str) -> None:
    call_command("migrate", "audit", "0001", verbosity=0)
    triggers.remove(connection)
    write(2)
    assert not UnsealedEntry.objects.exists()
    call_command("migrate", verbosity=0)
    assert seal() == 2


@pytest.mark.parametrize("model", [AuditEntry, AuditSeal, UnsealedEntry])
def test_the_triggers_survive_a_migration_that_rebuilds_a_table(fresh_database: str, model: type) -> None:
    only("sqlite")
    write()
    plan = [(SimpleNamespace(app_label="audit"), False)]
    triggers.before_migrate(using="default", plan=plan)
    with connection.constraint_checks_disabled(), connection.schema_editor() as editor:
        editor._remake_table(model)
    triggers.after_migrate(using="default")
    assert triggers.missing(connection) == []
    refuse("DELETE FROM audit_auditentry")


def test_other_apps_migrations_leave_the_triggers_in_place(fresh_database: str) -> None:
    triggers.before_migrate(using="default", plan=[(SimpleNamespace(app_label="flows"), False)])
    assert triggers.missing(connection) == []
