"""The form of an access scope: its name and its query."""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING

from django import forms
from django.http import QueryDict

from flows.document import compose_scope, digest
from flows.forms.places import ANYWHERE, Places, choose_place
from flows.forms.rows import hush
from flows.models import AccessScope
from integrations.aql.editing import Draft, Told, draft_of, tell

if TYPE_CHECKING:
    _ScopeForm = forms.ModelForm[AccessScope]
else:
    # Generic only for the type checker.
    _ScopeForm = forms.ModelForm


class ScopeForm(_ScopeForm):
    """A scope's own columns, but for the query."""

    version = forms.CharField(widget=forms.HiddenInput, required=False, max_length=64)

    class Meta:
        """The columns that people write."""

        model = AccessScope
        fields = ("name", "description")
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}
        error_messages = {"name": {"unique": "Another access scope has this name."}}


class ScopePage:
    """The whole page of an access scope: its columns, and its query as text or as rows."""

    def __init__(
        self, scope: AccessScope | None = None, data: QueryDict | None = None, button: str = "", query: str = "",
        *, places: Places = ANYWHERE,
    ) -> None:  # fmt: skip
        """Show `scope`, or what was sent, as it is after a button was pressed; a new one begins with `query`.

        Raises SuspiciousOperation for rows that no form has.
        """
        self.version = digest(compose_scope(scope)) if scope else ""
        # A copy: checking a model form writes into its row.
        self.own = ScopeForm(data, instance=copy(scope), initial={"version": self.version})
        choose_place(self.own, places, scope)
        stored = scope.query if scope else query
        self.draft = draft_of(data, button) if data is not None else Draft(stored)
        self.wrong: list[str] = []

    def is_valid(self) -> bool:
        """Check the columns; whether the query is one, the action says."""
        return self.own.is_valid() and self.draft.problem is None

    def is_query(self) -> bool:
        """Whether the query can be read."""
        return tell(self.draft.text, sample=0).problem is None and bool(self.draft.text.strip())

    def quiet(self) -> None:
        """Show no errors: the scope is still being written."""
        hush(self.own)

    def told(self) -> Told:
        """Return what the query selects now, or what is wrong with it."""
        return Told(self.draft.text, self.draft.problem) if self.draft.problem else tell(self.draft.text)
