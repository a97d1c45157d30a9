"""All that is known of one request, as plain data: what a dossier holds. Never a secret, sealed or not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from access_requests.choices import EndedHow
from access_requests.models import AccessGroup, AccessRequest, Approval, Declaration, Extension, ExtensionApproval
from accounts.models import User
from audit import queries as trail

Part = dict[str, Any]
FORMAT = 1
# What happens to credentials, by the entries that say so.
CREDENTIALS = ("session.credentials_viewed", "session.reset_asked")


def gather(access: AccessRequest, at: datetime) -> Part:
    """Return the dossier of a request as it stands at `at`; `access` is read in full (access_requests.queries).

    Whole numbers, texts, lists and mappings only: times are ISO 8601 in UTC, lengths whole seconds or milliseconds.
    """
    entries = list(trail.sealed_of_subject("request", str(access.pk)))
    return {
        "format": FORMAT,
        "about": f"{access}, access of {access.grantee.name}",
        "made_at": moment(at),
        "request": _request(access),
        "policy": _policy(access),
        "approvals": [_approval(one) for one in access.approvals.all()],
        "webhooks": [_call(one) for one in access.webhook_calls.all()],
        "narrowed": [_narrowing(one) for one in access.narrowings.all()],
        "extensions": [_extension(one) for one in access.extensions.all()],
        "grants": [_grant(one, access) for one in access.access_groups.all()],
        "credentials": [_entry(one) for one in entries if one.action in CREDENTIALS],
        "review": _review(access),
        "declarations": [_declaration(one) for one in _declarations(access)],
        "history": [_transition(one) for one in access.transitions.all()],
        "trail": [_sealed(one) for one in entries],
    }


def moment(at: datetime | None) -> str | None:
    """Return a time as a dossier writes it."""
    return at.isoformat() if at is not None else None


def _person(user: User | None) -> Part | None:
    return {"id": str(user.pk), "name": user.name, "email": user.email} if user is not None else None


def _request(access: AccessRequest) -> Part:
    return {
        "number": str(access),
        "requestor": _person(access.requestor),
        "grantee": _person(access.grantee),
        "justification": access.justification,
        "ticket": access.ticket,
        "fields": {str(key): str(value) for key, value in access.fields.items()},
        "break_glass": access.break_glass,
        "automatic": access.automatic,
        "asked_for_seconds": access.duration_seconds,
        "state": access.state,
        "requested_at": moment(access.requested_at),
        "second_factor_at": moment(access.mfa_at),
        "decided_at": moment(access.decided_at),
        "began_at": moment(access.activated_at),
        "was_to_end_at": moment(access.ends_at),
        **({"open_sessions_end_at": moment(access.drains_until)} if access.drains_until else {}),
        "due_at": moment(access.due_at),
        "overdue_since": moment(access.overdue_since),
        "ended_at": moment(access.ended_at),
        "ended_how": access.ended_how,
        "end_reason": access.end_reason,
        "note": access.note,
    }


def _policy(access: AccessRequest) -> Part:
    version = access.flow_version
    return {
        "flow": access.flow_name,
        "flow_id": str(version.flow_id),
        "version": version.number,
        "digest": version.digest,
        "sentence": version.sentence,
        "document": version.document,
    }


def _approval(one: Approval | ExtensionApproval) -> Part:
    return {
        "approver": _person(one.approver),
        "why": one.why,
        "stands_in_for": _person(one.stands_in_for),
        "step": one.tier,
        "asked_at": moment(one.asked_at),
        "answer": one.status,
        "answered_at": moment(one.decided_at),
        "reason": one.reason,
    }


def _call(one: Any) -> Part:
    return {
        "webhook": one.name,
        "as": "check" if one.group_index is None else "approver",
        "answer": one.state,
        "answered_at": moment(one.answered_at),
        "message": one.message,
        "attempts": one.attempts,
    }


def _narrowing(one: Any) -> Part:
    return {
        "approver": _person(one.approver),
        "at": moment(one.at),
        "seconds": [one.old_seconds, one.new_seconds],
        "dropped": one.dropped,
    }


def _extension(one: Extension) -> Part:
    return {
        "number": one.number,
        "asked_by": _person(one.requested_by),
        "asked_at": moment(one.requested_at),
        "seconds": one.seconds,
        "justification": one.justification,
        "state": one.state,
        "decided_at": moment(one.decided_at),
        "end": [moment(one.old_end), moment(one.new_end)],
        "note": one.note,
        "approvals": [_approval(answer) for answer in one.approvals.all()],
    }


def _grant(group: AccessGroup, access: AccessRequest) -> Part:
    session, proof = getattr(group, "session", None), getattr(group, "proof", None)
    return {
        "integration": group.integration.name,
        "type": group.integration.type,
        "login": group.login,
        "dispatched_at": moment(group.dispatched_at),
        "targets_own_end_at": moment(group.backstop_at),
        **({"new_sessions_refused_at": moment(group.draining_at)} if group.draining_at else {}),
        "ended_at": moment(group.ended_at),
        "units": [
            {
                "resource": unit.resource_path,
                "resource_type": unit.resource_type,
                "permission": unit.permission_name,
                "state": unit.state,
                "message": unit.message,
            }
            for unit in group.units.all()
        ],
        "session": _session(session) if session else None,
        "proof": _proof(proof) if proof else None,
        "declared": access.ended_how == EndedHow.DECLARED and proof is None and group.dispatched_at is not None,
    }


def _session(session: Any) -> Part:
    return {
        "began_at": moment(session.started_at),
        "ended_at": moment(session.ended_at),
        "credentials_made_at": moment(session.credentials_made_at),
        "credentials_seen_at": moment(session.consumed_at),
        "credentials_seen_through": session.consumed_by,
    }


def _proof(proof: Any) -> Part:
    return {
        "due_at": moment(proof.due_at),
        "ended_at": moment(proof.ended_at),
        "lag_milliseconds": round(proof.lag_seconds * 1000),
        "read_at": moment(proof.read_at),
        "found": proof.found,
        "read_by": proof.connector,
        "instance": proof.instance,
        "reader": proof.reader,
        "functions": proof.functions,
        "sessions_ended": proof.sessions_ended,
        "sessions_still_open": proof.live_sessions,
    }


def _review(access: AccessRequest) -> Part | None:
    if not access.break_glass:
        return None
    review = access.review
    return {
        "state": review.state,
        "due_at": moment(review.due_at),
        "reviewers": [{"person": _person(one.person), "why": one.why} for one in review.reviewers.all()],
        "reviewed_by": _person(review.reviewer),
        "reviewed_at": moment(review.decided_at),
        "note": review.note,
    }


def _declarations(access: AccessRequest) -> Iterable[Declaration]:
    return Declaration.objects.filter(request=access).select_related("proposed_by", "decided_by").order_by("pk")


def _declaration(one: Declaration) -> Part:
    return {
        "declared_by": _person(one.proposed_by),
        "declared_at": moment(one.proposed_at),
        "reason": one.reason,
        "state": one.state,
        "decided_by": _person(one.decided_by),
        "decided_at": moment(one.decided_at),
        "note": one.note,
    }


def _transition(one: Any) -> Part:
    return {
        "at": moment(one.at),
        "from": one.from_state,
        "to": one.to_state,
        "by": one.actor_name or one.actor_kind,
        "reason": one.reason,
        "operation": str(one.operation),
    }


def _entry(one: Any) -> Part:
    details = {str(key): str(value) for key, value in one.details.items()}
    return {"at": moment(one.at), "what": one.action, "by": one.actor_name, "through": one.source, "details": details}


def _sealed(one: Any) -> Part:
    """Return an entry's place in the trail, so that it can be found there; its link once it is sealed."""
    seal = getattr(one, "seal", None)
    return {
        "entry": one.pk,
        "at": moment(one.at),
        "action": one.action,
        "by": one.actor_name or one.actor_kind,
        "link": seal.sequence if seal else None,
        "digest": seal.digest if seal else None,
    }
