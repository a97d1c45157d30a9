"""The shape of what is sent to the older addresses about requests. Rules are the actions'."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rest_framework import serializers

from access_requests.api.client.reading import ID_MAX, TEXT_MAX, TextList
from access_requests.choices import RequestState, in_older_api
from access_requests.forms import JUSTIFICATION_MAX, MAX_SECONDS
from flows.choices import Trigger

DAYS_MAX, IDS_MAX, REVOKED_MAX = 36_500, 500, 200
# Seconds since 1970 until the year 5138; what is larger are milliseconds.
_SECONDS_MAX, _INSTANT_MAX = 10**11, 10**14
FIELDS = (
    "request_id", "request_date", "request_grant_date", "request_revoke_date", "requestor_name", "requestor_email",
    "grantee_name", "grantee_id", "grantee_type", "integration", "resources", "resource_type", "permissions",
    "approver_names", "approver_emails", "approver_types", "justification", "status", "approver_reason",
    "resources_status", "trigger_type", "access_flow", "bundle_name", "extension_count",
)  # fmt: skip
# What is told where no fields are named.
USUAL = (
    "request_id", "request_date", "requestor_name", "requestor_email", "integration", "resource_type", "resources",
    "permissions", "justification", "status", "trigger_type", "access_flow", "extension_count",
)  # fmt: skip
FILTERS = (
    "access_flow_id", "access_request_id", "integration_id", "permission", "requestor_id", "resource", "resource_type",
    "status", "trigger_type",
)  # fmt: skip
_STATES: dict[str, list[str]] = {}
for _state in RequestState:
    _STATES.setdefault(in_older_api(_state), []).append(str(_state))


class CountedReader(serializers.Serializer[Any]):
    """Which part of a list; read by accounts.rest.paging."""

    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_SECONDS, help_text="At most so many; 1000 where nothing is said."
    )
    offset = serializers.IntegerField(
        required=False, min_value=0, max_value=1_000_000, help_text="So many passed over."
    )


class RequestsReader(CountedReader):
    """Which requests: of the last days, and of whom, by id or address."""

    days_offset = serializers.IntegerField(required=False, allow_null=True, min_value=0, max_value=DAYS_MAX)
    user_id = serializers.CharField(required=False, allow_blank=True, default="", max_length=254)


class DetailsReader(serializers.Serializer[Any]):
    """Who takes the credentials, if they are wanted."""

    consumed_by = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=60,
        help_text="The program's own name. With it credentials nobody has seen are handed out, once.",
    )


class OlderAskReader(serializers.Serializer[Any]):
    """A new request for a person: every permission on every resource. They are named by our ids or the target's own."""

    user_id = serializers.CharField(max_length=254)
    integration_id = serializers.CharField(max_length=TEXT_MAX)
    resource_ids = serializers.ListField(
        child=serializers.CharField(max_length=ID_MAX), allow_empty=False, max_length=IDS_MAX
    )
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=TEXT_MAX), allow_empty=False, max_length=IDS_MAX
    )
    justification = serializers.CharField(allow_blank=True, max_length=JUSTIFICATION_MAX)
    duration_in_sec = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=MAX_SECONDS
    )


class OlderRevokedReader(serializers.Serializer[Any]):
    """Requests to end."""

    request_ids = serializers.ListField(
        child=serializers.CharField(max_length=30), allow_empty=False, max_length=REVOKED_MAX
    )


class InstantField(serializers.IntegerField):
    """A moment: seconds since 1970, or milliseconds."""

    def __init__(self) -> None:
        """Take no more than a date can hold."""
        words = "Seconds since 1970, or milliseconds."
        super().__init__(required=False, allow_null=True, min_value=0, max_value=_INSTANT_MAX, help_text=words)

    def to_internal_value(self, data: Any) -> Any:
        """Return the moment. Raises ValidationError."""
        number = super().to_internal_value(data)
        self.run_validators(number)
        return datetime.fromtimestamp(number / 1000 if number > _SECONDS_MAX else number, UTC)

    def run_validators(self, value: Any) -> None:
        """Look at the number; the moment made of it is good."""
        if not isinstance(value, datetime):
            super().run_validators(value)


class ActivityReader(CountedReader):
    """Which requests, and what of them."""

    start_date = InstantField()
    end_date = InstantField()

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add the parameters whose names Python cannot spell."""
        lists: dict[str, serializers.Field[Any, Any, Any, Any]] = {
            f"filter[{name}]": TextList(split=name not in {"resource", "permission"}) for name in FILTERS
        }
        return {**super().get_fields(), "fields": TextList(), **lists}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse words that mean nothing, and turn those of states and triggers into ours."""
        _known("fields", attrs.get("fields", ()), FIELDS)
        states, triggers = attrs.get("filter[status]", ()), attrs.get("filter[trigger_type]", ())
        _known("filter[status]", [one.upper() for one in states], _STATES)
        _known("filter[trigger_type]", [one.lower() for one in triggers], Trigger.values)
        attrs["states"] = [state for one in states for state in _STATES[one.upper()]]
        attrs["triggers"] = [one.lower() for one in triggers]
        return attrs


def _known(name: str, given: Any, known: Any) -> None:
    """Raise ValidationError for a word that is none of the known ones."""
    if wrong := [one for one in given if one not in known]:
        raise serializers.ValidationError({name: [f"There is no {wrong[0]!r}; there are {', '.join(known)}."]})
