"""The staging table is a scratch pad: on PostgreSQL it need not be written to the log, which halves a sync's cost."""

from typing import Any

from django.db import migrations


def unlog(apps: Any, schema_editor: Any) -> None:
    """Make the table unlogged, where there is such a thing."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE integrations_stagedresource SET UNLOGGED")


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]
    operations = [migrations.RunPython(unlog, migrations.RunPython.noop)]
