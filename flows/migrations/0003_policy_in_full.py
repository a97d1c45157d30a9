"""Policy in full: for others, break-glass, custom fields, webhooks, revisions, proposals, automatic runs."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
import flows.models.flows
import uuid
from typing import Any
from django.conf import settings
from django.db import migrations, models


def say_the_party(apps: Any, schema_editor: Any) -> None:
    """Conditions of an approver group are about approvers; all others were about requestors."""
    apps.get_model("flows", "Condition").objects.filter(approver_group__isnull=False).update(party="approver")


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0002_extensions"),
        ("integrations", "0007_resource_owners"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AutomaticRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("why", models.CharField(max_length=200)),
                ("cursor", models.UUIDField(blank=True, null=True)),
                ("total", models.PositiveIntegerField(default=0)),
                ("seen", models.PositiveIntegerField(default=0)),
                ("given", models.PositiveIntegerField(default=0)),
                ("taken", models.PositiveIntegerField(default=0)),
                ("again", models.BooleanField(default=False)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="FlowCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("flow", "Access flow"),
                            ("scope", "Access scope"),
                            ("bundle", "Bundle"),
                            ("webhook", "Webhook"),
                        ],
                        max_length=20,
                    ),
                ),
                ("subject", models.UUIDField(blank=True, null=True)),
                ("name", models.CharField(max_length=150)),
                ("change", models.JSONField()),
                ("after", models.CharField(blank=True, max_length=64)),
                ("why", models.TextField(help_text="Why it takes a second yes, in words.")),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("accepted", "Accepted"),
                            ("refused", "Refused"),
                            ("withdrawn", "Withdrawn"),
                            ("overtaken", "Overtaken"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("reason", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["-proposed_at"],
                "permissions": [("decide_proposal", "Can decide changes of policy that others propose")],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Revision",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("flow", "Access flow"),
                            ("scope", "Access scope"),
                            ("bundle", "Bundle"),
                            ("webhook", "Webhook"),
                        ],
                        max_length=20,
                    ),
                ),
                ("subject", models.UUIDField()),
                ("number", models.PositiveIntegerField()),
                ("document", models.JSONField()),
                ("digest", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                "ordering": ["-number"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="Webhook",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=150, unique=True)),
                ("description", models.TextField(blank=True)),
                (
                    "method",
                    models.CharField(
                        choices=[("POST", "POST"), ("PUT", "PUT"), ("GET", "GET")], default="POST", max_length=6
                    ),
                ),
                ("url", models.URLField(max_length=1000)),
                ("body", models.JSONField(blank=True, default=dict)),
                ("headers", models.JSONField(blank=True, default=dict)),
                ("oauth", models.JSONField(blank=True, default=dict)),
                ("validators", models.JSONField(blank=True, default=list)),
                (
                    "timeout_seconds",
                    models.PositiveSmallIntegerField(
                        default=10,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(60),
                        ],
                    ),
                ),
                (
                    "error_message",
                    models.CharField(
                        blank=True, help_text="What the person reads when the answer is no yes.", max_length=300
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="WebhookSecret",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("field", models.CharField(max_length=200)),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="accessflow",
            name="break_glass",
            field=models.BooleanField(
                default=False,
                help_text="In an emergency access opens at once; the approvers are told, and review it afterwards.",
            ),
        ),
        migrations.AddField(
            model_name="accessflow",
            name="fields",
            field=models.JSONField(blank=True, default=list),
        ),
        migrations.AddField(
            model_name="accessflow",
            name="grantee_operator",
            field=models.CharField(
                choices=[("and", "And"), ("or", "Or")], default="or", max_length=5, verbose_name="join grantees by"
            ),
        ),
        migrations.AddField(
            model_name="accessflow",
            name="request_for",
            field=models.JSONField(default=flows.models.flows.for_themselves),
        ),
        migrations.AddField(
            model_name="accessflow",
            name="ticket_pattern",
            field=models.CharField(
                blank=True,
                help_text="What the number of a ticket looks like; empty: none is asked for.",
                max_length=200,
            ),
        ),
        migrations.AddField(
            model_name="condition",
            name="party",
            field=models.CharField(
                choices=[("requestor", "Requestor"), ("grantee", "Grantee"), ("approver", "Approver")],
                default="requestor",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="accessflow",
            name="escalation_minutes",
            field=models.PositiveIntegerField(
                blank=True, help_text="The next tier is asked as well when nobody answered for so long.", null=True
            ),
        ),
        migrations.AlterField(
            model_name="accessflow",
            name="mfa_required",
            field=models.BooleanField(default=False, help_text="Who asks proves a second factor first."),
        ),
        migrations.RunPython(say_the_party, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="condition",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("approver_group__isnull", False), ("party", "approver")),
                    models.Q(models.Q(("party", "approver"), _negated=True), ("approver_group__isnull", True)),
                    _connector="OR",
                ),
                name="flows_condition_of_one_party",
            ),
        ),
        migrations.AddField(
            model_name="automaticrun",
            name="flow",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="runs", to="flows.accessflow"
            ),
        ),
        migrations.AddField(
            model_name="flowcheck",
            name="flow",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="checks", to="flows.accessflow"
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="decided_by",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="proposal",
            name="proposed_by",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="proposals", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="revision",
            name="created_by",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="flowcheck",
            name="webhook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="checks", to="flows.webhook"
            ),
        ),
        migrations.AddField(
            model_name="webhooksecret",
            name="secret",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.storedsecret"
            ),
        ),
        migrations.AddField(
            model_name="webhooksecret",
            name="webhook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="secrets", to="flows.webhook"
            ),
        ),
        migrations.AddIndex(
            model_name="automaticrun",
            index=models.Index(
                condition=models.Q(("finished_at__isnull", True)),
                fields=["moved_at"],
                name="flows_automatic_unfinished",
            ),
        ),
        migrations.AddConstraint(
            model_name="automaticrun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("finished_at__isnull", True)), fields=("flow",), name="flows_automatic_run_once"
            ),
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["proposed_at"], name="flows_proposal_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waiting"), ("decided_at__isnull", True)),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("decided_at__isnull", False)),
                    _connector="OR",
                ),
                name="flows_proposal_decided_says_when",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "accepted"), _negated=True),
                    models.Q(
                        ("decided_by__isnull", False), models.Q(("decided_by", models.F("proposed_by")), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="flows_proposal_takes_two",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "waiting"), ("subject__isnull", False)),
                fields=("kind", "subject"),
                name="flows_proposal_one_waits",
            ),
        ),
        migrations.AddConstraint(
            model_name="revision",
            constraint=models.UniqueConstraint(fields=("kind", "subject", "number"), name="flows_revision_number_once"),
        ),
        migrations.AddConstraint(
            model_name="flowcheck",
            constraint=models.UniqueConstraint(fields=("flow", "webhook"), name="flows_check_once"),
        ),
        migrations.AddConstraint(
            model_name="webhooksecret",
            constraint=models.UniqueConstraint(fields=("webhook", "field"), name="flows_webhook_secret_once"),
        ),
    ]
