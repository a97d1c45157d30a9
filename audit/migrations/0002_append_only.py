"""Make the trail append-only; audit.triggers says how, and puts the triggers back after every migrate."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from audit import triggers


def install(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Create the triggers, and let what was written before them wait for the sealer."""
    triggers.install(schema_editor.connection)
    entries, unsealed = apps.get_model("audit", "AuditEntry"), apps.get_model("audit", "UnsealedEntry")
    waiting = entries.objects.filter(unsealed__isnull=True, seal__isnull=True).values_list("pk", flat=True)
    unsealed.objects.bulk_create(unsealed(entry_id=pk) for pk in list(waiting))


def remove(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Drop the triggers."""
    triggers.remove(schema_editor.connection)


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]

    operations = [migrations.RunPython(install, remove)]
