"""What was pushed by SCIM: whom and what an identity provider calls by which id, and what it said of them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils import timezone


def new_id() -> str:
    """Return an id for a SCIM resource. Not the person's own: whoever is pushed again after a DELETE has another."""
    return str(uuid.uuid4())


class AbstractPushed(models.Model):
    """A SCIM resource. Texts as ids, so that filters compare them as the texts they are, on both databases."""

    id = models.CharField(primary_key=True, max_length=36, default=new_id, editable=False)
    external_id = models.CharField(max_length=300, blank=True, editable=False)
    version = models.PositiveBigIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # When something became otherwise; the ETag changes with it.
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    # When it was pushed last, changed or not; and by which token.
    pushed_at = models.DateTimeField(default=timezone.now, editable=False)
    pushed_by = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        """Written by whoever pushes, never by hand."""

        abstract = True
        default_permissions = ()


class PushedPerson(AbstractPushed):
    """The link of a person to the identity provider that pushes them."""

    user = models.OneToOneField("accounts.User", models.CASCADE, related_name="pushed", editable=False)
    user_name = models.CharField(max_length=254, editable=False)
    # As it is compared: NFC and lower case.
    user_name_key = models.CharField(max_length=600, unique=True, editable=False)
    # The resource as it was pushed, without what stands elsewhere: id, meta, active, groups, manager.
    document = models.JSONField(default=dict, editable=False)

    def __str__(self) -> str:
        """Name the person as the provider does."""
        return self.user_name

    class Meta(AbstractPushed.Meta):
        """One link per person."""

        abstract = False
        # Providers look for people by their own id before they push; so do managers that are told by it.
        indexes = [models.Index(fields=["external_id"], name="accounts_pushed_external")]


class PushedGroup(AbstractPushed):
    """The link of a group to the identity provider that pushes it."""

    group = models.OneToOneField("accounts.Group", models.CASCADE, related_name="pushed", editable=False)
    # As it is compared: NFC and lower case.
    name_key = models.CharField(max_length=600, editable=False)

    def __str__(self) -> str:
        """Name the group."""
        return self.group.name

    class Meta(AbstractPushed.Meta):
        """One link per group."""

        abstract = False
        indexes = [
            # Providers look for groups by their own id before they push.
            models.Index(fields=["external_id"], name="accounts_pushedgroup_external"),
            # Or by name.
            models.Index(fields=["name_key"], name="accounts_pushedgroup_name"),
        ]


class PushedValue(models.Model):
    """One value of the document, as filters and sorting compare it. `item` counts within a list; the primary is 0.

    Each item of a list of complex values has a row of its own, with an empty key, which its values hang on.
    """

    person = models.ForeignKey(PushedPerson, models.CASCADE, related_name="values", editable=False)
    path = models.CharField(max_length=60, editable=False)
    item = models.PositiveSmallIntegerField(default=0, editable=False)
    key = models.CharField(max_length=1000, blank=True, editable=False)

    class Meta:
        """A value is there once."""

        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["person", "path", "item"], name="accounts_pushedvalue_once"),
        ]
        # Filters find who has a value.
        indexes = [models.Index(fields=["path", "key"], name="accounts_pushedvalue_key")]

    def __str__(self) -> str:
        """Show path and value."""
        return f"{self.path} = {self.key}"
