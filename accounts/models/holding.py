"""What a person may: by the roles they hold, everywhere or in a space."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from django.contrib.auth.models import AbstractBaseUser

from accounts import roles, spaces
from accounts.choices import Role, SpaceRole
from accounts.roles import AnyRole

if TYPE_CHECKING:
    from accounts.models.people import User


class HoldsRoles(AbstractBaseUser):
    """Somebody with roles. Permissions come from these and from nowhere else."""

    class Meta:
        """A person is one."""

        abstract = True

    def role_set(self) -> frozenset[Role]:
        """Return the person's roles; read once per instance."""
        return self._held[0]

    @property
    def _held(self) -> tuple[frozenset[Role], dict[str, frozenset[SpaceRole]]]:
        """The roles, and those of each space by its id; read once per instance."""
        cached: tuple[frozenset[Role], dict[str, frozenset[SpaceRole]]] | None = self.__dict__.get("_roles")
        if cached is None:
            cached = self.__dict__["_roles"] = spaces.held(cast("User", self))
        return cached

    def space_roles(self, space: Any) -> frozenset[SpaceRole]:
        """Return the roles that the person holds in the space with this id."""
        return self._held[1].get(str(space), frozenset())

    def spaces_held(self) -> frozenset[str]:
        """Return the ids of the spaces in which the person holds a role."""
        return frozenset(self._held[1])

    def _everywhere(self) -> frozenset[AnyRole]:
        """Return all roles, as far as they count wherever something is."""
        mine, there = self._held
        return mine.union(*there.values())

    @property
    def is_staff(self) -> bool:
        """Whether the person may enter the admin site at all."""
        return self.is_active and (bool(self.role_set() & roles.STAFF) or bool(self.spaces_held()))

    @property
    def is_superuser(self) -> bool:
        """Nobody stands above the roles; Django's admin templates ask."""
        return False

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Whether one of the person's roles allows `perm` ("app.action_model").

        With `obj` also whether a role does that they hold in the space that it lies in.
        """
        if not self.is_active:
            return False
        space = getattr(obj, "space_id", None)
        return roles.allow(self._everywhere(), perm) or (
            space is not None and roles.allow_there(self.space_roles(space), perm)
        )

    def may_somewhere(self, perm: str) -> bool:
        """Whether a role allows `perm`, and be it only in a space."""
        return self.has_perm(perm) or (
            self.is_active and any(roles.allow_there(mine, perm) for mine in self._held[1].values())
        )

    def has_perms(self, perm_list: Iterable[str], obj: Any = None) -> bool:
        """Whether every permission is allowed."""
        return all(self.has_perm(perm, obj) for perm in perm_list)

    def has_module_perms(self, app_label: str) -> bool:
        """Whether the person sees anything of the app in the admin site."""
        return self.is_active and roles.allow_module(self._everywhere(), app_label)
