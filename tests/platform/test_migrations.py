"""A new system gets its tables in one step; one that took them step by step has the same."""

from __future__ import annotations

import re

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

LABEL = "requests"


def take_every_step() -> None:
    """Migrate as a system does that was there from the first version on."""
    executor = MigrationExecutor(connection)
    executor.loader.replace_migrations = False
    executor.loader.build_graph()
    executor.migrate([one for one in executor.loader.graph.leaf_nodes() if "_squashed_" not in one[1]])


def tables() -> set[str]:
    return {model._meta.db_table for model in apps.get_app_config(LABEL).get_models(include_auto_created=True)}


def said_by_postgresql(table: str) -> list[tuple[str, ...]]:
    columns = (
        "SELECT 'column', column_name, data_type, is_nullable, coalesce(column_default, ''), coalesce(is_identity, '')"
        " FROM information_schema.columns WHERE table_name = %s AND table_schema = current_schema()"
    )
    indexes = "SELECT 'index', indexdef FROM pg_indexes WHERE tablename = %s AND schemaname = current_schema()"
    constraints = (
        "SELECT 'constraint', conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = to_regclass(%s)"
    )
    found: list[tuple[str, ...]] = []
    with connection.cursor() as cursor:
        for statement in (columns, indexes, constraints):
            cursor.execute(statement, [table])
            found += cursor.fetchall()
    return sorted(found)


def said_by_sqlite(table: str) -> list[tuple[str, ...]]:
    """Return the parts of what made the table, in any order: new columns stand at its end, after its constraints."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, name, sql FROM sqlite_master WHERE tbl_name = %s AND sql IS NOT NULL", [table])
        found = cursor.fetchall()
    return sorted((kind, name, *(sorted(parts(text)) if kind == "table" else [text])) for kind, name, text in found)


def parts(statement: str) -> list[str]:
    """Return what stands between the outer brackets of CREATE TABLE, divided at the commas outside of others."""
    inner, depth, begun, found = statement[statement.index("(") + 1 : statement.rindex(")")], 0, 0, []
    for at, sign in enumerate(inner):
        depth += (sign == "(") - (sign == ")")
        if sign == "," and not depth:
            found.append(inner[begun:at])
            begun = at + 1
    return [re.sub(r"\s+", " ", one).strip() for one in [*found, inner[begun:]]]


def schema() -> dict[str, list[tuple[str, ...]]]:
    """Return what the database says of each table of the app."""
    said = said_by_postgresql if connection.vendor == "postgresql" else said_by_sqlite
    return {table: said(table) for table in tables()}


@pytest.mark.full
def test_one_step_makes_the_tables_that_all_steps_make(fresh_database: str) -> None:
    at_once = schema()
    assert all(at_once.values())
    call_command("migrate", LABEL, "zero", verbosity=0)
    assert not any(schema().values())
    take_every_step()
    step_by_step = schema()
    assert step_by_step == at_once


def test_a_system_that_took_every_step_has_nothing_left_to_do(fresh_database: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = %s AND name LIKE %s", [LABEL, "%squashed%"])
    executor = MigrationExecutor(connection)
    assert executor.migration_plan(executor.loader.graph.leaf_nodes()) == []
