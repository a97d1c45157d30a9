"""Nothing is lost: a flow's document becomes what the contract says, and that the very document."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from flows.api.mapping import SAID_OR_NOT, columns_of, extension, flow_shown, flow_wanted, said_in
from flows.api.naming import Known
from flows.api.shapes import FlowWanted
from tests.text.test_round_trip import BUNDLES, INTEGRATIONS, NAMES, WEBHOOKS, flows

KNOWN = Known(
    INTEGRATIONS,
    {str(one["bundle"]): str(one["name"]) for one in BUNDLES},
    {str(pk): str(one["name"]) for pk, one in NAMES.scopes.items()},
    WEBHOOKS,
)
said = st.sets(st.sampled_from(SAID_OR_NOT))


def as_body(shown: dict[str, Any]) -> dict[str, Any]:
    """Return what a client writes that means to change nothing of what it read."""
    body = {key: value for key, value in copy.deepcopy(shown).items() if key != "access_targets"}
    body["request_for_others"] = "others" in (shown.get("request_for") or {}).get("request_scopes", ())
    body["access_targets"] = [_target(one) for one in shown["access_targets"]]
    for group in _groups(body):
        for one in group:
            if "source_integration_id" in one:
                one["source_integration_reference"] = one.pop("source_integration_name")
                del one["source_integration_id"]
    return body


def _groups(body: dict[str, Any]) -> list[list[dict[str, Any]]]:
    policies = [body.get("approver_policy"), body.get("escalation_policy")]
    grantees = (body.get("request_for") or {}).get("grantees") or {"conditions": []}
    groups = [group["approvers"] for policy in policies if policy for group in policy["approver_groups"]]
    return [body["requestors"]["conditions"], grantees["conditions"], *groups]


def _target(told: dict[str, Any]) -> dict[str, Any]:
    ((kind, inner),) = told.items()
    if kind == "query_target":
        return told
    rest = {key: value for key, value in inner.items() if key not in (f"{kind}_id", f"{kind}_name")}
    return {kind: {f"{kind}_reference": inner[f"{kind}_name"], **rest}}


def as_rows_say(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document as rows can hold it and the contract can say it: nobody approves where nobody is asked."""
    approval = dict(document["approval"])
    if approval["mode"] == "none":
        approval |= {"groups": [], "escalation_seconds": None}
    if not approval["escalation_seconds"]:
        approval["groups"] = [one for one in approval["groups"] if not one["tier"]]
    targets = [_without_content(one) for one in document["targets"]]
    return document | {"approval": approval, "targets": targets}


def _without_content(target: dict[str, Any]) -> dict[str, Any]:
    gone = {"bundle": ("name", "targets"), "access_scope": ("name", "query")}.get(target["kind"], ())
    return {key: value for key, value in target.items() if key not in gone}


@given(flows(), said)
@settings(max_examples=20)
def test_a_document_comes_back_as_it_was(document: dict[str, Any], named: set[str]) -> None:
    told = as_rows_say(document)
    assert flow_wanted(as_body(flow_shown(told, KNOWN, named)), KNOWN, pk=told["id"]) == told


@given(flows(), said)
@settings(max_examples=20)
def test_what_was_read_can_be_written_and_reads_the_same(document: dict[str, Any], named: set[str]) -> None:
    told = as_rows_say(document)
    shown = flow_shown(told, KNOWN, named)
    body = as_body(shown)
    checked = FlowWanted(data=body)
    # Texts that no field takes (empty, blanks at an end, too many minutes) are another test's.
    assume(checked.is_valid())
    again = flow_wanted(dict(checked.validated_data), KNOWN, pk=told["id"])
    assert flow_shown(again, KNOWN, said_in(body)) == shown


@given(flows())
@settings(max_examples=15)
def test_an_extension_that_is_not_told_stays(document: dict[str, Any]) -> None:
    told = as_rows_say(document)
    kept = extension(told, KNOWN)
    body = as_body(flow_shown(told, KNOWN))
    body.pop("latchkey", None)
    assert flow_wanted(body, KNOWN, pk=told["id"], kept=kept) == told


@given(flows())
@settings(max_examples=10)
def test_columns_say_what_the_document_says(document: dict[str, Any]) -> None:
    columns = columns_of(document)
    assert (columns["grant_duration_minutes"] or 0) * 60 == (document["duration_seconds"] or 0)
    assert columns["pending_hours"] * 3600 == document["pending_seconds"]
    assert columns["extension_minutes"] * 60 == document["settings"]["extension_seconds"]
    assert columns["outlasts_eligibility"] is not document["settings"].get("only_while_eligible", True)
    assert columns["drain_minutes"] * 60 == document["settings"].get("drain_seconds", 0)


def test_a_reference_to_nothing_names_its_field() -> None:
    body = {
        "name": "A", "active": True, "trigger": "SELF_SERVE", "access_targets": [{"bundle": {"bundle_reference": "X"}}],
        "requestors": {"logical_operator": "OR", "conditions": []}, "settings": {},
    }  # fmt: skip
    with pytest.raises(ValidationError) as caught:
        flow_wanted(body, KNOWN)
    assert list(caught.value.detail) == ["access_targets.0.bundle.bundle_reference"]
