"""The shape of what is sent to the addresses for people. Rules are the actions'."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from access_requests.actions.asking import ENTITLEMENTS_MAX
from access_requests.api.client.reading import FIELDS_MAX, ID_MAX, TEXT_MAX, TextList
from access_requests.api.states import UNITS, WORDS, states_of
from access_requests.choices import UnitState
from access_requests.forms import JUSTIFICATION_MAX, MAX_SECONDS
from flows.decision.fields import ANSWER_MAX


def _text(most: int = TEXT_MAX) -> serializers.CharField:
    return serializers.CharField(required=False, allow_blank=True, default="", max_length=most)


class PageReader(serializers.Serializer[Any]):
    """Which part of a list; read by accounts.rest.paging."""

    limit = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_SECONDS, help_text="At most so many; 100 where nothing is said."
    )
    page_token = serializers.CharField(
        required=False, allow_blank=True, max_length=20_000, help_text="The `next_page_token` of the page before."
    )


class _StatusReader(PageReader):
    statuses = TextList()

    def validate_statuses(self, value: list[str]) -> list[str]:
        """Refuse a word that is no status."""
        try:
            return [str(state) for state in states_of(value)]
        except KeyError as wrong:
            raise serializers.ValidationError(f"There is no status {wrong}; there are {', '.join(WORDS)}.") from None


class RequestsReader(_StatusReader):
    """Which requests; `requestor` is somebody's id or address."""

    requestor = _text(254)


class DelegatedReader(_StatusReader):
    """Which requests for others; `grantee` is somebody's id or address."""

    grantee = _text(254)


class AskedReader(PageReader):
    """What of a request."""

    integration_ids = TextList()
    resource_types = TextList()
    statuses = TextList()

    def validate_statuses(self, value: list[str]) -> list[str]:
        """Refuse a word that is no status of an entitlement."""
        known = {word.lower(): state for state, word in UNITS.items()}
        if wrong := [word for word in value if word.lower() not in known]:
            raise serializers.ValidationError(
                f"There is no status {wrong[0]!r}; there are {', '.join(UNITS.values())}."
            )
        return [str(UnitState(known[word.lower()])) for word in value]


class SessionsReader(PageReader):
    """Which sessions."""

    integration_id = TextList()
    request_ids = TextList()


class ConnectingReader(serializers.Serializer[Any]):
    """Who takes the credentials, if they are wanted."""

    consumed_by = serializers.CharField(
        required=False,
        allow_blank=True,
        default="",
        max_length=60,
        help_text="The program's own name. With it credentials nobody has seen are handed out, once.",
    )


class BundlesReader(PageReader):
    """Which bundles; in a name `*` stands for anything."""

    grantee = _text(254)
    name = TextList(split=False)


class EntitlementsReader(PageReader):
    """Which entitlements; in names `*` stands for anything."""

    grantee = _text(254)
    integration_id = _text(ID_MAX)
    integration_name = _text()
    permission_name = TextList(split=False)
    resource_name = _text(ID_MAX)
    resource_type_id = TextList()


class OwnWantedReader(serializers.Serializer[Any]):
    """One entitlement: resource and permission by our ids or the target's own."""

    resource_id = serializers.CharField(max_length=ID_MAX)
    permission_id = serializers.CharField(max_length=TEXT_MAX)


class _JustifiedReader(serializers.Serializer[Any]):
    justification = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, default="", max_length=JUSTIFICATION_MAX
    )
    custom_fields = serializers.DictField(
        child=serializers.CharField(max_length=ANSWER_MAX, allow_blank=True),
        required=False,
        allow_null=True,
        default=dict,
        help_text="The flow's own fields by key; the number of a ticket as `ticket`.",
    )

    def validate_custom_fields(self, value: dict[str, str] | None) -> dict[str, str]:
        """Refuse more than any flow has."""
        if value and len(value) > FIELDS_MAX:
            raise serializers.ValidationError(f"Fill in at most {FIELDS_MAX} fields.")
        return value or {}


class OwnAskReader(_JustifiedReader):
    """A new request: a bundle, by id or name, or entitlements."""

    bundle_reference = serializers.CharField(
        required=False, allow_null=True, allow_blank=True, default="", max_length=TEXT_MAX
    )
    entitlements = OwnWantedReader(many=True, required=False, allow_null=True, default=list)
    duration_in_sec = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=1, max_value=MAX_SECONDS
    )
    grantee = serializers.CharField(required=False, allow_null=True, allow_blank=True, default="", max_length=254)

    def validate_entitlements(self, value: list[Any] | None) -> list[Any]:
        """Refuse more than one ask may name."""
        if value and len(value) > ENTITLEMENTS_MAX:
            raise serializers.ValidationError(f"Name at most {ENTITLEMENTS_MAX} entitlements.")
        return value or []

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one of the two."""
        if bool(attrs["bundle_reference"]) == bool(attrs["entitlements"]):
            raise serializers.ValidationError("Name either a bundle_reference or entitlements.")
        return attrs


class OwnAgainReader(_JustifiedReader):
    """The same once more."""
