"""The database's own guard: entries and seals are only ever added, and every entry waits for the sealer.

Triggers, so that it holds for every program that writes and not only for this one. Who owns the tables can remove
them; then the hash chain (audit.verify) shows what was done meanwhile.

SQLite drops a table's triggers when a migration rebuilds the table, and refuses the rebuild while another table's
trigger names it. So they step aside before a migration of this app and are put back after every `migrate`, whatever
happened to them.
"""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_TABLES = ("audit_auditentry", "audit_auditseal", "audit_unsealedentry")

# By name, each as SQLite keeps it. RAISE(ABORT) is what Django knows as an IntegrityError.
_SQLITE = {
    "audit_entry_no_update": "CREATE TRIGGER audit_entry_no_update BEFORE UPDATE ON audit_auditentry "
    "BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END",
    "audit_entry_no_delete": "CREATE TRIGGER audit_entry_no_delete BEFORE DELETE ON audit_auditentry "
    "BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END",
    # INSERT OR REPLACE deletes what is in its way without firing a DELETE trigger.
    "audit_entry_no_replace": "CREATE TRIGGER audit_entry_no_replace BEFORE INSERT ON audit_auditentry "
    "WHEN EXISTS (SELECT 1 FROM audit_auditentry WHERE id = NEW.id) "
    "BEGIN SELECT RAISE(ABORT, 'audit_auditentry is append-only'); END",
    "audit_entry_waits": "CREATE TRIGGER audit_entry_waits AFTER INSERT ON audit_auditentry "
    "BEGIN INSERT INTO audit_unsealedentry (entry_id) VALUES (NEW.id); END",
    "audit_seal_no_update": "CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_auditseal "
    "BEGIN SELECT RAISE(ABORT, 'audit_auditseal is append-only'); END",
    "audit_seal_no_delete": "CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_auditseal "
    "BEGIN SELECT RAISE(ABORT, 'audit_auditseal is append-only'); END",
    "audit_seal_no_replace": "CREATE TRIGGER audit_seal_no_replace BEFORE INSERT ON audit_auditseal "
    "WHEN EXISTS (SELECT 1 FROM audit_auditseal WHERE sequence = NEW.sequence OR entry_id = NEW.entry_id) "
    "BEGIN SELECT RAISE(ABORT, 'audit_auditseal is append-only'); END",
    "audit_unsealed_no_update": "CREATE TRIGGER audit_unsealed_no_update BEFORE UPDATE ON audit_unsealedentry "
    "BEGIN SELECT RAISE(ABORT, 'audit_unsealedentry is append-only'); END",
    "audit_unsealed_until_sealed": "CREATE TRIGGER audit_unsealed_until_sealed BEFORE DELETE ON audit_unsealedentry "
    "WHEN NOT EXISTS (SELECT 1 FROM audit_auditseal WHERE entry_id = OLD.entry_id) "
    "BEGIN SELECT RAISE(ABORT, 'the entry is not sealed yet'); END",
}

# Function: body. The error code makes Django see an IntegrityError, as on SQLite.
_FUNCTIONS = {
    "audit_refuse": """
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END
""",
    "audit_wait": """
BEGIN
    INSERT INTO audit_unsealedentry (entry_id) VALUES (NEW.id);
    RETURN NULL;
END
""",
    "audit_until_sealed": """
BEGIN
    IF NOT EXISTS (SELECT 1 FROM audit_auditseal WHERE entry_id = OLD.entry_id) THEN
        RAISE EXCEPTION 'the entry is not sealed yet' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END
""",
}

# Trigger: table, when, function, and `when` as the bits of pg_trigger.tgtype.
_POSTGRESQL = {
    "audit_entry_no_change": ("audit_auditentry", "BEFORE UPDATE OR DELETE", "ROW", "audit_refuse", 27),
    "audit_entry_no_truncate": ("audit_auditentry", "BEFORE TRUNCATE", "STATEMENT", "audit_refuse", 34),
    "audit_entry_waits": ("audit_auditentry", "AFTER INSERT", "ROW", "audit_wait", 5),
    "audit_seal_no_change": ("audit_auditseal", "BEFORE UPDATE OR DELETE", "ROW", "audit_refuse", 27),
    "audit_seal_no_truncate": ("audit_auditseal", "BEFORE TRUNCATE", "STATEMENT", "audit_refuse", 34),
    "audit_unsealed_no_update": ("audit_unsealedentry", "BEFORE UPDATE", "ROW", "audit_refuse", 19),
    "audit_unsealed_no_truncate": ("audit_unsealedentry", "BEFORE TRUNCATE", "STATEMENT", "audit_refuse", 34),
    "audit_unsealed_until_sealed": ("audit_unsealedentry", "BEFORE DELETE", "ROW", "audit_until_sealed", 11),
}


def install(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers exactly what they should be."""
    remove(connection)
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for statement in _SQLITE.values():
                cursor.execute(statement)
            return
        for name, body in _FUNCTIONS.items():
            cursor.execute(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $${body}$$")
        for name, (table, when, level, function, _) in _POSTGRESQL.items():
            cursor.execute(f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {level} EXECUTE FUNCTION {function}()")
            # ALWAYS: also in a session that plays replica to get around triggers.
            cursor.execute(f"ALTER TABLE {table} ENABLE ALWAYS TRIGGER {name}")


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers that are there."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            for name in _SQLITE:
                cursor.execute(f"DROP TRIGGER IF EXISTS {name}")
        else:
            for name, (table, *_) in _POSTGRESQL.items():
                cursor.execute(f"DROP TRIGGER IF EXISTS {name} ON {table}")


def missing(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of triggers that are absent, switched off or altered; empty before the tables exist."""
    if not set(_TABLES) <= set(connection.introspection.table_names()):
        return []
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            found = dict(cursor.fetchall())
        return sorted(name for name, statement in _SQLITE.items() if found.get(name) != statement)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.tgname, c.relname, p.proname, t.tgtype, p.prosrc FROM pg_trigger t "
            "JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid WHERE pg_table_is_visible(c.oid) "
            "AND t.tgenabled = 'A' AND t.tgqual IS NULL AND t.tgattr::text = ''"
        )
        there = {name: rest for name, *rest in cursor.fetchall()}
    return sorted(
        name
        for name, (table, _, _, function, bits) in _POSTGRESQL.items()
        if there.get(name) != [table, function, bits, _FUNCTIONS[function]]
    )


def before_migrate(*, using: str, plan: Any, **_: object) -> None:
    """Step aside for migrations of this app on SQLite: triggers would stop the rebuild of a table (pre_migrate)."""
    connection = connections[using]
    if connection.vendor == "sqlite" and any(migration.app_label == "audit" for migration, _ in plan):
        remove(connection)


def after_migrate(*, using: str, **_: object) -> None:
    """Put back what is missing (post_migrate)."""
    connection = connections[using]
    if missing(connection):
        install(connection)
