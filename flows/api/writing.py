"""Bodies into actions, and what actions refuse into answers that name the field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.rest.errors import Conflict
from audit.actor import Actor
from flows import actions
from flows.actions import BadFlow, NeedsSecondAdmin, Overtaken, StillNeeded
from flows.api import reading
from flows.api.mapping import columns_of, extension, flow_wanted, said_in
from flows.api.naming import known
from flows.api.parts import Part, references, target_wanted
from flows.findings import APPROVERS, FOR, RULES, TIME, WHAT, WHO
from flows.models import AccessFlow, AccessScope, Bundle

# Which field of a flow a finding is about.
FIELDS = {
    WHO: "requestors",
    FOR: "request_for",
    WHAT: "access_targets",
    APPROVERS: "approver_policy",
    TIME: "timeframe",
    RULES: "settings",
}
_SECOND = " Propose it on the admin page, where another admin can say yes; nothing has changed."


def checked(shape: type[serializers.Serializer[object]], body: Any) -> Part:
    """Return the body as the shape has it. Raises ValidationError."""
    found = shape(data=body)
    found.is_valid(raise_exception=True)
    return dict(found.validated_data)


@contextmanager
def refusals(fields: Mapping[str, str] = FIELDS, other: str = "name") -> Iterator[None]:
    """Turn what actions of policy raise into answers; `other` is the field of findings that name no part."""
    try:
        yield
    except BadFlow as problem:
        found: dict[str, list[str]] = {}
        for one in problem.findings:
            found.setdefault(fields.get(one.part, one.part or other), []).append(one.text)
        raise ValidationError(found) from problem
    except NeedsSecondAdmin as need:
        raise Conflict(f"{need.why}{_SECOND}", code="second_admin_needed") from need
    except (Overtaken, StillNeeded) as problem:
        raise Conflict(str(problem)) from problem
    except IntegrityError as error:
        raise Conflict("Something else has this name, or was changed at the same moment.", code="taken") from error


def free_name(model: Any, name: str, pk: Any = None) -> None:
    """Raise ValidationError where something else has the name."""
    if model.objects.filter(name=name).exclude(pk=pk).exists():
        raise ValidationError({"name": [f"Another {model._meta.verbose_name} is called “{name}”."]})


def write_flow(body: Part, *, actor: Actor, flow: AccessFlow | None = None, space: str | None = None) -> AccessFlow:
    """Make a flow as the body says, or make `flow` so. Raises ValidationError, Conflict, NotAllowed."""
    free_name(AccessFlow, body["name"], flow.pk if flow else None)
    kept: Part | None = None
    if flow is not None:
        now = reading.as_written(flow)
        kept = extension(now, reading.names_in([now]))
        # How steps were spread means nothing for other steps.
        kept.pop("tiers", None)
    told = references(body)
    told["webhooks"] += (kept or {}).get("checks", ())
    document = flow_wanted(body, known(told), pk=str(flow.pk) if flow else "", kept=kept)
    with refusals():
        columns = columns_of(document) | {"said": said_in(body)}
        columns |= {} if space is None else {"space": space}
        return actions.define(columns, document, actor=actor, flow=flow)


def write_bundle(body: Part, *, actor: Actor, bundle: Bundle | None = None, space: str | None = None) -> Bundle:
    """Make a bundle as the body says, or make `bundle` so. Raises ValidationError, Conflict, NotAllowed."""
    free_name(Bundle, body["name"], bundle.pk if bundle else None)
    names = known(references(body))
    targets = [target_wanted(one, names, f"access_targets.{place}") for place, one in enumerate(body["access_targets"])]
    description = body.get("description", bundle.description if bundle else "")
    with refusals():
        return actions.define_bundle(
            body["name"], targets, actor=actor, description=description, bundle=bundle, space=space
        )


def write_scope(body: Part, *, actor: Actor, scope: AccessScope | None = None, space: str | None = None) -> AccessScope:
    """Make an access scope as the body says, or make `scope` so. Raises ValidationError, Conflict, NotAllowed."""
    with refusals({**FIELDS, WHAT: "query"}):
        return actions.define_scope(
            body["name"],
            body["query"],
            actor=actor,
            description=body.get("description") or "",
            scope=scope,
            space=space,
        )
