"""Which form became which requests, so that a form sent twice asks once."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.models import User


class SentForm(models.Model):
    """One form of the page of a new request that was sent, and what came of it. Kept for a month."""

    requestor = models.ForeignKey(User, models.CASCADE, related_name="+", db_index=False)
    # Made with the form; a person can only ever name one of their own.
    token = models.UUIDField()
    # SHA-256 of what was asked: the same token with other content is another ask.
    digest = models.CharField(max_length=64)
    requests = models.JSONField(default=list, help_text="Ids of the requests.")
    sent_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """The unique pair is what makes the second sending wait for the first, and find it."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["requestor", "token"], name="requests_form_sent_once")]

    def __str__(self) -> str:
        """Name the token."""
        return str(self.token)


def new_token() -> uuid.UUID:
    """Return a token for a new form."""
    return uuid.uuid4()
