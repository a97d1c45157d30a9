"""The fields of an activity report: their names are those other systems know, and so is their order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Count

from access_requests.choices import ApprovalStatus, ExtensionState, RequestState, in_older_api, outcome_of
from access_requests.models import AccessRequest, AccessUnit, Approval, Extension
from accounts.models import User
from flows.choices import ApprovalMode, TargetKind
from flows.models import Bundle

# Between several values in one cell.
BETWEEN = "; "
# Nobody was asked: the policy itself said yes.
AUTOMATIC = "automatic"
PERSON = "user"


@dataclass(frozen=True, slots=True)
class Line:
    """A request with what several fields need of it, read once for a page of requests."""

    access: AccessRequest
    units: Sequence[AccessUnit]
    answers: Sequence[Approval]
    bundles: Sequence[str]
    extensions: int

    @property
    def grantee(self) -> User:
        """Who holds the access."""
        return self.access.grantee

    @property
    def document(self) -> dict[str, Any]:
        """The flow as it was when it decided."""
        return dict(self.access.flow_version.document)


def instant(value: datetime | None) -> str:
    """Write an instant in UTC: 2026-01-31T12:00:00Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if value else ""


def _joined(values: Iterable[str]) -> str:
    """Join what differs, in its order."""
    return BETWEEN.join(dict.fromkeys(value for value in values if value))


def _revoked_at(line: Line) -> str:
    return instant(line.access.ended_at) if line.access.state == RequestState.REVOKED else ""


def _approver_types(line: Line) -> str:
    if line.answers:
        return PERSON
    decided = line.access.decided_at is not None and line.document["approval"]["mode"] == ApprovalMode.NONE
    return AUTOMATIC if decided else ""


def _outcomes(line: Line) -> str:
    """Say of each integration, in the order of `integration`, how its units fared."""
    groups = line.access.access_groups.all()
    return BETWEEN.join(outcome_of(unit.state for unit in group.units.all()) for group in groups)


FIELDS: dict[str, Callable[[Line], str]] = {
    "request_id": lambda line: str(line.access.pk),
    "request_date": lambda line: instant(line.access.requested_at),
    "request_grant_date": lambda line: instant(line.access.activated_at),
    "request_revoke_date": _revoked_at,
    "requestor_name": lambda line: line.access.requestor.name,
    "requestor_email": lambda line: line.access.requestor.email,
    "grantee_name": lambda line: line.grantee.name,
    "grantee_id": lambda line: str(line.grantee.pk),
    "grantee_type": lambda line: PERSON,
    "integration": lambda line: BETWEEN.join(group.integration.name for group in line.access.access_groups.all()),
    "resources": lambda line: _joined(unit.resource_path for unit in line.units),
    "resource_type": lambda line: _joined(unit.resource_type for unit in line.units),
    "permissions": lambda line: _joined(unit.permission_name for unit in line.units),
    "approver_names": lambda line: _joined(one.approver.name for one in line.answers),
    "approver_emails": lambda line: _joined(one.approver.email for one in line.answers),
    "approver_types": _approver_types,
    "justification": lambda line: line.access.justification,
    "status": lambda line: in_older_api(RequestState(line.access.state)),
    "approver_reason": lambda line: _joined(one.reason for one in line.answers),
    "resources_status": _outcomes,
    "trigger_type": lambda line: str(line.document.get("trigger", "")).upper(),
    "access_flow": lambda line: line.access.flow_name,
    "bundle_name": lambda line: _joined(line.bundles),
    "extension_count": lambda line: str(line.extensions),
    "ticket": lambda line: line.access.ticket,
    "custom_fields": lambda line: _joined(f"{key}: {value}" for key, value in sorted(line.access.fields.items())),
    "break_glass": lambda line: "true" if line.access.break_glass else "false",
    "ended_how": lambda line: line.access.ended_how,
}
NAMES = tuple(FIELDS)


def extension_counts(ids: Iterable[int]) -> dict[int, int]:
    """Return how many extensions each of these requests was given; requests without one are left out. One query."""
    given = Extension.objects.filter(request__in=list(ids), state=ExtensionState.APPROVED).order_by()
    return dict(given.values_list("request").annotate(Count("pk")))


def lines(page: Sequence[AccessRequest]) -> list[Line]:
    """Return the lines of a page of requests that were read by `rows.in_detail`. Two queries more."""
    bundles = _bundles(page)
    extended = extension_counts(access.pk for access in page)
    return [
        Line(
            access,
            [unit for group in access.access_groups.all() for unit in group.units.all()],
            [one for one in access.approvals.all() if one.status != ApprovalStatus.PENDING],
            [bundles[one] for one in _bundle_ids(access) if one in bundles],
            extended.get(access.pk, 0),
        )
        for access in page
    ]


def _bundle_ids(access: AccessRequest) -> list[str]:
    """Return the ids of the bundles through which the flow that decided gives access."""
    targets = access.flow_version.document.get("targets", ())
    return [str(one.get("bundle", "")) for one in targets if one.get("kind") == TargetKind.BUNDLE]


def _bundles(page: Sequence[AccessRequest]) -> dict[str, str]:
    wanted = {one for access in page for one in _bundle_ids(access) if one}
    return {str(pk): name for pk, name in Bundle.objects.filter(pk__in=wanted).values_list("pk", "name")}


def cells(line: Line, names: Sequence[str]) -> list[str]:
    """Return the values of the named fields."""
    return [FIELDS[name](line) for name in names]
