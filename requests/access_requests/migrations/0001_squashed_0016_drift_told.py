# All tables as 0016 leaves them, so that a new system does not take sixteen steps, which is most of what its first start
# costs. A system that has taken the steps is where this ends. What the steps do to rows is left out: there are none yet.
import django.db.models.deletion
import django.db.models.functions.text
import django.utils.timezone
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    replaces = [
        ("requests", "0001_initial"),
        ("requests", "0002_extensions_and_favourites"),
        ("requests", "0003_sent_forms"),
        ("requests", "0004_reports"),
        ("requests", "0005_letters"),
        ("requests", "0006_policy_in_full"),
        ("requests", "0007_life_under_policy"),
        ("requests", "0008_emergencies"),
        ("requests", "0009_dossiers"),
        ("requests", "0010_reminders"),
        ("requests", "0011_drift"),
        ("requests", "0012_overdue_notices"),
        ("requests", "0013_still_found"),
        ("requests", "0014_draining"),
        ("requests", "0015_envelopes"),
        ("requests", "0016_drift_told"),
    ]

    initial = True

    dependencies = [
        ("accounts", "0011_letters_about_drift"),
        ("flows", "0007_drain_minutes"),
        ("integrations", "0011_ends_before_the_rest"),
    ]

    operations = [
        migrations.CreateModel(
            name="Pulse",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
            ],
            options={
                "default_permissions": (),
            },
        ),
        migrations.CreateModel(
            name="AccessRequest",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("initializing", "Preparing"),
                            ("pending_mfa", "Waiting for your second factor"),
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("granting", "Granting"),
                            ("active", "Active"),
                            ("revoking", "Revoking"),
                            ("revoked", "Revoked"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                            ("lapsed", "Lapsed"),
                        ],
                        default="initializing",
                        max_length=20,
                    ),
                ),
                ("justification", models.TextField(blank=True)),
                ("ticket", models.CharField(blank=True, max_length=200)),
                ("fields", models.JSONField(blank=True, default=dict)),
                ("break_glass", models.BooleanField(default=False)),
                ("automatic", models.BooleanField(default=False)),
                ("in_envelope", models.BooleanField(default=False, editable=False)),
                ("mfa_at", models.DateTimeField(blank=True, null=True)),
                ("duration_seconds", models.PositiveIntegerField(null=True)),
                ("requested_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("activated_at", models.DateTimeField(blank=True, null=True)),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("lapses_at", models.DateTimeField(blank=True, null=True)),
                ("asked_tier", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("escalates_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("opens_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("recheck_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                ("drains_until", models.DateTimeField(blank=True, editable=False, null=True)),
                ("drain_look_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("overdue_since", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "ended_how",
                    models.CharField(
                        blank=True, choices=[("proven", "proven"), ("declared", "declared")], max_length=10
                    ),
                ),
                (
                    "end_reason",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("time", "The time ended"),
                            ("handed_back", "Handed back"),
                            ("revoked_by_admin", "Revoked by an admin"),
                            ("revoked_by_approver", "Revoked by an approver"),
                            ("flow_disabled", "The access flow was disabled"),
                            ("not_eligible", "No longer eligible"),
                            ("revoked_all", "Revoked with everything else"),
                            ("off_boarded", "The account was disabled"),
                            ("frozen", "Stopped by a freeze"),
                            ("nothing_granted", "Nothing could be granted"),
                            ("no_answer", "Nobody answered in time"),
                            ("withdrawn", "Withdrawn"),
                            ("rejected", "Rejected"),
                            ("envelope_opened", "The envelope was opened"),
                            ("envelope_doubted", "The envelope may have been opened while Latchkey was down"),
                            ("envelope_rotated", "Its successor was printed"),
                        ],
                        max_length=30,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                ("warning", models.BooleanField(default=False, help_text="Active, but some units failed.")),
                ("remind_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("reminded_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("overdue_told_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("dossier_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "flow_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="requests", to="flows.flowversion"
                    ),
                ),
                (
                    "grantee",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests_held",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "requestor",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="requests_made",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "verbose_name": "access request",
                "ordering": ["-id"],
                "permissions": [("revoke_accessrequest", "Can revoke anybody's access")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(condition=models.Q(("state", "active")), fields=["ends_at"], name="requests_due"),
                    models.Index(
                        condition=models.Q(("state__in", ("initializing", "pending_mfa", "pending"))),
                        fields=["lapses_at"],
                        name="requests_lapsing",
                    ),
                    models.Index(
                        condition=models.Q(("escalates_at__isnull", False), ("state", "pending")),
                        fields=["escalates_at"],
                        name="requests_escalating",
                    ),
                    models.Index(
                        condition=models.Q(("recheck_at__isnull", False)),
                        fields=["recheck_at"],
                        name="requests_recheck",
                    ),
                    models.Index(condition=models.Q(("state", "approved")), fields=["id"], name="requests_approved"),
                    models.Index(
                        condition=models.Q(("state", "revoking")), fields=["due_at"], name="requests_revoking"
                    ),
                    models.Index(condition=models.Q(("state", "granting")), fields=["id"], name="requests_granting"),
                    models.Index(fields=["-requested_at", "-id"], name="requests_activity"),
                    models.Index(
                        condition=models.Q(("overdue_since__isnull", False), ("state", "revoking")),
                        fields=["due_at"],
                        name="requests_overdue",
                    ),
                    models.Index(
                        condition=models.Q(("remind_at__isnull", False), ("state", "active")),
                        fields=["remind_at"],
                        name="requests_remind",
                    ),
                    models.Index(
                        condition=models.Q(("drain_look_at__isnull", False), ("state", "revoking")),
                        fields=["drain_look_at"],
                        name="requests_draining",
                    ),
                    models.Index(
                        condition=models.Q(("dossier_at__isnull", True), ("ended_at__isnull", False)),
                        fields=["ended_at"],
                        name="requests_no_dossier",
                    ),
                    models.Index(
                        condition=models.Q(
                            ("automatic", True),
                            models.Q(
                                ("state__in", ("revoked", "failed", "rejected", "cancelled", "lapsed")), _negated=True
                            ),
                        ),
                        fields=["flow_version", "grantee"],
                        name="requests_automatic",
                    ),
                    models.Index(fields=["grantee", "-id"], name="requests_of_grantee"),
                    models.Index(fields=["requestor", "-id"], name="requests_of_requestor"),
                    models.Index(
                        condition=models.Q(("state__in", ("granting", "active", "revoking"))),
                        fields=["grantee"],
                        name="requests_held",
                    ),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "active"), _negated=True),
                            ("activated_at__isnull", False),
                            _connector="OR",
                        ),
                        name="requests_active_has_begun",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "active"), _negated=True),
                            ("duration_seconds__isnull", True),
                            ("ends_at__isnull", False),
                            _connector="OR",
                        ),
                        name="requests_active_has_an_end",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "revoking"), _negated=True), ("due_at__isnull", False), _connector="OR"
                        ),
                        name="requests_revoking_is_due",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "revoked"), models.Q(("ended_how", ""), _negated=True)),
                            models.Q(models.Q(("state", "revoked"), _negated=True), ("ended_how", "")),
                            _connector="OR",
                        ),
                        name="requests_revoked_says_how",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "revoked"), _negated=True), ("ended_at__isnull", False), _connector="OR"
                        ),
                        name="requests_revoked_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessGroup",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("login", models.CharField(blank=True, max_length=63)),
                ("dispatched_at", models.DateTimeField(blank=True, null=True)),
                ("backstop_at", models.DateTimeField(blank=True, null=True)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                ("draining_at", models.DateTimeField(blank=True, null=True)),
                ("sessions_left", models.PositiveIntegerField(default=0)),
                ("still_found", models.JSONField(blank=True, default=list)),
                ("still_found_at", models.DateTimeField(blank=True, null=True)),
                ("cleanup_due_at", models.DateTimeField(blank=True, null=True)),
                ("cleaned_at", models.DateTimeField(blank=True, null=True)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="access_groups",
                        to="integrations.integration",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="access_groups",
                        to="requests.accessrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("cleaned_at__isnull", True), ("cleanup_due_at__isnull", False)),
                        fields=["cleanup_due_at"],
                        name="requests_cleanup_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "integration"), name="requests_group_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("login", ""), _negated=True),
                        fields=("integration", "login"),
                        name="requests_login_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessSession",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("details", models.JSONField(default=dict, help_text="Details to connect that are no secret.")),
                (
                    "credentials_status",
                    models.CharField(
                        choices=[
                            ("NOT_APPLICABLE", "Not applicable"),
                            ("AVAILABLE", "Available"),
                            ("VIEWED", "Viewed"),
                            ("RESETTING", "Resetting"),
                        ],
                        default="NOT_APPLICABLE",
                        max_length=20,
                    ),
                ),
                ("sealed_credentials", models.TextField(blank=True)),
                ("credentials_made_at", models.DateTimeField(blank=True, null=True)),
                ("consumed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "consumed_by",
                    models.CharField(blank=True, help_text="The surface that took the credentials.", max_length=60),
                ),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(blank=True, null=True)),
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="session", to="requests.accessgroup"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("credentials_status", "AVAILABLE"), models.Q(("sealed_credentials", ""), _negated=True)
                            ),
                            models.Q(
                                models.Q(("credentials_status", "AVAILABLE"), _negated=True), ("sealed_credentials", "")
                            ),
                            _connector="OR",
                        ),
                        name="requests_session_sealed_while_available",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="AccessUnit",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("pending", "Pending"),
                            ("granting", "Granting"),
                            ("active", "Active"),
                            ("revoking", "Revoking"),
                            ("ended", "Ended"),
                            ("failed", "Failed"),
                        ],
                        default="pending",
                        max_length=10,
                    ),
                ),
                ("message", models.TextField(blank=True)),
                ("resource_type", models.CharField(max_length=60)),
                ("resource_source_id", models.CharField(max_length=700)),
                ("resource_path", models.CharField(max_length=700)),
                ("permission_source_id", models.CharField(max_length=200)),
                ("permission_name", models.CharField(max_length=200)),
                (
                    "group",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="units", to="requests.accessgroup"
                    ),
                ),
                (
                    "permission",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.permission"
                    ),
                ),
                (
                    "resource",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="integrations.resource"
                    ),
                ),
            ],
            options={
                "ordering": ["resource_path", "permission_name"],
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(fields=("group", "resource", "permission"), name="requests_unit_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="Approval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("told_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("group_index", models.PositiveSmallIntegerField(default=0)),
                ("tier", models.PositiveSmallIntegerField(default=0)),
                ("why", models.CharField(help_text="Why this person is asked, in words.", max_length=300)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "approver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.letter",
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="approvals",
                        to="requests.accessrequest",
                    ),
                ),
                (
                    "stands_in_for",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["tier", "group_index", "id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(condition=models.Q(("status", "pending")), fields=["approver"], name="requests_tasks"),
                    models.Index(condition=models.Q(("told_at__isnull", True)), fields=["id"], name="requests_untold"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("request", "approver", "group_index"), name="requests_approval_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("status", "pending")),
                            models.Q(models.Q(("status", "pending"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="requests_approval_decided_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="AskedFacts",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("facts", models.JSONField()),
                ("requests", models.ManyToManyField(related_name="asked_facts", to="requests.accessrequest")),
            ],
            options={
                "default_permissions": (),
                "indexes": [models.Index(fields=["asked_at"], name="requests_asked_facts_at")],
            },
        ),
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
                "indexes": [
                    models.Index(
                        condition=models.Q(("delivered_at__isnull", True)),
                        fields=["id"],
                        name="requests_change_waiting",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Declaration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("waiting", "Waits for a second admin"),
                            ("confirmed", "Confirmed"),
                            ("refused", "Refused"),
                            ("withdrawn", "Taken back"),
                            ("lapsed", "Lapsed"),
                            ("overtaken", "Proven meanwhile"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                ("reason", models.TextField()),
                ("proposed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("lapses_at", models.DateTimeField()),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("note", models.CharField(blank=True, max_length=500)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "proposed_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="declarations",
                        to="requests.accessrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("decide_declaration", "Can declare that access has ended")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")),
                        fields=["lapses_at"],
                        name="requests_declaration_lapsing",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "waiting")),
                        fields=("request",),
                        name="requests_declaration_one_waits",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "waiting"), ("decided_at__isnull", True)),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="requests_declaration_says_when",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "confirmed"), _negated=True),
                            models.Q(
                                ("decided_by__isnull", False),
                                models.Q(("decided_by", models.F("proposed_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="requests_declaration_by_two",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Dossier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("made_at", models.DateTimeField()),
                ("key", models.CharField(help_text="Id of the key that signed it.", max_length=40)),
                ("content", models.TextField()),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="dossier", to="requests.accessrequest"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="DriftFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.CharField(choices=[("vanished", "Vanished"), ("foreign", "Foreign")], max_length=10)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("suspected", "Looked at again"),
                            ("open", "Open"),
                            ("granted_again", "Granted again"),
                            ("adopted", "Adopted"),
                            ("accepted", "Accepted as standing"),
                            ("gone_by_itself", "Settled by itself"),
                            ("removed", "Removed"),
                        ],
                        default="open",
                        max_length=20,
                    ),
                ),
                ("login", models.CharField(blank=True, max_length=200)),
                ("resource_type", models.CharField(max_length=60)),
                ("resource", models.CharField(max_length=700)),
                ("permission", models.CharField(max_length=200)),
                ("resource_name", models.CharField(max_length=700)),
                ("permission_name", models.CharField(max_length=200)),
                ("message", models.TextField(blank=True, help_text="What the target said of it.")),
                ("before_at", models.DateTimeField(blank=True, null=True)),
                ("first_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("told_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("decided_at", models.DateTimeField(blank=True, null=True)),
                ("decided_name", models.CharField(blank=True, max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("removes", models.BooleanField(default=False)),
                (
                    "decided_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="drift", to="integrations.integration"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="drift", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="adopted",
                        to="requests.accessrequest",
                    ),
                ),
                (
                    "unit",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drift",
                        to="requests.accessunit",
                    ),
                ),
            ],
            options={
                "verbose_name": "drift",
                "verbose_name_plural": "drift",
                "ordering": ["-first_seen_at", "-id"],
                "permissions": [("decide_driftfinding", "Can decide about drift")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "open")),
                        fields=["integration", "kind"],
                        name="requests_drift_open",
                    ),
                    models.Index(
                        condition=models.Q(("state", "open"), ("told_at__isnull", True)),
                        fields=["integration"],
                        name="requests_drift_untold",
                    ),
                    models.Index(
                        condition=models.Q(("told_at__isnull", False)),
                        fields=["integration", "-told_at"],
                        name="requests_drift_told",
                    ),
                    models.Index(fields=["integration", "person"], name="requests_drift_of_person"),
                    models.Index(fields=["-first_seen_at", "-id"], name="requests_drift_latest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "foreign"), ("state__in", ("open", "adopted"))),
                        fields=("integration", "person", "login", "resource_type", "resource", "permission"),
                        name="requests_foreign_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "vanished"), ("state__in", ("suspected", "open"))),
                        fields=("unit",),
                        name="requests_vanished_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("kind", "foreign"), ("unit__isnull", True)),
                            models.Q(("kind", "vanished"), ("unit__isnull", False)),
                            _connector="OR",
                        ),
                        name="requests_finding_unit_fits_kind",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Envelope",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField(help_text="What stands on the paper.", unique=True)),
                ("confirmed_at", models.DateTimeField(blank=True, null=True)),
                ("printed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "as_file",
                    models.BooleanField(default=False, help_text="Downloaded as an encrypted file, not printed."),
                ),
                ("opened_by", models.CharField(blank=True, max_length=200)),
                ("opened_at", models.DateTimeField(blank=True, null=True)),
                ("opened_why", models.TextField(blank=True)),
                ("told_at", models.DateTimeField(blank=True, null=True)),
                ("doubted_from", models.DateTimeField(blank=True, null=True)),
                ("doubted_until", models.DateTimeField(blank=True, null=True)),
                ("seen_at", models.DateTimeField(blank=True, null=True)),
                ("last_seen_at", models.DateTimeField(blank=True, null=True)),
                ("sessions_seen", models.PositiveIntegerField(default=0)),
                ("looked_at", models.DateTimeField(blank=True, null=True)),
                ("reviewed_at", models.DateTimeField(blank=True, null=True)),
                ("review", models.TextField(blank=True, help_text="What happened, as an admin found out.")),
                ("warned_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("asked_again_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "confirmed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "keepers",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.group",
                    ),
                ),
                (
                    "prepared_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "printed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="envelope",
                        to="requests.accessrequest",
                    ),
                ),
                (
                    "reviewed_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "succeeds",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="successors",
                        to="requests.envelope",
                    ),
                ),
                (
                    "told_by",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-number"],
                "permissions": [("keep_envelope", "Can prepare, print and end break-glass envelopes")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(
                            ("reviewed_at__isnull", True),
                            models.Q(("doubted_until__isnull", False), ("seen_at__isnull", False), _connector="OR"),
                        ),
                        fields=["number"],
                        name="requests_envelope_owed",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("confirmed_at__isnull", True), ("confirmed_by__isnull", True)),
                            models.Q(
                                ("confirmed_at__isnull", False),
                                ("confirmed_by__isnull", False),
                                models.Q(("confirmed_by", models.F("prepared_by")), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="requests_envelope_by_two",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("printed_at__isnull", True), ("printed_by__isnull", True)),
                            models.Q(
                                ("confirmed_by__isnull", False),
                                ("printed_at__isnull", False),
                                ("printed_by__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="requests_envelope_printed_after_yes",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("activity", "Activity"), ("audit", "Audit trail")], max_length=10)),
                ("name", models.CharField(max_length=120)),
                ("asked_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("filters", models.JSONField(default=dict)),
                ("columns", models.JSONField(default=list)),
                ("sees_all", models.BooleanField(default=False)),
                ("due_at", models.DateTimeField(blank=True, null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                            ("expired", "Expired"),
                        ],
                        default="queued",
                        max_length=10,
                    ),
                ),
                ("error", models.TextField(blank=True)),
                ("rows_total", models.PositiveBigIntegerField(blank=True, null=True)),
                ("rows_done", models.PositiveBigIntegerField(default=0)),
                ("size", models.PositiveBigIntegerField(default=0)),
                ("packed_size", models.PositiveBigIntegerField(default=0)),
                ("parts_done", models.PositiveIntegerField(default=0)),
                ("cursor", models.CharField(blank=True, max_length=100)),
                ("leased_until", models.DateTimeField(blank=True, null=True)),
                ("epoch", models.PositiveIntegerField(default=0)),
                ("attempts", models.PositiveSmallIntegerField(default=0)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("expires_at", models.DateTimeField(blank=True, null=True)),
                (
                    "asked_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="exports", to=settings.AUTH_USER_MODEL
                    ),
                ),
                ("recipients", models.ManyToManyField(related_name="exports_received", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["-asked_at"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state__in", ("queued", "running"))),
                        fields=["leased_until"],
                        name="requests_export_claim",
                    ),
                    models.Index(
                        condition=models.Q(("state", "done")), fields=["expires_at"], name="requests_export_expiry"
                    ),
                    models.Index(fields=["asked_by", "-asked_at"], name="requests_export_mine"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("queued", "running")), ("leased_until__isnull", False)),
                            models.Q(
                                models.Q(("state__in", ("queued", "running")), _negated=True),
                                ("leased_until__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="requests_export_unfinished_has_lease",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "done"), _negated=True),
                            models.Q(
                                ("expires_at__isnull", False),
                                ("finished_at__isnull", False),
                                ("rows_total__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="requests_export_done_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExportPart",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("data", models.BinaryField()),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="parts", to="requests.export"
                    ),
                ),
            ],
            options={
                "ordering": ["number"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("export", "number"), name="requests_export_part_once")],
            },
        ),
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
                ("asked_tier", models.PositiveSmallIntegerField(default=0, editable=False)),
                ("escalates_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("old_end", models.DateTimeField(blank=True, null=True)),
                ("new_end", models.DateTimeField(blank=True, null=True)),
                ("note", models.TextField(blank=True)),
                (
                    "flow_version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="flows.flowversion"
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extensions",
                        to="requests.accessrequest",
                    ),
                ),
                (
                    "requested_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extensions_asked",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["request", "number"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "pending"), ("escalates_at__isnull", False)),
                        fields=["escalates_at"],
                        name="requests_extension_escalating",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(fields=("request", "number"), name="requests_extension_number_once"),
                    models.UniqueConstraint(
                        condition=models.Q(("state", "pending")),
                        fields=("request",),
                        name="requests_extension_one_waits",
                    ),
                    models.CheckConstraint(condition=models.Q(("seconds__gte", 1)), name="requests_extension_lasts"),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "pending"), ("decided_at__isnull", True)),
                            models.Q(models.Q(("state", "pending"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="requests_extension_decided_says_when",
                    ),
                    models.CheckConstraint(
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
                ],
            },
        ),
        migrations.CreateModel(
            name="ExtensionApproval",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("told_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("group_index", models.PositiveSmallIntegerField(default=0)),
                ("tier", models.PositiveSmallIntegerField(default=0)),
                ("why", models.CharField(help_text="Why this person is asked, in words.", max_length=300)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
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
                (
                    "approver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="extension_approvals",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "extension",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="approvals", to="requests.extension"
                    ),
                ),
                (
                    "letter",
                    models.ForeignKey(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="accounts.letter",
                    ),
                ),
                (
                    "stands_in_for",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["tier", "group_index", "id"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("status", "pending")), fields=["approver"], name="requests_extension_tasks"
                    ),
                    models.Index(
                        condition=models.Q(("told_at__isnull", True)), fields=["id"], name="requests_extension_untold"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("extension", "approver", "group_index"), name="requests_extension_approval_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("decided_at__isnull", True), ("status", "pending")),
                            models.Q(models.Q(("status", "pending"), _negated=True), ("decided_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="requests_extension_approval_says_when",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Favourite",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kept_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="requests.accessrequest"
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="favourites",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("user", "request"), name="requests_favourite_once")],
            },
        ),
        migrations.CreateModel(
            name="Freeze",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reason", models.TextField()),
                ("break_glass", models.BooleanField(default=False, help_text="Breaking the glass stays possible.")),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("began_by", models.CharField(max_length=200)),
                ("thawed_at", models.DateTimeField(blank=True, null=True)),
                ("thawed_by", models.CharField(blank=True, max_length=200)),
                ("thawed_why", models.TextField(blank=True)),
                (
                    "integration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="freezes",
                        to="integrations.integration",
                    ),
                ),
            ],
            options={
                "ordering": ["-began_at"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("thawed_at__isnull", True)), fields=["began_at"], name="requests_frozen"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("integration__isnull", False), ("thawed_at__isnull", True)),
                        fields=("integration",),
                        name="requests_freeze_integration_once",
                    ),
                    models.UniqueConstraint(
                        models.Case(models.When(integration__isnull=True, then=models.Value(1))),
                        condition=models.Q(("integration__isnull", True), ("thawed_at__isnull", True)),
                        name="requests_freeze_everywhere_once",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="Look",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("first_at", models.DateTimeField(blank=True, null=True)),
                ("last_at", models.DateTimeField(blank=True, null=True)),
                ("tried_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("problem", models.TextField(blank=True)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="looks", to="integrations.integration"
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="looks", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["integration", "last_at"], name="requests_look_last")],
                "constraints": [models.UniqueConstraint(fields=("integration", "person"), name="requests_look_once")],
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
                (
                    "approver",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="narrowings",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="narrowings",
                        to="requests.accessrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": ("view",),
            },
        ),
        migrations.CreateModel(
            name="OverdueNotice",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("overdue", models.BooleanField()),
                ("told", models.JSONField(help_text="The body that is sent.")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_try_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="flows.webhook"
                    ),
                ),
            ],
            options={
                "ordering": ["-created_at"],
                "default_permissions": ("view",),
                "indexes": [models.Index(fields=["webhook", "-created_at"], name="requests_notice_latest")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("done_at__isnull", True)),
                        fields=("webhook",),
                        name="requests_notice_one_waits",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="OverdueWebhook",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                (
                    "webhook",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="flows.webhook"
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook told of overdue access",
                "verbose_name_plural": "webhooks told of overdue access",
                "ordering": ["pk"],
            },
        ),
        migrations.CreateModel(
            name="PlatformGap",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("began_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("found_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
            ],
            options={
                "ordering": ["-began_at"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("done_at__isnull", True)), fields=["began_at"], name="requests_gap_open"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Proof",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("due_at", models.DateTimeField()),
                ("ended_at", models.DateTimeField()),
                ("lag_seconds", models.FloatField()),
                ("read_at", models.DateTimeField()),
                ("connector", models.CharField(max_length=200)),
                ("instance", models.CharField(blank=True, max_length=64)),
                (
                    "reader",
                    models.JSONField(blank=True, default=dict, help_text="The function that read, with its digest."),
                ),
                ("live_sessions", models.PositiveIntegerField(default=0)),
                (
                    "found",
                    models.JSONField(
                        default=list, help_text="What the read-back saw of this grant: nothing, or it is no proof."
                    ),
                ),
                ("functions", models.JSONField(default=list, help_text="Functions that ran, with their digests.")),
                ("sessions_ended", models.PositiveIntegerField(default=0)),
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="proof", to="requests.accessgroup"
                    ),
                ),
                (
                    "order",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="integrations.order",
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.CheckConstraint(condition=models.Q(("found", [])), name="requests_proof_found_nothing")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReconcileRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("why", models.CharField(max_length=200)),
                ("total", models.PositiveIntegerField(default=0)),
                ("looked", models.PositiveIntegerField(default=0)),
                ("failed", models.PositiveIntegerField(default=0)),
                ("vanished", models.PositiveIntegerField(default=0)),
                ("foreign", models.PositiveIntegerField(default=0)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("moved_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                ("spread", models.FloatField(default=1.0)),
                ("error", models.TextField(blank=True)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="reconcile_runs",
                        to="integrations.integration",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
                "permissions": [("start_reconcilerun", "Can look for drift now")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=["moved_at"],
                        name="requests_reconcile_open",
                    ),
                    models.Index(fields=["integration", "-started_at"], name="requests_reconcile_latest"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=("integration",),
                        name="requests_reconcile_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("kind", models.CharField(choices=[("activity", "Activity"), ("audit", "Audit trail")], max_length=10)),
                ("name", models.CharField(max_length=120)),
                ("filters", models.JSONField(default=dict)),
                ("columns", models.JSONField(default=list, help_text="Names of the fields, in order.")),
                ("format", models.CharField(choices=[("csv", "CSV")], default="csv", max_length=5)),
                ("cron", models.CharField(blank=True, max_length=100)),
                ("time_zone", models.CharField(blank=True, max_length=60)),
                ("next_run_at", models.DateTimeField(blank=True, null=True)),
                ("paused_at", models.DateTimeField(blank=True, null=True)),
                ("last_run_at", models.DateTimeField(blank=True, null=True)),
                ("last_note", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="saved_reports",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                ("recipients", models.ManyToManyField(related_name="reports_received", to=settings.AUTH_USER_MODEL)),
            ],
            options={
                "ordering": ["name", "pk"],
                "default_permissions": ("view", "change"),
                "indexes": [
                    models.Index(
                        condition=models.Q(("next_run_at__isnull", False)),
                        fields=["next_run_at"],
                        name="requests_report_due",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        models.F("owner"),
                        django.db.models.functions.text.Lower("name"),
                        name="requests_report_name_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("next_run_at__isnull", True),
                            models.Q(models.Q(("cron", ""), _negated=True), ("paused_at__isnull", True)),
                            _connector="OR",
                        ),
                        name="requests_report_due_by_schedule",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("cron", ""), ("time_zone", "")),
                            models.Q(models.Q(("cron", ""), _negated=True), models.Q(("time_zone", ""), _negated=True)),
                            _connector="OR",
                        ),
                        name="requests_report_schedule_has_zone",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="export",
            name="report",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="runs", to="requests.report"
            ),
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
                (
                    "request",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="review", to="requests.accessrequest"
                    ),
                ),
                (
                    "reviewer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reviews",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["due_at"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(condition=models.Q(("state", "due")), fields=["due_at"], name="requests_reviews_owed")
                ],
                "constraints": [
                    models.CheckConstraint(
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
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reviewer",
            fields=[
                ("id", models.BigAutoField(primary_key=True, serialize=False)),
                ("why", models.CharField(help_text="Why this person may review it, in words.", max_length=300)),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "review",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reviewers", to="requests.review"
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("review", "person"), name="requests_reviewer_once")],
            },
        ),
        migrations.CreateModel(
            name="Revocation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("person", "A person"),
                            ("integration", "An integration"),
                            ("flow", "An access flow"),
                            ("everywhere", "Everywhere"),
                        ],
                        max_length=12,
                    ),
                ),
                (
                    "cause",
                    models.CharField(
                        choices=[("asked", "Somebody pressed the button"), ("off_boarding", "The person was disabled")],
                        default="asked",
                        max_length=12,
                    ),
                ),
                ("reason", models.TextField()),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("source", models.CharField(max_length=20)),
                ("operation", models.UUIDField()),
                ("began_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(blank=True, null=True)),
                (
                    "flow",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revocations",
                        to="flows.accessflow",
                    ),
                ),
                (
                    "integration",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revocations",
                        to="integrations.integration",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="revocations",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "ordering": ["-began_at"],
                "permissions": [("revoke_everywhere", "Can revoke all access there is, and freeze")],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("finished_at__isnull", True)),
                        fields=["began_at"],
                        name="requests_revocation_running",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("flow__isnull", True),
                                ("integration__isnull", True),
                                ("kind", "person"),
                                ("person__isnull", False),
                            ),
                            models.Q(
                                ("flow__isnull", True),
                                ("integration__isnull", False),
                                ("kind", "integration"),
                                ("person__isnull", True),
                            ),
                            models.Q(
                                ("flow__isnull", False),
                                ("integration__isnull", True),
                                ("kind", "flow"),
                                ("person__isnull", True),
                            ),
                            models.Q(
                                ("flow__isnull", True),
                                ("integration__isnull", True),
                                ("kind", "everywhere"),
                                ("person__isnull", True),
                            ),
                            _connector="OR",
                        ),
                        name="requests_revocation_subject_fits",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True), ("person__isnull", False)),
                        fields=("person",),
                        name="requests_revocation_person_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True), ("integration__isnull", False)),
                        fields=("integration",),
                        name="requests_revocation_integration_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True), ("flow__isnull", False)),
                        fields=("flow",),
                        name="requests_revocation_flow_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("finished_at__isnull", True), ("kind", "everywhere")),
                        fields=("kind",),
                        name="requests_revocation_everywhere_once",
                    ),
                ],
            },
        ),
        migrations.AddField(
            model_name="accessrequest",
            name="revocation",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="requests",
                to="requests.revocation",
            ),
        ),
        migrations.CreateModel(
            name="SentForm",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("token", models.UUIDField()),
                ("digest", models.CharField(max_length=64)),
                ("requests", models.JSONField(default=list, help_text="Ids of the requests.")),
                ("sent_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "requestor",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("requestor", "token"), name="requests_form_sent_once")],
            },
        ),
        migrations.CreateModel(
            name="StandingRecord",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("login", models.CharField(max_length=200)),
                ("resource_type", models.CharField(max_length=60)),
                ("resource", models.CharField(max_length=700)),
                ("permission", models.CharField(max_length=200)),
                ("first_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("last_seen_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "integration",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="standing",
                        to="integrations.integration",
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="standing",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("integration", "person", "login", "resource_type", "resource", "permission"),
                        name="requests_standing_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ToLookAt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("rank", models.PositiveSmallIntegerField(default=0)),
                ("asked_at", models.DateTimeField(blank=True, null=True)),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("asked", "Asked"),
                            ("looked", "Looked at"),
                            ("failed", "Could not be looked at"),
                        ],
                        default="waiting",
                        max_length=10,
                    ),
                ),
                (
                    "person",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="people", to="requests.reconcilerun"
                    ),
                ),
            ],
            options={
                "ordering": ["rank", "pk"],
                "default_permissions": (),
                "indexes": [
                    models.Index(
                        condition=models.Q(("outcome__in", ("waiting", "asked"))),
                        fields=["run", "rank", "id"],
                        name="requests_to_look_open",
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("run", "person"), name="requests_to_look_once")],
            },
        ),
        migrations.CreateModel(
            name="Transition",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "from_state",
                    models.CharField(
                        choices=[
                            ("initializing", "Preparing"),
                            ("pending_mfa", "Waiting for your second factor"),
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("granting", "Granting"),
                            ("active", "Active"),
                            ("revoking", "Revoking"),
                            ("revoked", "Revoked"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                            ("lapsed", "Lapsed"),
                        ],
                        max_length=20,
                    ),
                ),
                (
                    "to_state",
                    models.CharField(
                        choices=[
                            ("initializing", "Preparing"),
                            ("pending_mfa", "Waiting for your second factor"),
                            ("pending", "Pending"),
                            ("approved", "Approved"),
                            ("granting", "Granting"),
                            ("active", "Active"),
                            ("revoking", "Revoking"),
                            ("revoked", "Revoked"),
                            ("failed", "Failed"),
                            ("rejected", "Rejected"),
                            ("cancelled", "Cancelled"),
                            ("lapsed", "Lapsed"),
                        ],
                        max_length=20,
                    ),
                ),
                ("at", models.DateTimeField(default=django.utils.timezone.now)),
                ("actor_kind", models.CharField(max_length=20)),
                ("actor_id", models.CharField(blank=True, max_length=64)),
                ("actor_name", models.CharField(blank=True, max_length=200)),
                ("reason", models.TextField(blank=True)),
                ("operation", models.UUIDField()),
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="transitions",
                        to="requests.accessrequest",
                    ),
                ),
            ],
            options={
                "ordering": ["id"],
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
                (
                    "request",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="webhook_calls",
                        to="requests.accessrequest",
                    ),
                ),
                (
                    "webhook",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="calls", to="flows.webhook"
                    ),
                ),
            ],
            options={
                "ordering": ["due_at"],
                "default_permissions": ("view",),
                "indexes": [
                    models.Index(
                        condition=models.Q(("state", "waiting")), fields=["due_at"], name="requests_webhook_call_due"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("group_index__isnull", False)),
                        fields=("request", "webhook", "group_index"),
                        name="requests_webhook_approver_once",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("group_index__isnull", True)),
                        fields=("request", "webhook"),
                        name="requests_webhook_check_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "waiting"), ("answered_at__isnull", True)),
                            models.Q(models.Q(("state", "waiting"), _negated=True), ("answered_at__isnull", False)),
                            _connector="OR",
                        ),
                        name="requests_webhook_call_answered_says_when",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="export",
            constraint=models.UniqueConstraint(
                condition=models.Q(("due_at__isnull", False), ("report__isnull", False)),
                fields=("report", "due_at"),
                name="requests_export_run_once",
            ),
        ),
    ]
