"""That access is over although nothing proves it: one admin's word, and a second one's yes."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from access_requests.choices import DeclarationState
from access_requests.models.requests import AccessRequest
from accounts.models import User


class Declaration(models.Model):
    """A proposal to declare a request ended, and what became of it. The revoke goes on being tried while it waits."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    request = models.ForeignKey(AccessRequest, models.PROTECT, related_name="declarations")
    state = models.CharField(max_length=10, choices=DeclarationState.choices, default=DeclarationState.WAITING)
    # How it is known that access is over: people read it for as long as the record stands.
    reason = models.TextField()
    proposed_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(default=timezone.now)
    lapses_at = models.DateTimeField()
    decided_by = models.ForeignKey(User, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.TextField(blank=True)
    # The integrations whose end was not proven, by name, as they were declared.
    unproven = models.JSONField(default=list, blank=True)

    class Meta:
        """One at most waits for a request; the yes is never of who proposed it."""

        default_permissions = ("view",)
        ordering = ["-proposed_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["request"],
                condition=Q(state__in=[DeclarationState.WAITING, DeclarationState.DECLARED]),
                name="requests_declaration_once",
            ),
            models.CheckConstraint(
                condition=~Q(state=DeclarationState.DECLARED)
                | (Q(decided_by__isnull=False) & ~Q(decided_by=F("proposed_by"))),
                name="requests_declaration_takes_two",
            ),
        ]
        indexes = [
            # The sweep that lets what nobody answered lapse.
            models.Index(fields=["lapses_at"], name="requests_declaration_waits", condition=Q(state="waiting"))
        ]

    def __str__(self) -> str:
        """Name the request and how it stands."""
        return f"{self.request}: {self.get_state_display()}"

    @property
    def waits(self) -> bool:
        """Whether somebody is still to answer."""
        return self.state == DeclarationState.WAITING
