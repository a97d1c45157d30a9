"""The forms of a space: its name and boundary, and who is added to it."""

from __future__ import annotations

from typing import Any

from django import forms

from accounts.choices import SpaceRole
from accounts.models import Group, User
from flows.document import compose_space, digest
from flows.models import AccessScope, Space
from flows.models.spaces import NAME_MAX


class SpaceForm(forms.Form):
    """A space's name, and the access scopes that bound it."""

    name = forms.CharField(max_length=NAME_MAX)
    scopes = forms.ModelMultipleChoiceField(
        AccessScope.objects.none(), label="Covers", required=False, widget=forms.CheckboxSelectMultiple
    )
    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    def __init__(self, space: Space | None = None, data: Any = None) -> None:
        """Show `space`, or what was sent."""
        initial: dict[str, Any] = {}
        if space is not None:
            version = digest(compose_space(space))
            initial = {"name": space.name, "scopes": list(space.scopes.all()), "version": version}
        super().__init__(data, initial=initial)
        fields: dict[str, Any] = self.fields
        fields["scopes"].queryset = AccessScope.objects.filter(space__isnull=True)


class MemberForm(forms.Form):
    """Who is added to a space, and as what."""

    who = forms.CharField(label="E-mail address of a person, or name of a group", max_length=300)
    role = forms.ChoiceField(choices=SpaceRole.choices, initial=SpaceRole.MANAGER, widget=forms.RadioSelect)

    def clean_who(self) -> User | Group:
        """Return who is meant: one active person, or the only group of the name."""
        told = self.cleaned_data["who"].strip()
        person = User.objects.filter(email=told.lower(), is_active=True).first()
        if person is not None:
            return person
        groups = list(Group.objects.filter(name=told)[:2])
        if len(groups) == 1:
            return groups[0]
        if groups:
            raise forms.ValidationError("Several groups have this name: rename one of them first.")
        raise forms.ValidationError("Nobody active has this address, and no group this name.")
