"""Extensions: more time for access that is active. The request stays active throughout."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models
from django.utils import timezone

from access_requests.choices import EXTENSION_TONES, ApprovalStatus, ExtensionState
from access_requests.models.requests import AccessRequest, Told
from accounts.models import User
from flows.decision import words_for
from flows.models import FlowVersion

_PENDING = models.Q(state=ExtensionState.PENDING)
_APPROVED = models.Q(state=ExtensionState.APPROVED)


class Extension(models.Model):
    """One ask for more time. Approved, it moved the request's end by `seconds`, from `old_end` to `new_end`."""

    id = models.BigAutoField(primary_key=True)
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="extensions")
    # Numbered from 1 in each request.
    number = models.PositiveSmallIntegerField()
    requested_by = models.ForeignKey(User, models.PROTECT, related_name="extensions_asked")
    # The version of the flow that said what it takes; the request's own may be older.
    flow_version = models.ForeignKey(FlowVersion, models.PROTECT, related_name="+")
    seconds = models.PositiveIntegerField()
    justification = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=ExtensionState.choices, default=ExtensionState.PENDING)
    requested_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    # As of a request: the highest tier that was asked, and when the next one is.
    asked_tier = models.PositiveSmallIntegerField(default=0, editable=False)
    escalates_at = models.DateTimeField(null=True, blank=True, editable=False)
    old_end = models.DateTimeField(null=True, blank=True)
    new_end = models.DateTimeField(null=True, blank=True)
    # The reason of a refusal, or why it lapsed.
    note = models.TextField(blank=True)

    class Meta:
        """At most one waits, and what was approved says from when to when."""

        default_permissions = ("view",)
        ordering = ["request", "number"]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="requests_extension_number_once"),
            models.UniqueConstraint(fields=["request"], condition=_PENDING, name="requests_extension_one_waits"),
            models.CheckConstraint(condition=models.Q(seconds__gte=1), name="requests_extension_lasts"),
            models.CheckConstraint(
                condition=(_PENDING & models.Q(decided_at__isnull=True))
                | (~_PENDING & models.Q(decided_at__isnull=False)),
                name="requests_extension_decided_says_when",
            ),
            models.CheckConstraint(
                condition=(
                    _APPROVED
                    # Said, because a comparison with nothing is unknown, which a check lets pass.
                    & models.Q(old_end__isnull=False, new_end__isnull=False, new_end__gt=models.F("old_end"))
                )
                | (~_APPROVED & models.Q(old_end__isnull=True, new_end__isnull=True)),
                name="requests_extension_moved_the_end",
            ),
        ]
        indexes = [
            # The sweep that asks the next tier of approvers.
            models.Index(
                fields=["escalates_at"],
                name="requests_extension_escalating",
                condition=_PENDING & models.Q(escalates_at__isnull=False),
            )
        ]

    def __str__(self) -> str:
        """Number it within the request."""
        return f"AR-{self.request_id}, extension {self.number}"

    @property
    def tone(self) -> str:
        """How the state looks."""
        return EXTENSION_TONES[ExtensionState(self.state)]

    @property
    def word(self) -> str:
        """The state as people read it."""
        return str(ExtensionState(self.state).label)

    @property
    def more(self) -> str:
        """What a yes to it gives, in words: "1 h more"."""
        return f"{words_for(self.seconds)} more"

    @property
    def key(self) -> str:
        """A name for it that is no number, to build others from."""
        return str(self.pk)

    @property
    def end_if_approved(self) -> datetime | None:
        """When access ends after a yes; None when it is over."""
        return self.request.ends_at + timedelta(seconds=self.seconds) if self.request.ends_at else None

    @property
    def waits(self) -> bool:
        """Whether somebody has still to answer."""
        return self.state == ExtensionState.PENDING


class ExtensionApproval(Told):
    """One approver's part in an extension: who is asked, why, and what was said."""

    extension = models.ForeignKey(Extension, models.PROTECT, related_name="approvals")
    approver = models.ForeignKey(User, models.PROTECT, related_name="extension_approvals")
    # Index of the approver group in the document of the extension's flow version, and its tier.
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
            models.UniqueConstraint(
                fields=["extension", "approver", "group_index"], name="requests_extension_approval_once"
            ),
            models.CheckConstraint(
                condition=models.Q(status=ApprovalStatus.PENDING, decided_at__isnull=True)
                | (~models.Q(status=ApprovalStatus.PENDING) & models.Q(decided_at__isnull=False)),
                name="requests_extension_approval_says_when",
            ),
        ]
        indexes = [
            # My tasks: extensions that wait for one person's answer.
            models.Index(
                fields=["approver"], name="requests_extension_tasks", condition=models.Q(status=ApprovalStatus.PENDING)
            ),
            # The sweep that writes to approvers.
            models.Index(fields=["id"], name="requests_extension_untold", condition=models.Q(told_at__isnull=True)),
        ]

    def __str__(self) -> str:
        """Name approver and status."""
        return f"{self.approver_id}: {self.status}"
