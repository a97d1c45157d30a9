"""What may be written of policy, and how it is described. What policy itself refuses is told later, by actions."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from accounts.rest.fields import OPTIONAL, NextPage, text
from flows.api.parts import SELECTOR_TYPES
from flows.choices import FieldKind, MatchOperator, RequestScope, SelectorMode
from flows.decision.windows import DAYS

NAME_MAX, TEXT_MAX, LIST_MAX = 150, 10_000, 1000
# So many minutes are a century: more is a mistake.
MINUTES_MAX = 52_560_000
_CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9](:00)?$"


def texts(most: int = 500, **more: Any) -> serializers.ListField:
    """Return a field of a list of texts."""
    return serializers.ListField(child=text(most), max_length=LIST_MAX, **more)


def many(shape: Any, *, max_length: int, **more: Any) -> serializers.Field[Any, Any, Any, Any]:
    """Return a field of a list of things of one shape."""
    found: serializers.Field[Any, Any, Any, Any] = shape(many=True, max_length=max_length, **more)
    return found


class Condition(serializers.Serializer[object]):
    """What must hold of a person. Without values only for `manager` and `Owner`."""

    type = text(100)
    match_operator = serializers.ChoiceField(choices=MatchOperator.choices, **OPTIONAL)
    values = texts(**OPTIONAL)


class ConditionWanted(Condition):
    """A condition as it is written."""

    source_integration_reference = text(allow_blank=True, **OPTIONAL)


class ConditionShown(Condition):
    """A condition as it is answered."""

    source_integration_id = serializers.CharField(**OPTIONAL)
    source_integration_name = serializers.CharField(**OPTIONAL)


class _Operator(serializers.Serializer[object]):
    logical_operator = serializers.ChoiceField(choices=["AND", "OR"])


class ConditionsWanted(_Operator):
    """Conditions that are joined."""

    conditions = many(ConditionWanted, max_length=LIST_MAX)


class ConditionsShown(_Operator):
    """Conditions that are joined."""

    conditions = ConditionShown(many=True)


class ApproverGroupWanted(_Operator):
    """Approvers who count as one."""

    approvers = many(ConditionWanted, max_length=LIST_MAX)


class ApproverGroupShown(_Operator):
    """Approvers who count as one."""

    approvers = ConditionShown(many=True)


class RequestForWanted(serializers.Serializer[object]):
    """For whom it may be asked."""

    request_scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=RequestScope.choices), max_length=len(RequestScope)
    )
    grantees = ConditionsWanted(**OPTIONAL)


class RequestForShown(serializers.Serializer[object]):
    """For whom it may be asked."""

    request_scopes = serializers.ListField(child=serializers.CharField())
    grantees = ConditionsShown(**OPTIONAL)


class ResourcesScope(serializers.Serializer[object]):
    """Narrows an integration target by name, id or tag."""

    scope_mode = serializers.ChoiceField(choices=SelectorMode.choices)
    type = serializers.ChoiceField(choices=list(SELECTOR_TYPES))
    key = text(allow_blank=True, **OPTIONAL)
    values = texts()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A key belongs to a tag."""
        if (attrs["type"] == "TAG") != bool(attrs.get("key")):
            raise serializers.ValidationError({"key": "A key is given for TAG, and for nothing else."})
        return attrs


class IntegrationTargetWanted(serializers.Serializer[object]):
    """Resources of one type of an integration."""

    integration_reference = text()
    resource_type = text(60)
    permissions = texts()
    resources_scopes = many(ResourcesScope, max_length=LIST_MAX, **OPTIONAL)


class IntegrationTargetShown(serializers.Serializer[object]):
    """Resources of one type of an integration."""

    integration_id = serializers.CharField()
    integration_name = serializers.CharField()
    resource_type = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    resources_scopes = ResourcesScope(many=True, **OPTIONAL)


class ScopeTargetWanted(serializers.Serializer[object]):
    """An access scope, by id or name."""

    access_scope_reference = text()


class ScopeTargetShown(serializers.Serializer[object]):
    """An access scope."""

    access_scope_id = serializers.CharField()
    access_scope_name = serializers.CharField()


class BundleTargetWanted(serializers.Serializer[object]):
    """A bundle, by id or name."""

    bundle_reference = text()


class BundleTargetShown(serializers.Serializer[object]):
    """A bundle."""

    bundle_id = serializers.CharField()
    bundle_name = serializers.CharField()


class QueryTarget(serializers.Serializer[object]):
    """A query of its own."""

    query = text(TEXT_MAX)


class BundleTargetsWanted(serializers.Serializer[object]):
    """One thing that a bundle gives."""

    integration = IntegrationTargetWanted(**OPTIONAL)
    access_scope = ScopeTargetWanted(**OPTIONAL)
    query_target = QueryTarget(**OPTIONAL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """A target is one thing."""
        if sum(bool(attrs.get(str(name))) for name in self.fields) != 1:
            raise serializers.ValidationError(f"Name exactly one of {', '.join(map(str, self.fields))}.")
        return attrs


class TargetWanted(BundleTargetsWanted):
    """One thing that a flow gives."""

    bundle = BundleTargetWanted(**OPTIONAL)


class BundleTargetsShown(serializers.Serializer[object]):
    """One thing that a bundle gives."""

    integration = IntegrationTargetShown(**OPTIONAL)
    access_scope = ScopeTargetShown(**OPTIONAL)
    query_target = QueryTarget(**OPTIONAL)


class TargetShown(BundleTargetsShown):
    """One thing that a flow gives."""

    bundle = BundleTargetShown(**OPTIONAL)


class ApproverPolicyWanted(serializers.Serializer[object]):
    """Whose yes it takes; without one nobody is asked."""

    approval_mode = serializers.ChoiceField(choices=["ANY_OF", "ALL_OF"])
    approver_groups = many(ApproverGroupWanted, max_length=50)


class ApproverPolicyShown(serializers.Serializer[object]):
    """Whose yes it takes."""

    approval_mode = serializers.CharField()
    approver_groups = ApproverGroupShown(many=True)


class EscalationPolicyWanted(serializers.Serializer[object]):
    """Who is asked as well when nobody answered: one group after the other, at most five."""

    interval_in_min = serializers.IntegerField(min_value=1, max_value=MINUTES_MAX)
    approver_groups = many(ApproverGroupWanted, max_length=50)


class EscalationPolicyShown(serializers.Serializer[object]):
    """Who is asked as well when nobody answered."""

    interval_in_min = serializers.IntegerField()
    approver_groups = ApproverGroupShown(many=True)


class Timeframe(serializers.Serializer[object]):
    """When a flow may be used."""

    start_time = serializers.RegexField(_CLOCK)
    end_time = serializers.RegexField(_CLOCK)
    days_of_week = serializers.ListField(child=serializers.ChoiceField(choices=list(DAYS)), max_length=7)
    time_zone = text(60)


class FlowSettings(serializers.Serializer[object]):
    """How it is asked and answered."""

    justification_required = serializers.BooleanField()
    require_approver_reason = serializers.BooleanField()
    requestor_cannot_approve_himself = serializers.BooleanField()
    require_mfa = serializers.BooleanField()
    labels = texts(200)
    max_extensions = serializers.IntegerField(min_value=0, max_value=10_000, **OPTIONAL)
    extension_duration_in_min = serializers.IntegerField(min_value=0, max_value=MINUTES_MAX, **OPTIONAL)


class CustomField(serializers.Serializer[object]):
    """What else is asked of who asks."""

    key = text(60)
    label = text()  # type: ignore[assignment]  # a field's own word too
    kind = serializers.ChoiceField(choices=FieldKind.choices)
    required = serializers.BooleanField(default=False)  # type: ignore[assignment]
    choices = texts(default=list)
    pattern = text(allow_blank=True, default="")


class FlowExtension(serializers.Serializer[object]):
    """What only Latchkey has. Left out, it stays as it is; given, what it leaves out is as usual."""

    answer_within_hours = serializers.IntegerField(min_value=1, max_value=100_000, required=False)
    break_glass = serializers.BooleanField(required=False)
    checks = texts(required=False)
    drain_in_min = serializers.IntegerField(min_value=0, max_value=MINUTES_MAX, required=False)
    custom_fields = many(CustomField, max_length=50, required=False)
    only_while_eligible = serializers.BooleanField(required=False)
    removes_foreign = serializers.BooleanField(required=False)
    ticket_pattern = text(allow_blank=True, required=False)
    tiers = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=5), required=False, max_length=50
    )


class FlowWanted(serializers.Serializer[object]):
    """An access flow as it is written."""

    name = text(NAME_MAX)
    description = text(TEXT_MAX, allow_blank=True, **OPTIONAL)
    active = serializers.BooleanField()
    trigger = serializers.ChoiceField(choices=["SELF_SERVE", "AUTOMATIC"])
    requestors = ConditionsWanted()
    request_for = RequestForWanted(**OPTIONAL)
    access_targets = many(TargetWanted, max_length=LIST_MAX)
    approver_policy = ApproverPolicyWanted(**OPTIONAL)
    escalation_policy = EscalationPolicyWanted(**OPTIONAL)
    grant_duration_in_min = serializers.IntegerField(min_value=1, max_value=MINUTES_MAX, **OPTIONAL)
    timeframe = Timeframe(**OPTIONAL)
    settings = FlowSettings()
    # The contract demands it, but what it says is in request_for as well, and not every client sends it.
    request_for_others = serializers.BooleanField(required=False)
    latchkey = FlowExtension(**OPTIONAL)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Escalation needs somebody who is asked first."""
        if attrs.get("escalation_policy") and not attrs.get("approver_policy"):
            raise serializers.ValidationError({"escalation_policy": "Nobody is asked first: add an approver_policy."})
        return attrs


class _Lying(serializers.Serializer[object]):
    # In which space it lies; not there for what is the whole account's.
    space_id = serializers.CharField(required=False)
    space_name = serializers.CharField(required=False)


class FlowShown(_Lying):
    """An access flow as it is answered."""

    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(**OPTIONAL)
    active = serializers.BooleanField()
    trigger = serializers.CharField()
    requestors = ConditionsShown()
    request_for = RequestForShown(**OPTIONAL)
    access_targets = TargetShown(many=True)
    approver_policy = ApproverPolicyShown(**OPTIONAL)
    escalation_policy = EscalationPolicyShown(**OPTIONAL)
    grant_duration_in_min = serializers.IntegerField(**OPTIONAL)
    timeframe = Timeframe(**OPTIONAL)
    settings = FlowSettings()
    creation_date = serializers.DateTimeField()
    update_date = serializers.DateTimeField(**OPTIONAL)
    latchkey = FlowExtension(**OPTIONAL)


class BundleWanted(serializers.Serializer[object]):
    """A bundle as it is written. A description that is left out stays."""

    name = text(NAME_MAX)
    access_targets = many(BundleTargetsWanted, max_length=LIST_MAX)
    description = text(TEXT_MAX, allow_blank=True, required=False)


class BundleShown(_Lying):
    """A bundle as it is answered."""

    id = serializers.CharField()
    name = serializers.CharField()
    access_targets = BundleTargetsShown(many=True)
    creation_date = serializers.DateTimeField()
    update_date = serializers.DateTimeField()
    description = serializers.CharField(required=False)


class ScopeWanted(serializers.Serializer[object]):
    """An access scope as it is written."""

    name = text(NAME_MAX)
    description = text(TEXT_MAX, allow_blank=True, **OPTIONAL)
    query = text(TEXT_MAX)


class ScopeShown(_Lying):
    """An access scope as it is answered."""

    id = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField(**OPTIONAL)
    query = serializers.CharField()
    creation_date = serializers.DateTimeField()
    update_date = serializers.DateTimeField()


class FlowList(serializers.Serializer[object]):
    """A page of access flows."""

    items = FlowShown(many=True)
    pagination = NextPage()


class BundleList(serializers.Serializer[object]):
    """A page of bundles."""

    items = BundleShown(many=True)
    pagination = NextPage()


class ScopeList(serializers.Serializer[object]):
    """A page of access scopes."""

    items = ScopeShown(many=True)
    pagination = NextPage()
