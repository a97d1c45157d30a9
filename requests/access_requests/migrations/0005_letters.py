"""Who was told of what, and the outbox of news of requests."""

from typing import Any

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


def told(apps: Any, schema_editor: Any) -> None:
    """What waited before there were letters is no news: its approvers find it in their tasks."""
    for name in ("Approval", "ExtensionApproval"):
        apps.get_model("requests", name).objects.update(told_at=django.utils.timezone.now())


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0003_letters"),
        ("requests", "0004_reports"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Change",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(max_length=60)),
                ("subject_id", models.CharField(max_length=64)),
                ("payload", models.JSONField(blank=True, default=dict)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("delivered_at", models.DateTimeField(blank=True, null=True)),
                ("try_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("last_error", models.TextField(blank=True)),
            ],
            options={
                "abstract": False,
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="overdue_told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="reminded_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="approval",
            name="letter",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.letter",
            ),
        ),
        migrations.AddField(
            model_name="approval",
            name="told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="extensionapproval",
            name="letter",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to="accounts.letter",
            ),
        ),
        migrations.AddField(
            model_name="extensionapproval",
            name="told_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddIndex(
            model_name="approval",
            index=models.Index(condition=models.Q(("told_at__isnull", True)), fields=["id"], name="requests_untold"),
        ),
        migrations.AddIndex(
            model_name="extensionapproval",
            index=models.Index(
                condition=models.Q(("told_at__isnull", True)), fields=["id"], name="requests_extension_untold"
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(
                condition=models.Q(("delivered_at__isnull", True)), fields=["id"], name="requests_change_waiting"
            ),
        ),
        migrations.RunPython(told, migrations.RunPython.noop),
    ]
