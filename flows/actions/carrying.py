"""A bundle or a scope changed: every flow that gives it gets a version with its new content."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from audit.actor import Actor
from flows.actions.rules import BadFlow, Second, add_versions
from flows.choices import TargetKind
from flows.decision.covering import Document
from flows.findings import SPACE, refusals
from flows.whatif.change import carrying, flows_with


def carry(content: dict[str, Any], *, actor: Actor, at: datetime, second: Second | None = None) -> None:
    """Give every flow that gives the bundle or scope (as flows.document composes it) a version with this content.

    In the caller's transaction. Raises BadFlow where a flow could not be saved because of it: what was wrong with the
    flow before does not stand in the way. Raises NeedsSecondAdmin.
    """
    flows = flows_with(content).order_by("pk").select_for_update(of=("self",))
    changed = [
        (flow, flow.current.document, carrying(flow.current.document, content))
        for flow in flows
        if flow.current is not None
    ]
    problems = [f"{flow.name}: {text}" for flow, before, after in changed for text in _newly_wrong(before, after)]
    if problems:
        raise BadFlow(problems)
    noun = "bundle" if content["kind"] == TargetKind.BUNDLE else "access scope"
    reason = f"The {noun} {content['name']} changed."
    add_versions([(flow, after) for flow, _, after in changed], actor=actor, at=at, reason=reason, second=second)


def _newly_wrong(before: Document, after: Document) -> list[str]:
    """Return why a flow that is on could not be saved any more, in words."""
    # That a space covers less now is never refused: it would keep access open.
    found = [one for one in refusals(after) if one.part != SPACE] if after["active"] and before != after else []
    return [one.text for one in found if one not in refusals(before)] if found else []
