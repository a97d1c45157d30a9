"""Where people are signed in. Entered through accounts.models."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.choices import SessionEnd


class BrowserSession(models.Model):
    """A browser in which somebody is, or was, signed in.

    What counts for letting in is the row of Django's that has the key; ending a session deletes that one. This row is
    how sessions are listed, found for a provider that ends one, and counted when somebody leaves.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="browser_sessions")
    session_key = models.CharField(max_length=40, unique=True)
    began_at = models.DateTimeField(default=timezone.now)
    # A minute behind at most: it is not written at every click.
    seen_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_how = models.CharField(max_length=20, choices=SessionEnd.choices, blank=True)
    # password, link or oidc.
    how = models.CharField(max_length=20)
    address = models.CharField(max_length=45, blank=True)
    agent = models.CharField(max_length=300, blank=True)
    # The identity provider, and what it calls its own session: by these it can end ours.
    issuer = models.CharField(max_length=300, blank=True)
    sid = models.CharField(max_length=255, blank=True)

    class Meta:
        """Ended once, and it says how."""

        default_permissions = ()
        ordering = ["-seen_at"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(ended_at__isnull=True, ended_how="")
                | (models.Q(ended_at__isnull=False) & ~models.Q(ended_how="")),
                name="accounts_session_ended_says_how",
            )
        ]
        indexes = [
            # A logout token names the provider's session.
            models.Index(
                fields=["issuer", "sid"], name="accounts_session_sid", condition=models.Q(ended_at__isnull=True)
            ),
            # The sweep that deletes what ended a month ago.
            models.Index(
                fields=["ended_at"], name="accounts_session_ended", condition=models.Q(ended_at__isnull=False)
            ),
        ]

    def __str__(self) -> str:
        """Name the person, never the key."""
        return f"session of {self.user_id}"
