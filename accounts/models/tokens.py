"""What programs sign in with: tokens, what was allowed to command-line clients, and answers kept for repeats."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone

from accounts.choices import TokenKind
from accounts.models.people import User


class ClientGrant(models.Model):
    """What a person allowed a command-line client: begun by a code, kept up by refresh tokens, until it is revoked."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="client_grants")
    client_id = models.CharField(max_length=200)
    scopes = models.JSONField(default=list)
    redirect_uri = models.CharField(max_length=500)
    # Of the code and of the PKCE verifier only digests are kept; the second is the client's own challenge.
    code_digest = models.CharField(max_length=64, unique=True)
    challenge = models.CharField(max_length=43)
    created_at = models.DateTimeField(default=timezone.now)
    code_expires_at = models.DateTimeField()
    code_used_at = models.DateTimeField(null=True, blank=True)
    # Nothing of it lasts longer, however often it is refreshed.
    ends_at = models.DateTimeField()
    # The person's round of sessions then: what ends every session of theirs ends this.
    session_round = models.PositiveIntegerField(default=0)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Shown with the tokens that came of it."""

        default_permissions = ()
        # The sweep that removes what is over.
        indexes = [models.Index(fields=["ends_at"], name="accounts_client_grant_ends")]

    def __str__(self) -> str:
        """Name the client and the person."""
        return f"{self.client_id} for {self.user_id}"


class RefreshToken(models.Model):
    """Gets the next access token, once. Using one a second time revokes everything its grant gave."""

    grant = models.ForeignKey(ClientGrant, models.CASCADE, related_name="refresh_tokens")
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Nobody manages these by hand."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the grant, never the token."""
        return f"refresh token of {self.grant_id}"


class ApiToken(models.Model):
    """A token of the API. Its text is shown once; only the SHA-256 digest of that, and its last letters, are kept.

    It acts as its owner and never may more than they do; `scopes` (TokenScope) narrow that down.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(max_length=10, choices=TokenKind.choices, default=TokenKind.PERSONAL)
    owner = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=100)
    digest = models.CharField(max_length=64, unique=True)
    # The last letters of the text, by which its owner tells it from others.
    tail = models.CharField(max_length=4)
    scopes = models.JSONField(default=list)
    # Null: the platform itself, by a command.
    created_by = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    # To the minute.
    last_used_at = models.DateTimeField(null=True, blank=True)
    # The owner's round of sessions when it was issued: what ends every session of a person ends their tokens.
    session_round = models.PositiveIntegerField(default=0)
    grant = models.ForeignKey(ClientGrant, models.CASCADE, null=True, blank=True, related_name="tokens")

    class Meta:
        """Whoever administers people sees all tokens, and may revoke them."""

        verbose_name = "API token"
        ordering = ["-created_at", "id"]
        default_permissions = ("add", "view", "delete")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(kind=TokenKind.CLIENT, grant__isnull=False)
                | (~models.Q(kind=TokenKind.CLIENT) & models.Q(grant__isnull=True)),
                name="accounts_token_of_client_has_grant",
            ),
            models.CheckConstraint(
                condition=models.Q(expires_at__gt=models.F("created_at")), name="accounts_token_lasts"
            ),
        ]
        indexes = [
            # The owner's page, newest first.
            models.Index(fields=["owner", "-created_at"], name="accounts_token_of_owner"),
            # The admin's list, newest first, and the sweep that removes what is long over.
            models.Index(fields=["-created_at"], name="accounts_token_newest"),
        ]

    def __str__(self) -> str:
        """Name it, never its text."""
        return self.name

    @property
    def masked(self) -> str:
        """The text as far as it is known here."""
        return f"lk_…{self.tail}"


class IdempotentAnswer(models.Model):
    """What a POST with an idempotency key was answered, for the same POST again within a day."""

    token = models.ForeignKey(ApiToken, models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    # Of method, address and body.
    digest = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField(default=0)
    # Empty where the answer held a secret, which is never kept.
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """A key is used once by a token."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="accounts_answer_once")]
        # The sweep that removes those of yesterday.
        indexes = [models.Index(fields=["created_at"], name="accounts_answer_age")]

    def __str__(self) -> str:
        """Name the key."""
        return self.key
