"""The shape of a report as somebody writes it. Rules are the action's."""

from __future__ import annotations

from django import forms

from access_requests.reports import fields


class ReportForm(forms.Form):
    """Name, columns and schedule; the filters are in the address."""

    name = forms.CharField(max_length=120)
    columns = forms.MultipleChoiceField(
        required=False,
        choices=[(name, name) for name in fields.NAMES],
        widget=forms.CheckboxSelectMultiple,
        initial=list(fields.NAMES),
    )
    cron = forms.CharField(required=False, max_length=100, label="When")
    time_zone = forms.CharField(required=False, max_length=60, label="Time zone")
    recipients = forms.CharField(required=False, max_length=8000, label="Send it to", widget=forms.Textarea)
