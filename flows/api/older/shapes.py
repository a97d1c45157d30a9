"""What may be written of flows and bundles at the older addresses."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.fields import OPTIONAL, Instant, text
from flows.api.shapes import LIST_MAX, NAME_MAX, many, texts
from flows.choices import MatchOperator
from flows.decision.windows import DAYS

INT32_MAX, DAY = 2**31 - 1, 86_400


class OlderTimeframe(serializers.Serializer[object]):
    """When a flow may be used, in seconds of the day. An end of 86399 is midnight."""

    start_of_day_time_in_seconds = serializers.IntegerField(min_value=0, max_value=DAY - 1)
    end_of_day_time_in_seconds = serializers.IntegerField(min_value=0, max_value=DAY)
    days_in_week = serializers.ListField(child=serializers.ChoiceField(choices=list(DAYS)), max_length=7)
    time_zone = text(60)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Flows open and close at whole minutes; a last second stands for its minute's end."""
        if attrs["start_of_day_time_in_seconds"] % 60:
            raise serializers.ValidationError({"start_of_day_time_in_seconds": "A whole minute: a multiple of 60."})
        if attrs["end_of_day_time_in_seconds"] % 60 not in (0, 59):
            raise serializers.ValidationError({"end_of_day_time_in_seconds": "A whole minute: a multiple of 60."})
        return attrs


class OlderTrigger(serializers.Serializer[object]):
    """How a flow begins."""

    type = serializers.ChoiceField(choices=["user_request", "automatic"])
    timeframe = OlderTimeframe(**OPTIONAL)


class OlderIdentity(serializers.Serializer[object]):
    """A person, a group, or an attribute (context_attribute), by its id in the list of identities."""

    id = text(450)
    type = serializers.ChoiceField(choices=["user", "group", "context_attribute"])


class OlderTag(serializers.Serializer[object]):
    """A tag; `__id` and `__name` stand for a resource's id and name."""

    name = text(200)
    value = text(700)


class OlderIntegrationTarget(serializers.Serializer[object]):
    """Resources of one type of an integration: all, or with any of these tags, and with none of those."""

    integration_id = text(60)
    resource_type = text(60)
    resource_tag_includes = many(OlderTag, max_length=LIST_MAX)
    resource_tag_excludes = many(OlderTag, max_length=LIST_MAX)
    permissions = texts()


class OlderBundleTarget(serializers.Serializer[object]):
    """A bundle."""

    bundle_id = text(60)


class AttributeFilter(serializers.Serializer[object]):
    """What must hold of a person."""

    operator = serializers.ChoiceField(choices=MatchOperator.choices, **OPTIONAL)
    attribute_type_id = text(100)
    attribute_value = texts(**OPTIONAL)
    integration_id = text(60, **OPTIONAL)


class GranteeFilterGroup(serializers.Serializer[object]):
    """What must hold of who may ask. It counts before `grantees`."""

    logical_operator = serializers.ChoiceField(choices=["AND", "OR"])
    attribute_filters = many(AttributeFilter, max_length=LIST_MAX)


class ApproverConditionGroup(serializers.Serializer[object]):
    """Approvers who count as one."""

    conditions_logical_operator = serializers.ChoiceField(choices=["AND", "OR"])
    conditions = many(AttributeFilter, max_length=LIST_MAX)


class OlderApproverPolicy(serializers.Serializer[object]):
    """Whose yes it takes. It counts before `approvers`."""

    groups_relationship = serializers.ChoiceField(choices=["ANY_OF", "ALL_OF"])
    condition_groups = many(ApproverConditionGroup, max_length=50)


class OlderFlowSettings(serializers.Serializer[object]):
    """How it is asked and answered. What is left out stays as it is."""

    require_justification_on_request_again = serializers.BooleanField(**OPTIONAL)
    require_all_approvers = serializers.BooleanField(**OPTIONAL)
    require_approver_justification = serializers.BooleanField(**OPTIONAL)
    approver_cannot_approve_himself = serializers.BooleanField(**OPTIONAL)


class TerraformFlowSettings(serializers.Serializer[object]):
    """How it is asked and answered. What is left out stays as it is."""

    require_justification_on_request_again = serializers.BooleanField(**OPTIONAL)
    require_justification = serializers.BooleanField(**OPTIONAL)
    require_all_approvers = serializers.BooleanField(**OPTIONAL)
    approver_cannot_approve_himself = serializers.BooleanField(**OPTIONAL)
    require_mfa = serializers.BooleanField(**OPTIONAL)


def _seconds(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=-1, max_value=INT32_MAX, **more)


class _Wanted(serializers.Serializer[object]):
    name = text(NAME_MAX)
    active = serializers.BooleanField()
    trigger = OlderTrigger()
    grantees = many(OlderIdentity, max_length=LIST_MAX)
    integration_targets = many(OlderIntegrationTarget, max_length=LIST_MAX, **OPTIONAL)
    bundle_targets = many(OlderBundleTarget, max_length=LIST_MAX, **OPTIONAL)
    approvers = many(OlderIdentity, max_length=LIST_MAX, **OPTIONAL)
    revoke_after_in_sec = _seconds()

    def validate_revoke_after_in_sec(self, value: int | None) -> int | None:
        """Access lasts whole minutes, or has no end."""
        if value is not None and value != -1 and (value < 60 or value % 60):
            raise serializers.ValidationError("Whole minutes: a multiple of 60; or -1 for access without an end.")
        return value


class OlderFlowWanted(_Wanted):
    """A new access flow."""

    settings = OlderFlowSettings(**OPTIONAL)


class OlderFlowChange(_Wanted):
    """What is to be otherwise of an access flow; what is left out or null stays."""

    name = text(NAME_MAX, **OPTIONAL)
    active = serializers.BooleanField(**OPTIONAL)
    trigger = OlderTrigger(**OPTIONAL)
    grantees = many(OlderIdentity, max_length=LIST_MAX, **OPTIONAL)
    revoke_after_in_sec = _seconds(**OPTIONAL)
    settings = OlderFlowSettings(**OPTIONAL)


class Label(serializers.Serializer[object]):
    """A label."""

    name = text(200)


class TerraformFlowWanted(_Wanted):
    """An access flow as older Terraform providers write it."""

    grantee_filter_group = GranteeFilterGroup(**OPTIONAL)
    approver_policy = OlderApproverPolicy(**OPTIONAL)
    settings = TerraformFlowSettings(**OPTIONAL)
    labels = many(Label, max_length=LIST_MAX)


class _Shown(serializers.Serializer[object]):
    id = serializers.CharField()
    name = serializers.CharField()
    active = serializers.BooleanField()
    trigger = OlderTrigger()
    grantees = OlderIdentity(many=True)
    integration_targets = OlderIntegrationTarget(many=True)
    bundle_targets = OlderBundleTarget(many=True)
    approvers = OlderIdentity(many=True, **OPTIONAL)
    revoke_after_in_sec = serializers.IntegerField()
    created_date = Instant()


class OlderFlowShown(_Shown):
    """An access flow."""

    settings = OlderFlowSettings(**OPTIONAL)


class TerraformFlowShown(_Shown):
    """An access flow as older Terraform providers read it."""

    grantee_filter_group = GranteeFilterGroup(**OPTIONAL)
    approver_policy = OlderApproverPolicy(**OPTIONAL)
    settings = TerraformFlowSettings(**OPTIONAL)
    labels = Label(many=True)


class OlderBundleWanted(serializers.Serializer[object]):
    """A new bundle."""

    name = text(NAME_MAX)
    integration_targets = many(OlderIntegrationTarget, max_length=LIST_MAX)


class OlderBundleChange(serializers.Serializer[object]):
    """What is to be otherwise of a bundle; what is left out or null stays."""

    name = text(NAME_MAX, **OPTIONAL)
    integration_targets = many(OlderIntegrationTarget, max_length=LIST_MAX, **OPTIONAL)


class OlderBundleShown(serializers.Serializer[object]):
    """A bundle. Access scopes and queries in it are not told here; they stay."""

    id = serializers.CharField()
    name = serializers.CharField()
    integration_targets = OlderIntegrationTarget(many=True)
