"""People and what is known of them. The e-mail address is the identity."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.contrib.auth.models import BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from accounts.choices import LETTERS_WAITING, GroupSource, LetterKind, LetterState, Role, Theme
from accounts.models.holding import HoldsRoles


class UserManager(BaseUserManager["User"]):
    """Finds people by e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> User:
        """Return the person with this e-mail address. Raises User.DoesNotExist."""
        return self.get(email=(username or "").strip().lower())


class User(HoldsRoles):
    """A person. `is_active` is false for who is disabled, here or upstream."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    name = models.CharField(max_length=150)
    is_active = models.BooleanField("active", default=True)
    manager = models.ForeignKey("self", models.SET_NULL, null=True, blank=True, related_name="reports")
    time_zone = models.CharField(max_length=60, blank=True, help_text="For example Europe/Berlin; empty means UTC.")
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.SYSTEM, blank=True, editable=False)
    # Kinds of letters (LetterKind) the person chose not to get.
    letters_off = models.JSONField(default=list, blank=True, editable=False)
    # Not in the directory: a contractor, a vendor. Invited by somebody who answers for them, and for a time.
    is_outside = models.BooleanField("outside person", default=False, editable=False)
    invited_by = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="invited", editable=False
    )
    leaves_at = models.DateTimeField(null=True, blank=True, editable=False)
    # No person but a program of the organisation: it has roles and tokens, never signs in and is given no access.
    is_service = models.BooleanField("service", default=False, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    disabled_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Disabled by whoever pushes people here (accounts.scim): only then may a push let them in again.
    pushed_out = models.BooleanField(default=False, editable=False)
    # Part of what binds a session to its person: one more, and every session until now is over.
    session_round = models.PositiveIntegerField(default=0, editable=False)

    objects: ClassVar[UserManager] = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["name"]

    class Meta:
        """One person per address."""

        ordering = ["email"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="accounts_user_email_lower"),
            models.CheckConstraint(
                condition=models.Q(manager__isnull=True) | ~models.Q(manager=models.F("id")),
                name="accounts_user_not_own_manager",
            ),
            models.CheckConstraint(
                condition=models.Q(is_outside=False)
                | models.Q(is_outside=True, invited_by__isnull=False, leaves_at__isnull=False),
                name="accounts_outside_people_are_answered_for",
            ),
        ]
        indexes = [
            # The sweep that disables who has left.
            models.Index(
                fields=["leaves_at"],
                name="accounts_user_leaving",
                condition=models.Q(leaves_at__isnull=False, is_active=True),
            ),
            # How many the directory disabled within a minute: many are told to the admins.
            models.Index(fields=["disabled_at"], name="accounts_user_pushed_out", condition=models.Q(pushed_out=True)),
        ]

    def __str__(self) -> str:
        """Name the person."""
        return f"{self.name} <{self.email}>"

    def get_full_name(self) -> str:
        """Return the name; Django's admin asks for it."""
        return self.name

    def get_short_name(self) -> str:
        """Return the name; Django's admin asks for it."""
        return self.name

    def _get_session_auth_hash(self, secret: str | None = None) -> str:
        """Bind a session to password and round, so that disabling ends every session even if enabling follows."""
        bound = f"{self.session_round}:{self.password}"
        return salted_hmac("accounts.User.session", bound, secret=secret, algorithm="sha256").hexdigest()


class RoleAssignment(models.Model):
    """A role that a person has."""

    user = models.ForeignKey(User, models.CASCADE, related_name="roles")
    role = models.CharField(max_length=20, choices=Role.choices)

    class Meta:
        """A role is had once."""

        constraints = [models.UniqueConstraint(fields=["user", "role"], name="accounts_role_once")]

    def __str__(self) -> str:
        """Name the role."""
        return self.get_role_display()


class Group(models.Model):
    """A group of people. Names need not be unique: a flow that names one means all groups of that name."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=200)
    # Not an integration's: the provider people sign in with is in the settings, so its mark lives on this floor.
    source = models.CharField(max_length=20, choices=GroupSource.choices, default=GroupSource.LOCAL, editable=False)
    members = models.ManyToManyField(User, through="GroupMembership", related_name="groups")

    class Meta:
        """Groups are found by name; what another place calls by a name is one group."""

        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["source", "name"],
                condition=models.Q(source__in=[GroupSource.OIDC, GroupSource.PUSHED]),
                name="accounts_group_told_once",
            )
        ]
        # Conditions and the admin's search look a group up by its name.
        indexes = [models.Index(fields=["name"], name="accounts_group_name")]

    def __str__(self) -> str:
        """Name the group."""
        return self.name


class GroupMembership(models.Model):
    """A person in a group."""

    group = models.ForeignKey(Group, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")

    class Meta:
        """A person is in a group once."""

        constraints = [models.UniqueConstraint(fields=["group", "user"], name="accounts_membership_once")]

    def __str__(self) -> str:
        """Name both."""
        return f"{self.user_id} in {self.group_id}"


class Attribute(models.Model):
    """What a directory or a shift schedule says of a person: e.g. type okta_city, value Berlin."""

    user = models.ForeignKey(User, models.CASCADE, related_name="attributes")
    type = models.CharField(max_length=100)
    value = models.CharField(max_length=300)

    class Meta:
        """A value is said once."""

        constraints = [models.UniqueConstraint(fields=["user", "type", "value"], name="accounts_attribute_once")]
        # Conditions on an attribute find who has the value.
        indexes = [models.Index(fields=["type", "value"], name="accounts_attribute_value")]

    def __str__(self) -> str:
        """Show type and value."""
        return f"{self.type} = {self.value}"


class Delegation(models.Model):
    """While a person is away, somebody else is asked in their place."""

    user = models.ForeignKey(User, models.CASCADE, related_name="delegations")
    delegate = models.ForeignKey(User, models.CASCADE, related_name="stands_in_for")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """To somebody else, for a time."""

        default_permissions = ("view",)
        ordering = ["starts_at"]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(user=models.F("delegate")), name="accounts_delegation_to_somebody_else"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("starts_at")), name="accounts_delegation_lasts"
            ),
        ]
        # Who is away now.
        indexes = [models.Index(fields=["ends_at"], name="accounts_delegation_ends")]

    def __str__(self) -> str:
        """Name both."""
        return f"{self.delegate_id} for {self.user_id}"


class SignInLink(models.Model):
    """A link that signs one person in, once. Only the digest of its token is kept."""

    user = models.ForeignKey(User, models.CASCADE, related_name="sign_in_links")
    token_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Nobody manages links by hand."""

        default_permissions = ()

    def __str__(self) -> str:
        """Name the person, never the token."""
        return f"sign-in link of {self.user_id}"


class Identity(models.Model):
    """Whom an identity provider means by a subject. Linked once, by a verified address; then only this counts."""

    user = models.ForeignKey(User, models.CASCADE, related_name="identities")
    issuer = models.CharField(max_length=300)
    subject = models.CharField(max_length=255)
    linked_at = models.DateTimeField(default=timezone.now)
    last_used_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """A subject is one person, and a person has one subject at a provider."""

        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="accounts_identity_once"),
            models.UniqueConstraint(fields=["user", "issuer"], name="accounts_identity_of_person_once"),
        ]

    def __str__(self) -> str:
        """Name the provider and what it calls the person."""
        return f"{self.subject} at {self.issuer}"


class AbstractChange(models.Model):
    """News for the floors above, written in the transaction that made it. Each floor that has news has such a table."""

    kind = models.CharField(max_length=60)
    subject_id = models.CharField(max_length=64)
    payload = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    delivered_at = models.DateTimeField(null=True, blank=True)
    # Not before; later after each failed attempt.
    try_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)

    class Meta:
        """Delivered on commit; what was missed is found by the sweep."""

        abstract = True
        default_permissions = ()

    def __str__(self) -> str:
        """Name kind and subject."""
        return f"{self.kind} {self.subject_id}"


class Change(AbstractChange):
    """News of people and groups."""

    class Meta(AbstractChange.Meta):
        """The sweep reads what is not delivered."""

        abstract = False
        indexes = [
            # The sweep that delivers what was missed.
            models.Index(fields=["id"], name="accounts_change_waiting", condition=models.Q(delivered_at__isnull=True))
        ]


class Letter(models.Model):
    """A letter to one person, written in the transaction of what it tells, and sent by the sweep: at least once.

    A process that dies between sending and noting it makes a second copy, with the same Message-ID: mail servers and
    programs show it once. The body goes thirty days after the letter is settled; the row stays.
    """

    # What made it, so that the same news never makes two: "request:17:active:<id of the person>".
    key = models.CharField(max_length=200, unique=True)
    to = models.ForeignKey(User, models.CASCADE, related_name="letters")
    # The person's address when the letter was written, and again at each try.
    address = models.EmailField()
    kind = models.CharField(max_length=20, choices=LetterKind.choices)
    subject = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    html = models.TextField(blank=True)
    attachment_name = models.CharField(max_length=200, blank=True)
    attachment_type = models.CharField(max_length=100, blank=True)
    attachment = models.BinaryField(null=True, blank=True)
    message_id = models.CharField(max_length=255, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=10, choices=LetterState.choices, default=LetterState.QUEUED)
    # Queued: not before. Sending: until when it is the sender's alone; after that another may take it.
    next_try_at = models.DateTimeField(default=timezone.now)
    # Tried until then, at least.
    give_up_at = models.DateTimeField()
    # What is no news any more by then is dropped, not sent.
    expires_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveIntegerField(default=0)
    last_error = models.CharField(max_length=500, blank=True)
    # When it was sent, given up or dropped.
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        """Who may read letters reads what they tell of requests, so it takes a permission of its own."""

        ordering = ["-id"]
        default_permissions = ()
        permissions = [("read_letter", "Can read letters"), ("retry_letter", "Can have a letter sent again")]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=LETTERS_WAITING, settled_at__isnull=True)
                | (~models.Q(state__in=LETTERS_WAITING) & models.Q(settled_at__isnull=False)),
                name="accounts_letter_settled_says_when",
            ),
        ]
        indexes = [
            # The sweep that sends.
            models.Index(
                fields=["next_try_at"], name="accounts_letter_due", condition=models.Q(state__in=LETTERS_WAITING)
            ),
            # The sweep that empties old letters.
            models.Index(
                fields=["settled_at"],
                name="accounts_letter_full",
                condition=models.Q(settled_at__isnull=False) & ~models.Q(text=""),
            ),
            # The overview, and the admin's list, which show what was given up.
            models.Index(fields=["-id"], name="accounts_letter_failed", condition=models.Q(state=LetterState.FAILED)),
            # The person's letters of one kind, latest first: how long ago they were last told.
            models.Index(fields=["to", "kind", "-id"], name="accounts_letter_latest"),
        ]

    def __str__(self) -> str:
        """Show whom it is to and what about."""
        return f"{self.subject} (to {self.address})"
