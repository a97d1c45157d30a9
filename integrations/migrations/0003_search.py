"""What search reads: a text per resource, kept by the database, in reading order; on PostgreSQL also by its trigrams."""

from __future__ import annotations

import sys
from typing import Any

from django.db import DatabaseError, migrations, models, transaction
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Lower, Substr

INDEX = (
    "CREATE INDEX {} integrations_resource_trigrams ON integrations_resource"
    " USING gin (searched gin_trgm_ops) WHERE status = 'active'"
)
WITHOUT = (
    "The extension pg_trgm could not be made: {}\nSearch works without it and reads more. To have it later, as an"
    " owner of the database: CREATE EXTENSION pg_trgm; " + INDEX.format("CONCURRENTLY")
)


def add_trigrams(apps: Any, schema_editor: Any) -> None:
    """Index texts by trigram. The extension is a trusted one: whoever may create in the database may have it."""
    if schema_editor.connection.vendor != "postgresql":
        return
    # The planner's figures decide whether a text is rare (integrations.search); the default has too few of them.
    schema_editor.execute("ALTER TABLE integrations_resource ALTER COLUMN searched SET STATISTICS 1000")
    try:
        with transaction.atomic(using=schema_editor.connection.alias):
            schema_editor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            schema_editor.execute(INDEX.format(""))
    except DatabaseError as error:
        print(WITHOUT.format(error), file=sys.stderr)  # noqa: T201  # a migration has nobody else to tell


def drop_trigrams(apps: Any, schema_editor: Any) -> None:
    """Drop the index; the extension stays, for others may use it."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX IF EXISTS integrations_resource_trigrams")


class Migration(migrations.Migration):
    dependencies = [("integrations", "0002_unlogged_staging")]

    operations = [
        migrations.AddField(
            model_name="resource",
            name="searched",
            field=models.GeneratedField(
                db_persist=True,
                expression=Lower(
                    Substr(
                        CombinedExpression(
                            CombinedExpression(models.F("path"), "||", models.Value(" ")), "||", models.F("name")
                        ),
                        1,
                        600,
                    )
                ),
                output_field=models.TextField(),
            ),
        ),
        migrations.AddIndex(
            model_name="resource",
            index=models.Index(
                condition=models.Q(("status", "active")),
                fields=["resource_type", "searched", "id"],
                name="integrations_resource_searched",
            ),
        ),
        migrations.RunPython(add_trigrams, drop_trigrams),
    ]
