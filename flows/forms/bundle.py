"""The form of a bundle: its name and its targets."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from typing import TYPE_CHECKING, Any

from django import forms
from django.http import QueryDict

from flows.document import compose_bundle, digest
from flows.findings import Finding
from flows.forms.places import ANYWHERE, Places, choose_place
from flows.forms.rows import Rows, hush
from flows.forms.shelf import Shelf
from flows.forms.targets import TargetForm, chosen_integrations, row_of
from flows.models import Bundle

if TYPE_CHECKING:
    _BundleForm = forms.ModelForm[Bundle]
else:
    # Generic only for the type checker.
    _BundleForm = forms.ModelForm


class BundleForm(_BundleForm):
    """A bundle's own columns."""

    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    class Meta:
        """The columns that people write."""

        model = Bundle
        fields = ("name", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}
        error_messages = {"name": {"unique": "Another bundle has this name."}}


class BundlePage:
    """The whole page of a bundle."""

    def __init__(
        self, bundle: Bundle | None = None, data: QueryDict | None = None, *, places: Places = ANYWHERE
    ) -> None:
        """Show `bundle`, or what was sent. Raises rows.BadRows."""
        content = compose_bundle(bundle) if bundle else None
        self.version = digest(content) if content else ""
        rows = [row_of(target) for target in content["targets"]] if content else [{}]
        # A copy: checking a model form writes into its row.
        self.own = BundleForm(data, instance=copy(bundle), initial={"version": self.version})
        choose_place(self.own, places, bundle)
        self.shelf = Shelf(chosen_integrations(data, rows), bundles=False)
        self.targets = Rows(TargetForm, "targets", data, rows, shelf=self.shelf)
        self.findings: list[Finding] = []

    def is_valid(self) -> bool:
        """Check everything, so that every problem shows at once."""
        return not [part for part in (self.own, self.targets) if not part.is_valid()]

    def quiet(self) -> None:
        """Show no errors: the bundle is still being written."""
        hush(self.own)
        for row in self.targets:
            row.quiet()

    def told(self) -> list[dict[str, Any]]:
        """Return the targets as flows.actions.define_bundle takes them."""
        return [row.told() for row in self.targets.kept()]

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Show why the bundle as a whole is refused."""
        self.findings.extend(findings)
