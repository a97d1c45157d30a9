"""Webhooks that are switched off, by any method, and what clients of the API wrote of them, to tell it back."""

from django.db import migrations, models

_METHODS = [(name, name) for name in ("POST", "PUT", "GET", "PATCH", "DELETE")]


class Migration(migrations.Migration):
    """Two columns."""

    dependencies = [("flows", "0009_spaces")]

    operations = [
        migrations.AddField(
            model_name="webhook",
            name="active",
            field=models.BooleanField(default=True, help_text="Switched off it is not asked, which is no yes."),
        ),
        migrations.AddField(
            model_name="webhook",
            name="as_written",
            field=models.JSONField(blank=True, default=dict, editable=False),
        ),
        migrations.AlterField(
            model_name="webhook",
            name="method",
            field=models.CharField(choices=_METHODS, default="POST", max_length=6),
        ),
    ]
