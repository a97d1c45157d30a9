"""More time for active access, less of what was asked for, favourites, and an index for overdue ends."""

import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0001_initial"),
        ("requests", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Extension",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("number", models.PositiveSmallIntegerField()),
                ("seconds", models.PositiveIntegerField()),
                ("justification", models.TextField(blank=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Withdrawn"),
                            ("lapsed", "Lapsed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("old_end", models.DateTimeField(blank=True, null=True)),
                ("new_end", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["request", "number"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="ExtensionApproval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("group_index", models.PositiveSmallIntegerField(default=0)),
                ("tier", models.PositiveSmallIntegerField(default=0)),
                ("why", models.CharField(help_text="Why this person is asked, in words.", max_length=300)),
                (
                    "status",
                    models.CharField(
                        choices=[("pending", "Pending"), ("approved", "Approved"), ("rejected", "Rejected")],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("reason", models.CharField(blank=True, max_length=500)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["tier", "group_index", "id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Favourite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kept_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Narrowing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("old_seconds", models.PositiveIntegerField(null=True)),
                ("new_seconds", models.PositiveIntegerField(null=True)),
                (
                    "dropped",
                    models.JSONField(default=list, help_text="Each: permission, resource, resource_type, integration."),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(("overdue_since__isnull", False), ("state", "revoking")),
                fields=["due_at"],
                name="requests_overdue",
            ),
        ),
        migrations.AddField(
            model_name="extension",
            name="flow_version",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="flows.flowversion"
            ),
        ),
        migrations.AddField(
            model_name="extension",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="extensions", to="requests.accessrequest"
            ),
        ),
        migrations.AddField(
            model_name="extension",
            name="requested_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="extensions_asked",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="extensionapproval",
            name="approver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="extension_approvals",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="extensionapproval",
            name="extension",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="approvals", to="requests.extension"
            ),
        ),
        migrations.AddField(
            model_name="favourite",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to="requests.accessrequest"
            ),
        ),
        migrations.AddField(
            model_name="favourite",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="favourites", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="narrowing",
            name="approver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="narrowings", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="narrowing",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="narrowings", to="requests.accessrequest"
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.UniqueConstraint(fields=("request", "number"), name="requests_extension_number_once"),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "pending")), fields=("request",), name="requests_extension_one_waits"
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.CheckConstraint(condition=models.Q(("seconds__gte", 1)), name="requests_extension_lasts"),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "pending"), ("decided_at__isnull", True)),
                    models.Q(models.Q(("state", "pending"), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="requests_extension_decided_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="extension",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("state", "approved"),
                        ("new_end__gt", models.F("old_end")),
                        ("new_end__isnull", False),
                        ("old_end__isnull", False),
                    ),
                    models.Q(
                        models.Q(("state", "approved"), _negated=True),
                        ("new_end__isnull", True),
                        ("old_end__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="requests_extension_moved_the_end",
            ),
        ),
        migrations.AddIndex(
            model_name="extensionapproval",
            index=models.Index(
                condition=models.Q(("status", "pending")), fields=["approver"], name="requests_extension_tasks"
            ),
        ),
        migrations.AddConstraint(
            model_name="extensionapproval",
            constraint=models.UniqueConstraint(
                fields=("extension", "approver", "group_index"), name="requests_extension_approval_once"
            ),
        ),
        migrations.AddConstraint(
            model_name="extensionapproval",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("decided_at__isnull", True), ("status", "pending")),
                    models.Q(models.Q(("status", "pending"), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="requests_extension_approval_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="favourite",
            constraint=models.UniqueConstraint(fields=("user", "request"), name="requests_favourite_once"),
        ),
    ]
