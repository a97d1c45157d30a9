"""Asks the API server what it would decide, until that is what the bindings say.

Its authorizer learns of a binding a moment after it was written. A grant is only reported when the account can use it,
and an end only when the API server itself says that it would refuse.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from connectors.contract.errors import NotPermitted, TargetError
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.names import RoleRef, Subject
from connectors.providers.kubernetes.server import Target, told

# How long the API server may take to learn of a binding.
PATIENCE_SECONDS = 5.0
LOOK_AGAIN_SECONDS = 0.02


@dataclass(frozen=True, slots=True)
class Question:
    """Whether somebody may do what a role allows. `words` is what reasons call the binding that it is about."""

    subject: Subject
    ref: RoleRef
    words: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the API server said. `reason` is its own word; with RBAC it names the binding."""

    allowed: bool
    reason: str = ""


def still_allowed(at: Target, questions: Iterable[Question]) -> dict[Question, str]:
    """Return what is still allowed by a binding that was deleted (it should be nothing), with the reason.

    What is allowed by something else is none of our business: it was there, or somebody else gave it.
    """
    left = {one: _ask(at, one) for one in questions}
    patience = time.monotonic() + PATIENCE_SECONDS
    while left := {one: said for one, said in left.items() if said and said.allowed and _names(said, one)}:
        if time.monotonic() > patience:
            break
        time.sleep(LOOK_AGAIN_SECONDS)
        left = {one: _ask(at, one) for one in left}
    return {one: said.reason for one, said in left.items() if said is not None}


def not_yet_allowed(at: Target, questions: Iterable[Question]) -> dict[Question, str]:
    """Return what is not allowed although it is bound, with the reason, if there is one."""
    left = {one: _ask(at, one) for one in questions}
    patience = time.monotonic() + PATIENCE_SECONDS
    while left := {one: said for one, said in left.items() if said is not None and not said.allowed}:
        if time.monotonic() > patience:
            break
        time.sleep(LOOK_AGAIN_SECONDS)
        left = {one: _ask(at, one) for one in left}
    return {one: said.reason for one, said in left.items() if said is not None}


def _names(said: Decision, question: Question) -> bool:
    """Say whether a reason names the binding that a question is about."""
    return f'"{question.words}"' in said.reason


def _ask(at: Target, question: Question) -> Decision | None:
    """Return what the API server would decide; None where there is nothing to ask about, or no right to ask."""
    try:
        action = _action(at.role(question.ref).get("rules") or ())
        if action is None:
            return None
        answer = at.api.read(
            programs.ACCESS_REVIEW,
            accept=(200, 201),
            user=question.subject.user,
            groups=_groups(question.subject),
            namespace=question.ref.namespace or None,
            **action,
        )
    except NotPermitted:
        raise
    except TargetError as error:
        told(error)
        return None
    status: dict[str, Any] = answer.data["status"]
    return Decision(bool(status.get("allowed")), str(status.get("reason") or ""))


def _groups(subject: Subject) -> list[str]:
    """Return the groups that everybody is in who signs in as this; groups from elsewhere are not known to us."""
    if subject.kind == "User":
        return ["system:authenticated"]
    return ["system:serviceaccounts", f"system:serviceaccounts:{subject.namespace}", "system:authenticated"]


def _action(rules: Iterable[dict[str, Any]]) -> dict[str, str | None] | None:
    """Return one thing that the rules of a role allow, as a question; None where they allow nothing about resources."""
    for rule in rules:
        verbs, resources, groups = (rule.get(name) or [] for name in ("verbs", "resources", "apiGroups"))
        if verbs and resources and groups:
            resource, _, subresource = resources[0].partition("/")
            return {
                "verb": verbs[0],
                "group": groups[0],
                "resource": resource,
                "subresource": subresource or None,
                "name": next(iter(rule.get("resourceNames") or ()), None),
            }
    return None
