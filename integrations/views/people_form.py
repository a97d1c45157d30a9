"""The form of a directory's settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms

from integrations.models import Directory

if TYPE_CHECKING:
    _Form = forms.ModelForm[Directory]
else:
    # Generic only for the type checker.
    _Form = forms.ModelForm

ROWS_MAX = 200


class DirectoryForm(_Form):
    """How people are taken over. Attributes are lines, each a path, an arrow or an equals sign, and a type."""

    attributes = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocapitalize": "off"}),
        help_text="One a line: where it stands in the directory’s record, then the attribute’s type, such as "
        "profile.city = okta_city. Lists: emails[0].value, phones[*].number.",
    )

    class Meta:
        """What may be set."""

        model = Directory
        fields = ("share_percent", "creates_people", "sync_minutes", "whole_hours")

    def __init__(self, *args: Any, **more: Any) -> None:
        """Show the attributes as lines."""
        super().__init__(*args, **more)
        rows = self.instance.attributes.all()
        self.fields["attributes"].initial = "\n".join(f"{one.path} = {one.type}" for one in rows)
        for name, field in self.fields.items():
            if field.help_text:
                field.widget.attrs["aria-describedby"] = f"id_{name}_helptext"

    def clean_attributes(self) -> list[tuple[str, str]]:
        """Return the lines as pairs."""
        found = []
        for number, line in enumerate(self.cleaned_data["attributes"].splitlines(), 1):
            path, arrow, kind = line.replace("→", "=").rpartition("=")
            if not line.strip():
                continue
            if not arrow or not path.strip() or not kind.strip():
                raise forms.ValidationError(f"Line {number} has no path = type.")
            found.append((path.strip(), kind.strip()))
        if len(found) > ROWS_MAX:
            raise forms.ValidationError(f"At most {ROWS_MAX} lines.")
        return found
