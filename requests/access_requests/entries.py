"""What this app writes into the audit trail: every action, with the words people read."""

from __future__ import annotations

from access_requests.choices import GLASS_BROKEN, REVIEWED, ExtensionState, RequestState

AUDIT_ACTIONS = {
    "report.saved": "A report was saved",
    "report.changed": "A report was changed",
    "report.deleted": "A report was deleted",
    "report.paused": "A report's schedule was paused",
    "report.resumed": "A report's schedule goes on",
    "report.sent": "A report was sent",
    "activity.exported": "Exported the activity",
    "export.fetched": "An export was downloaded",
    "request.created": "Access requested",
    "request.approval_given": "An approver said yes",
    "request.webhook_answered": "Another system answered, or did not",
    "request.narrowed": "An approver said yes to less",
    "overdue.webhook_told": "A webhook is told of overdue access",
    "overdue.webhook_dropped": "A webhook is not told of overdue access any more",
    "request.still_there": "A read-back after the end still found access",
    "request.overdue": "A revoke is overdue",
    "request.factor_proven": "The requestor proved a second factor",
    "request.stand_in_asked": "A stand-in was asked as well",
    "request.stand_in_withdrawn": "A stand-in is not asked any more",
    "request.rerouted": "Other approvers are asked, as people or policy changed",
    "request.escalated": "The next approvers were asked",
    GLASS_BROKEN: "The glass was broken",
    REVIEWED: "Broken glass was reviewed",
    "request.favourite_kept": "A request was kept as a favourite",
    "request.favourite_dropped": "A favourite was dropped",
    "request.draining": "No new session begins; those that are open may go on for a while",
    "request.drain_over": "The time for open sessions is over",
    "request.drain_cut": "Open sessions may not go on: all of it ends at once",
    "dossier.made": "The dossier was made and signed",
    "declaration.made": "An admin declared an end that is not proven",
    "declaration.confirmed": "A second admin declared it too",
    "declaration.refused": "A second admin refused to declare it",
    "declaration.withdrawn": "A declaration was taken back",
    "declaration.lapsed": "A declaration lapsed",
    "declaration.overtaken": "The end was proven before it was declared",
    "revocation.begun": "Everything is revoked",
    "revocation.finished": "Everything was revoked",
    "freeze.begun": "Frozen: no new access",
    "freeze.thawed": "Thawed: new access again",
    "extension.requested": "More time asked for",
    "extension.approval_given": "An approver said yes to more time",
    **{
        f"extension.{state.value}": f"Extension became {state.value}"
        for state in ExtensionState
        if state != ExtensionState.PENDING
    },
    "session.credentials_viewed": "Credentials shown to the grantee",
    "session.reset_asked": "New credentials asked for",
    **{f"request.{state.value}": f"Request became {state.value.replace('_', ' ')}" for state in RequestState},
}
