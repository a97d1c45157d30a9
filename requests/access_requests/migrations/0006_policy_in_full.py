"""What policy in full asks for around a request: facts, webhook calls, reviews, stand-ins."""

import django.db.models.deletion
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("flows", "0003_policy_in_full"),
        ("requests", "0005_letters"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="AskedFacts",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("facts", models.JSONField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="Review",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[("due", "Owed"), ("justified", "Justified"), ("unjust", "Not justified")],
                        default="due",
                        max_length=10,
                    ),
                ),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("due_at", models.DateTimeField()),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True)),
            ],
            options={
                "ordering": ["due_at"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="WebhookCall",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("asked", models.JSONField()),
                ("group_index", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("tier", models.PositiveSmallIntegerField(default=0)),
                (
                    "state",
                    models.CharField(
                        choices=[("waiting", "Waiting"), ("yes", "Yes"), ("no", "No"), ("failed", "No answer")],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("status", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("message", models.CharField(blank=True, max_length=500)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["due_at"],
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="automatic",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="break_glass",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="fields",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="mfa_at",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="ticket",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="approval",
            name="stands_in_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="extensionapproval",
            name="stands_in_for",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddIndex(
            model_name="accessrequest",
            index=models.Index(
                condition=models.Q(
                    ("automatic", True),
                    models.Q(("state__in", ("revoked", "failed", "rejected", "cancelled", "lapsed")), _negated=True),
                ),
                fields=["flow_version", "grantee"],
                name="requests_automatic",
            ),
        ),
        migrations.AddField(
            model_name="askedfacts",
            name="requests",
            field=models.ManyToManyField(related_name="asked_facts", to="requests.accessrequest"),
        ),
        migrations.AddField(
            model_name="review",
            name="request",
            field=models.OneToOneField(
                on_delete=django.db.models.deletion.PROTECT, related_name="review", to="requests.accessrequest"
            ),
        ),
        migrations.AddField(
            model_name="review",
            name="reviewer",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reviews",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="webhookcall",
            name="request",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="webhook_calls", to="requests.accessrequest"
            ),
        ),
        migrations.AddField(
            model_name="webhookcall",
            name="webhook",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="calls", to="flows.webhook"
            ),
        ),
        migrations.AddIndex(
            model_name="askedfacts",
            index=models.Index(fields=["asked_at"], name="requests_asked_facts_at"),
        ),
        migrations.AddIndex(
            model_name="review",
            index=models.Index(condition=models.Q(("state", "due")), fields=["due_at"], name="requests_reviews_owed"),
        ),
        migrations.AddConstraint(
            model_name="review",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "due"), ("decided_at__isnull", True), ("reviewer__isnull", True)),
                    models.Q(
                        models.Q(("state", "due"), _negated=True),
                        ("decided_at__isnull", False),
                        ("reviewer__isnull", False),
                        models.Q(("note", ""), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="requests_review_says_who_and_why",
            ),
        ),
        migrations.AddIndex(
            model_name="webhookcall",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["due_at"], name="requests_webhook_call_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookcall",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group_index__isnull", False)),
                fields=("request", "webhook", "group_index"),
                name="requests_webhook_approver_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookcall",
            constraint=models.UniqueConstraint(
                condition=models.Q(("group_index__isnull", True)),
                fields=("request", "webhook"),
                name="requests_webhook_check_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="webhookcall",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "waiting"), ("answered_at__isnull", True)),
                    models.Q(models.Q(("state", "waiting"), _negated=True), ("answered_at__isnull", False)),
                    _connector="OR",
                ),
                name="requests_webhook_call_answered_says_when",
            ),
        ),
    ]
