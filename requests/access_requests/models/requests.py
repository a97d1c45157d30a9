"""Requests, approvals, grants, sessions, and the record of how each ended."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from access_requests.choices import (
    FINAL,
    HOLDS_ACCESS,
    TONES,
    UNIT_TONES,
    WAITING,
    ApprovalStatus,
    CredentialsStatus,
    EndedHow,
    EndReason,
    RequestState,
    UnitState,
)
from accounts.models import Letter, User
from flows.models import FlowVersion
from integrations.models import Integration, Permission, Resource


class AccessRequest(models.Model):
    """One ask of one flow, by a requestor for a grantee."""

    id = models.BigAutoField(primary_key=True)
    requestor = models.ForeignKey(User, models.PROTECT, related_name="requests_made")
    grantee = models.ForeignKey(User, models.PROTECT, related_name="requests_held")
    # The version that decided. The flow itself is reached through it and may have moved on.
    flow_version = models.ForeignKey(FlowVersion, models.PROTECT, related_name="requests")
    state = models.CharField(max_length=20, choices=RequestState.choices, default=RequestState.INITIALIZING)
    justification = models.TextField(blank=True)
    # The number of a ticket, and what was written into the flow's custom fields, by key.
    ticket = models.CharField(max_length=200, blank=True)
    fields = models.JSONField(default=dict, blank=True)
    # Opened at once in an emergency; it owes a review.
    break_glass = models.BooleanField(default=False)
    # Made by an automatic flow, not asked for.
    automatic = models.BooleanField(default=False)
    # Of a break-glass envelope: its grantee is nobody who could sign in, and eligibility is not asked of it.
    in_envelope = models.BooleanField(default=False, editable=False)
    # When the requestor proved a second factor for it.
    mfa_at = models.DateTimeField(null=True, blank=True)
    # Null means without an end, which the flow has to have said out loud.
    duration_seconds = models.PositiveIntegerField(null=True)
    requested_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    activated_at = models.DateTimeField(null=True, blank=True)
    # The server's end: activation + duration, one end for all units. Null before activation and when indefinite.
    ends_at = models.DateTimeField(null=True, blank=True)
    # A waiting request lapses here; an approved one that cannot be dispatched, too.
    lapses_at = models.DateTimeField(null=True, blank=True)
    # The highest tier of approvers that was asked, and when the next one is, if nobody has settled it by then.
    asked_tier = models.PositiveSmallIntegerField(default=0, editable=False)
    escalates_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Approved, but outside the flow's window: it is looked at again from then on.
    opens_at = models.DateTimeField(null=True, blank=True, editable=False)
    # The inventory it was decided on changed: whether it is still deserved has to be asked again.
    recheck_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When the revoke was due; kept as part of the proof.
    due_at = models.DateTimeField(null=True, blank=True)
    # Sessions that are open at its end may go on until then, where the target can (access_requests.draining); the end
    # is due then. While they may, when to look at them next.
    drains_until = models.DateTimeField(null=True, blank=True, editable=False)
    drain_look_at = models.DateTimeField(null=True, blank=True, editable=False)
    overdue_since = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(max_length=10, choices=EndedHow.choices, blank=True)
    end_reason = models.CharField(max_length=30, choices=EndReason.choices, blank=True)
    # What to tell the person about how it stands: the reason of a refusal, the last error in words.
    note = models.TextField(blank=True)
    warning = models.BooleanField(default=False, help_text="Active, but some units failed.")
    # When the next letter about its end is due; null when there is none (access_requests.reminding).
    remind_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When letters were written: that access ends soon, and that its end is overdue.
    reminded_at = models.DateTimeField(null=True, blank=True, editable=False)
    overdue_told_at = models.DateTimeField(null=True, blank=True, editable=False)
    # When its dossier was made and signed, once it was over.
    dossier_at = models.DateTimeField(null=True, blank=True, editable=False)
    # What ended it with everything else of a person, an integration, a flow.
    revocation = models.ForeignKey(
        "requests.Revocation", models.SET_NULL, null=True, blank=True, related_name="requests", editable=False
    )

    class Meta:
        """What must never be is refused by the database."""

        verbose_name = "access request"
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("revoke_accessrequest", "Can revoke anybody's access")]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(state=RequestState.ACTIVE) | models.Q(activated_at__isnull=False),
                name="requests_active_has_begun",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=RequestState.ACTIVE)
                | models.Q(duration_seconds__isnull=True)
                | models.Q(ends_at__isnull=False),
                name="requests_active_has_an_end",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=RequestState.REVOKING) | models.Q(due_at__isnull=False),
                name="requests_revoking_is_due",
            ),
            models.CheckConstraint(
                condition=(models.Q(state=RequestState.REVOKED) & ~models.Q(ended_how=""))
                | (~models.Q(state=RequestState.REVOKED) & models.Q(ended_how="")),
                name="requests_revoked_says_how",
            ),
            models.CheckConstraint(
                condition=~models.Q(state=RequestState.REVOKED) | models.Q(ended_at__isnull=False),
                name="requests_revoked_says_when",
            ),
        ]
        indexes = [
            # The sweep that ends what is over.
            models.Index(fields=["ends_at"], name="requests_due", condition=models.Q(state=RequestState.ACTIVE)),
            # The sweep that lapses what nobody answered.
            models.Index(fields=["lapses_at"], name="requests_lapsing", condition=models.Q(state__in=WAITING)),
            # The sweep that asks the next tier of approvers.
            models.Index(
                fields=["escalates_at"],
                name="requests_escalating",
                condition=models.Q(state=RequestState.PENDING, escalates_at__isnull=False),
            ),
            # The sweep that asks again after news of inventory.
            models.Index(fields=["recheck_at"], name="requests_recheck", condition=models.Q(recheck_at__isnull=False)),
            # The sweep that dispatches what was approved.
            models.Index(fields=["id"], name="requests_approved", condition=models.Q(state=RequestState.APPROVED)),
            # The sweep and the overview that watch what is under way, and overdue ends.
            models.Index(fields=["due_at"], name="requests_revoking", condition=models.Q(state=RequestState.REVOKING)),
            models.Index(fields=["id"], name="requests_granting", condition=models.Q(state=RequestState.GRANTING)),
            # Activity and its CSV: a period, newest first, page by page behind the last row.
            models.Index(fields=["-requested_at", "-id"], name="requests_activity"),
            # The banner of every page: overdue ends, of which there should be none.
            models.Index(
                fields=["due_at"],
                name="requests_overdue",
                condition=models.Q(state=RequestState.REVOKING, overdue_since__isnull=False),
            ),
            # The sweep that writes letters before ends.
            models.Index(
                fields=["remind_at"],
                name="requests_remind",
                condition=models.Q(state=RequestState.ACTIVE, remind_at__isnull=False),
            ),
            # The sweep that looks at what drains, and ends it.
            models.Index(
                fields=["drain_look_at"],
                name="requests_draining",
                condition=models.Q(state=RequestState.REVOKING, drain_look_at__isnull=False),
            ),
            # The sweep that makes dossiers of what is over.
            models.Index(
                fields=["ended_at"],
                name="requests_no_dossier",
                condition=models.Q(ended_at__isnull=False, dossier_at__isnull=True),
            ),
            # What automatic flows gave and has not ended.
            models.Index(
                fields=["flow_version", "grantee"],
                name="requests_automatic",
                condition=models.Q(automatic=True) & ~models.Q(state__in=FINAL),
            ),
            # My access.
            models.Index(fields=["grantee", "-id"], name="requests_of_grantee"),
            models.Index(fields=["requestor", "-id"], name="requests_of_requestor"),
            # What one person holds now: eligibility, off-boarding.
            models.Index(fields=["grantee"], name="requests_held", condition=models.Q(state__in=HOLDS_ACCESS)),
        ]

    def __str__(self) -> str:
        """Show the number people quote."""
        return f"AR-{self.pk}"

    @property
    def flow_name(self) -> str:
        """The flow's name as it was when it decided."""
        return str(self.flow_version.document.get("name", ""))

    @property
    def tone(self) -> str:
        """How the state looks."""
        return TONES[RequestState(self.state)]

    @property
    def word(self) -> str:
        """The state as people read it."""
        if self.state == RequestState.REVOKED:
            return f"{RequestState.REVOKED.label} ({EndedHow(self.ended_how).label})"
        return str(RequestState(self.state).label)


class AccessGroup(models.Model):
    """The part of a request that lies in one integration. While it holds access it is the grant, with its own login."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="access_groups")
    integration = models.ForeignKey(Integration, models.PROTECT, related_name="access_groups")
    # The login made for this grant, fixed when it is first dispatched; empty where the target has none.
    login = models.CharField(max_length=63, blank=True)
    dispatched_at = models.DateTimeField(null=True, blank=True)
    # The target's own end: dispatch + duration + one lease. Null when indefinite or not dispatched.
    backstop_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    # Since when the target lets no new session of it begin, read back, while those that are open go on; and how many.
    draining_at = models.DateTimeField(null=True, blank=True)
    sessions_left = models.PositiveIntegerField(default=0)
    # What a read-back after the end still found of it, in words, and when; empty once it found nothing.
    still_found = models.JSONField(default=list, blank=True)
    still_found_at = models.DateTimeField(null=True, blank=True)
    # When a read-back saw it though it had ended; null once it was ended again.
    reopened_at = models.DateTimeField(null=True, blank=True)
    # When the login left behind (disabled) is to be deleted, and when it was.
    cleanup_due_at = models.DateTimeField(null=True, blank=True)
    cleaned_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """One group per request and integration."""

        default_permissions = ("view",)
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "integration"], name="requests_group_once"),
            models.UniqueConstraint(
                fields=["integration", "login"], condition=~models.Q(login=""), name="requests_login_once"
            ),
        ]
        indexes = [
            # The sweep that deletes logins left behind.
            models.Index(
                fields=["cleanup_due_at"],
                name="requests_cleanup_due",
                condition=models.Q(cleanup_due_at__isnull=False, cleaned_at__isnull=True),
            ),
            # The sweep that orders again the end of what is open after it.
            models.Index(
                fields=["reopened_at"], name="requests_group_reopened", condition=models.Q(reopened_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        """Name request and integration."""
        return f"AR-{self.request_id} in {self.integration_id}"


class AccessUnit(models.Model):
    """One entitlement of an access group, with a status of its own. Names are snapshots: inventory moves on."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.ForeignKey(AccessGroup, models.PROTECT, related_name="units")
    resource = models.ForeignKey(Resource, models.PROTECT, related_name="+")
    permission = models.ForeignKey(Permission, models.PROTECT, related_name="+")
    state = models.CharField(max_length=10, choices=UnitState.choices, default=UnitState.PENDING)
    message = models.TextField(blank=True)
    resource_type = models.CharField(max_length=60)
    resource_source_id = models.CharField(max_length=700)
    resource_path = models.CharField(max_length=700)
    permission_source_id = models.CharField(max_length=200)
    permission_name = models.CharField(max_length=200)

    class Meta:
        """An entitlement is there once in a group."""

        default_permissions = ("view",)
        ordering = ["resource_path", "permission_name"]
        constraints = [models.UniqueConstraint(fields=["group", "resource", "permission"], name="requests_unit_once")]

    def __str__(self) -> str:
        """Name resource and permission."""
        return f"{self.permission_name} on {self.resource_path}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is in the target's own words: resource type, resource, permission (access_requests.drift.Key)."""
        return (self.resource_type, self.resource_source_id, self.permission_source_id)

    @property
    def tone(self) -> str:
        """How the state looks."""
        return UNIT_TONES[UnitState(self.state)]


class Told(models.Model):
    """Whether an approver was told that something waits for them, and by which letter if one was written."""

    told_at = models.DateTimeField(null=True, blank=True, editable=False)
    letter = models.ForeignKey(Letter, models.SET_NULL, null=True, blank=True, editable=False, related_name="+")

    class Meta:
        """The sweep that writes to approvers finds who was not."""

        abstract = True


class Approval(Told):
    """One approver's part in a request: who is asked, why, and what was said."""

    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="approvals")
    approver = models.ForeignKey(User, models.PROTECT, related_name="approvals")
    # Index of the approver group in the flow version's document, and its tier.
    group_index = models.PositiveSmallIntegerField(default=0)
    tier = models.PositiveSmallIntegerField(default=0)
    why = models.CharField(max_length=300, help_text="Why this person is asked, in words.")
    # When this tier was asked; not known of rows older than tiers.
    asked_at = models.DateTimeField(null=True, blank=True)
    # Who is away, if the approver stands in for somebody.
    stands_in_for = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    status = models.CharField(max_length=10, choices=ApprovalStatus.choices, default=ApprovalStatus.PENDING)
    reason = models.CharField(max_length=500, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """A person is asked once per group."""

        default_permissions = ("view",)
        ordering = ["tier", "group_index", "id"]
        constraints = [
            models.UniqueConstraint(fields=["request", "approver", "group_index"], name="requests_approval_once"),
            models.CheckConstraint(
                condition=models.Q(status=ApprovalStatus.PENDING, decided_at__isnull=True)
                | (~models.Q(status=ApprovalStatus.PENDING) & models.Q(decided_at__isnull=False)),
                name="requests_approval_decided_says_when",
            ),
        ]
        indexes = [
            # My tasks.
            models.Index(fields=["approver"], name="requests_tasks", condition=models.Q(status=ApprovalStatus.PENDING)),
            # The sweep that writes to approvers.
            models.Index(fields=["id"], name="requests_untold", condition=models.Q(told_at__isnull=True)),
        ]

    def __str__(self) -> str:
        """Name approver and status."""
        return f"{self.approver_id}: {self.status}"


class AccessSession(models.Model):
    """What a grantee holds through one grant: the details to connect, and the credentials until they are seen."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.OneToOneField(AccessGroup, models.PROTECT, related_name="session")
    details = models.JSONField(default=dict, help_text="Details to connect that are no secret.")
    credentials_status = models.CharField(
        max_length=20, choices=CredentialsStatus.choices, default=CredentialsStatus.NOT_APPLICABLE
    )
    # Sealed to the server's key, bound to the group's id; emptied when first seen.
    sealed_credentials = models.TextField(blank=True)
    credentials_made_at = models.DateTimeField(null=True, blank=True)
    consumed_at = models.DateTimeField(null=True, blank=True)
    consumed_by = models.CharField(max_length=60, blank=True, help_text="The surface that took the credentials.")
    started_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Ciphertext is there exactly while the credentials are available."""

        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(
                condition=(models.Q(credentials_status=CredentialsStatus.AVAILABLE) & ~models.Q(sealed_credentials=""))
                | (~models.Q(credentials_status=CredentialsStatus.AVAILABLE) & models.Q(sealed_credentials="")),
                name="requests_session_sealed_while_available",
            ),
        ]

    def __str__(self) -> str:
        """Name the grant."""
        return f"session of {self.group_id}"


class Transition(models.Model):
    """One move of a request from one state to another."""

    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="transitions")
    from_state = models.CharField(max_length=20, choices=RequestState.choices)
    to_state = models.CharField(max_length=20, choices=RequestState.choices)
    at = models.DateTimeField(default=timezone.now)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_name = models.CharField(max_length=200, blank=True)
    reason = models.TextField(blank=True)
    operation = models.UUIDField()

    class Meta:
        """The timeline of a request."""

        default_permissions = ("view",)
        ordering = ["id"]

    def __str__(self) -> str:
        """Show the move."""
        return f"{self.from_state} → {self.to_state}"
