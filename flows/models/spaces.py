"""Spaces: a part of the inventory whose policy others write, and who they are."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone

from accounts.choices import SpaceRole
from accounts.models import Group, User

if TYPE_CHECKING:
    from flows.models.targets import AccessScope

NAME_MAX = 64


class Space(models.Model):
    """A part of the inventory. Flows, bundles and scopes that lie in it give nothing beyond its boundary."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=NAME_MAX, unique=True)
    # The boundary: access scopes of the account, never of a space, or a manager could move it.
    scopes: models.ManyToManyField[AccessScope, SpaceScope] = models.ManyToManyField(
        "AccessScope", through="SpaceScope", related_name="bounds"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        """Found by name."""

        ordering = ["name"]

    def __str__(self) -> str:
        """Name the space."""
        return self.name


class SpaceScope(models.Model):
    """An access scope that is part of a space's boundary."""

    space = models.ForeignKey(Space, models.CASCADE, related_name="boundary")
    scope = models.ForeignKey("AccessScope", models.PROTECT, related_name="bounding")

    class Meta:
        """Named once."""

        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["space", "scope"], name="flows_space_scope_once")]

    def __str__(self) -> str:
        """Name both."""
        return f"{self.scope} in {self.space}"


class SpaceMember(models.Model):
    """A person, or everybody in a group, with a role in a space."""

    space = models.ForeignKey(Space, models.CASCADE, related_name="members")
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="spaces")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="spaces")
    role = models.CharField(max_length=20, choices=SpaceRole.choices)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        """Somebody has a role once, and is a person or a group."""

        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(user__isnull=True) ^ models.Q(group__isnull=True), name="flows_member_one_identity"
            ),
            models.UniqueConstraint(fields=["space", "user", "role"], name="flows_member_person_once"),
            models.UniqueConstraint(fields=["space", "group", "role"], name="flows_member_group_once"),
        ]

    def __str__(self) -> str:
        """Name the person or group."""
        return str(self.user or self.group)
