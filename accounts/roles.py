"""What each role may do: the one table. A line says who may do something, by which permissions, and how it is recorded.

Whoever writes an action asks for a permission of a line (accounts.actions.require); pages ask for the same. What has no
line is the admin's alone, and a test fails: it walks every permission, recorded action, verb and address.

A space role is held in a space. `there` is what it allows in that space, `anywhere` what it allows everywhere else: to
look.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from accounts.choices import Role, SpaceRole

STAFF = frozenset({Role.ADMIN, Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER})
AnyRole = Role | SpaceRole

A, P, D, V = Role.ADMIN, Role.POWER_USER, Role.DEPLOYMENT, Role.VIEWER
OWNER, MANAGER = SpaceRole.OWNER, SpaceRole.MANAGER
# Everybody who writes policy may read it, and what it is about.
_READERS, _SPACES = (A, P, D, V, OWNER, MANAGER), (OWNER, MANAGER)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the table. `rule` says who may where no role decides: then there are no permissions."""

    words: str
    permissions: tuple[str, ...] = ()
    anywhere: tuple[AnyRole, ...] = ()
    there: tuple[SpaceRole, ...] = ()
    actions: tuple[str, ...] = ()
    rule: str = ""


def _of(app: str, verbs: str, models: str) -> tuple[str, ...]:
    return tuple(f"{app}.{verb}_{model}" for model in models.split() for verb in verbs.split())


def _named(noun: str, verbs: str) -> tuple[str, ...]:
    return tuple(f"{noun}.{verb}" for verb in verbs.split())


_WRITE = "add change delete"
_POLICY = "accessflow bundle accessscope webhook proposal flowversion timeframe accesstarget selector condition"
_POLICY += " approvergroup revision automaticrun appliedpolicy flowcheck space spacemember"
_RECORDS = "accessrequest accesssession approval transition standingrecord proof driftfinding overduewebhook report"
_RECORDS += " envelope revocation declaration freeze review reconcilerun accessgroup accessunit dossier extension"
_RECORDS += " extensionapproval look narrowing overduenotice webhookcall"
_SYSTEMS = "integration connector connectorinstance connectortoken resource resourcetype permission tag order origin"
_SYSTEMS += " syncrun shift"

_PEOPLE = "user group groupmembership attribute roleassignment delegation"

MATRIX: tuple[Line, ...] = (
    # People
    Line(
        "See people and groups",
        _of("accounts", "view", _PEOPLE),
        _READERS,
    ),
    Line(
        "Add, change, disable people; links, sign-in, second factors, absences",
        _of("accounts", _WRITE, "user attribute"),
        (A,),
        actions=(
            *_named("user", "created edited disabled enabled attributes_set password_set password_removed link_made"),
            *_named("user", "identity_forgotten factors_reset link_sent taken_over"),
        ),
    ),
    Line("Give and take roles", _of("accounts", _WRITE, "roleassignment"), (A,), actions=("user.roles_set",)),
    Line(
        "Make, change, delete groups",
        _of("accounts", _WRITE, "group groupmembership"),
        (A,),
        actions=_named("group", "created renamed deleted member_added member_removed"),
    ),
    Line(
        "Take over people and groups that a directory pushes or tells",
        rule="what an admin connected: it needs the permissions of the lines above",
        actions=(
            *_named("user", "pushed provisioned push_linked push_forgotten many_pushed_out"),
            *_named("group", "kept members_pushed members_told push_forgotten pushed"),
        ),
    ),
    Line("See tokens of others", ("accounts.view_apitoken",), _READERS),
    Line(
        "Make services and their tokens; take back anybody’s token",
        _of("accounts", "add change delete", "apitoken"),
        (A,),
        actions=("service.created",),
    ),
    Line("Read the letters that were sent", ("accounts.read_letter",), (A, P, V)),
    Line("Have a letter sent again", ("accounts.retry_letter",), (A,), actions=("letter.retried",)),
    Line(
        "Their own account: profile, password, second factors, absence",
        actions=(
            *_named("user", "profile_edited factor_added factor_removed recovery_codes_made factor_proven"),
            *_named("user", "factor_refused delegated delegation_ended link_used signed_in signed_out"),
            *_named("user", "sessions_ended"),
            *_named("token", "issued revoked expiry_changed"),
            *_named("client", "allowed signed_in"),
        ),
        rule="everybody, for themselves",
    ),
    Line(
        "Invite people from outside, for a time",
        actions=_named("user", "invited stay_extended stay_ended"),
        rule="admins, and owners of a resource or an integration",
    ),
    # Systems
    Line(
        "See integrations, connectors, the inventory, orders",
        _of("integrations", "view", _SYSTEMS),
        _READERS,
    ),
    Line(
        "Connect, change, check, switch, delete integrations",
        (*_of("integrations", _WRITE, "integration"), "integrations.sync_integration"),
        (A, P, D),
        actions=(
            *_named("integration", "connected edited disabled enabled delete_ordered deleted secret_set"),
            *_named("integration", "secret_referred check_ordered sync_ordered"),
            *_named("directory", "allowed refused edited"),
        ),
    ),
    Line(
        "Install, rename, delete connectors and their tokens",
        _of("integrations", _WRITE, "connector"),
        (A, P, D),
        actions=_named("connector", "created token_made token_revoked renamed deleted"),
    ),
    Line("Hurry an order", ("integrations.retry_order",), (A, P, D), actions=("order.hurried",)),
    # Policy
    Line("See flows, bundles, scopes, webhooks, proposals, spaces", _of("flows", "view", _POLICY), _READERS),
    Line(
        "Write flows, bundles and scopes",
        _of("flows", _WRITE, "accessflow bundle accessscope"),
        (A, P),
        _SPACES,
        actions=(
            *_named("flow", "saved deleted run_asked"),
            *("bundle.saved", "bundle.deleted", "scope.saved", "scope.deleted"),
            *("proposal.made", "proposal.withdrawn"),
        ),
    ),
    Line(
        "Write webhooks; policy from text",
        _of("flows", _WRITE, "webhook"),
        (A, P),
        actions=("webhook.saved", "webhook.deleted", "webhook.tried", "policy.applied"),
    ),
    Line(
        "Make spaces and draw their boundaries",
        _of("flows", _WRITE, "space"),
        (A, P),
        actions=("space.saved", "space.deleted"),
    ),
    Line(
        "Say who belongs to a space",
        _of("flows", _WRITE, "spacemember"),
        (A,),
        (OWNER,),
        actions=("space.member_added", "space.member_removed"),
    ),
    Line(
        "Say the second yes to a change of policy",
        ("flows.decide_proposal",),
        (A,),
        actions=("proposal.accepted", "proposal.refused", "proposal.overtaken"),
    ),
    # Access
    Line(
        "See everybody’s requests, access, drift, reports",
        _of("requests", "view", _RECORDS),
        (A, P, V, OWNER, MANAGER),
    ),
    Line(
        "Take anybody’s access away, review break-glass",
        ("requests.revoke_accessrequest",),
        (A, P),
        actions=("revocation.begun", "revocation.switched_off"),
    ),
    Line(
        "Take all access away at once; freeze, thaw",
        ("requests.revoke_everywhere",),
        (A,),
        actions=("freeze.begun", "freeze.thawed"),
    ),
    Line(
        "Declare that access is over though nothing proves it; two have to",
        ("requests.decide_declaration",),
        (A,),
        actions=_named("declaration", "made confirmed refused withdrawn"),
    ),
    Line(
        "Prepare, print and end break-glass envelopes",
        ("requests.keep_envelope",),
        (A,),
        actions=_named("envelope", "prepared confirmed refused withdrawn printed opened reviewed"),
    ),
    Line(
        "Decide about drift, look for it now",
        ("requests.decide_driftfinding", "requests.start_reconcilerun"),
        (A, P),
        actions=_named("drift", "granted_again accepted adopted removal_begun look_asked"),
    ),
    Line(
        "Say which webhook hears of overdue ends",
        _of("requests", _WRITE, "overduewebhook"),
        (A, P),
        actions=("overdue.webhook_told", "overdue.webhook_dropped"),
    ),
    Line("Change reports of others", ("requests.change_report",), (A, P)),
    Line(
        "Take the first steps",
        ("integrations.add_integration",),
        (A, P, D),
        actions=_named("first_steps", "skipped resumed"),
    ),
    Line(
        "Ask for access, withdraw, hand back, extend, break the glass",
        actions=(
            *_named("request", "created narrowed factor_proven favourite_kept favourite_dropped glass_broken"),
            *_named("extension", "requested cancelled"),
            *_named("template", "kept changed dropped"),
            *("request.cancelled", "session.credentials_viewed", "session.reset_asked"),
        ),
        rule="whoever an access flow names",
    ),
    Line(
        "Answer a request or an extension",
        actions=(
            *_named("request", "approval_given rejected reviewed"),
            *_named("extension", "approval_given approved rejected"),
        ),
        rule="whoever is asked",
    ),
    Line(
        "Reports and the files of requests",
        actions=(
            *_named("report", "saved changed deleted paused resumed sent"),
            *("activity.exported", "export.fetched", "dossier.made"),
        ),
        rule="whoever may see what is in them",
    ),
    # The trail
    Line("See the audit trail", ("audit.view_auditentry",), (A, P, V, OWNER, MANAGER)),
    Line("Export the audit trail", ("audit.export_auditentry",), (A, P, V), actions=("audit.exported",)),
    Line(
        "What happens by itself",
        actions=(
            *_named("user", "identity_linked groups_told sign_in_failed"),
            *("letter.given_up", "connector.instance_joined", "store.reencrypted", "flow.run_stopped"),
            *_named("order", "settled set_aside failed_try"),
            *("client.reuse_found", "directory.synced", "directory.waits", "request.ended_again", "request.reopened"),
            *_named("request", "webhook_answered still_there overdue stand_in_asked stand_in_withdrawn rerouted"),
            *_named("request", "escalated draining drain_over drain_cut initializing pending_mfa pending approved"),
            *_named("request", "granting active revoking revoked failed lapsed"),
            *("declaration.lapsed", "declaration.overtaken", "revocation.finished", "extension.lapsed"),
            *("envelope.doubted", "envelope.session_seen", "platform.gap_found"),
            *_named("drift", "vanished foreign settled looked"),
        ),
        rule="the platform",
    ),
)

# By permission; what two lines name is said by the first.
LINES: dict[str, Line] = {name: line for line in reversed(MATRIX) for name in line.permissions}


def allow(held: Iterable[AnyRole], permission: str) -> bool:
    """Whether one of the roles allows the permission, wherever it is used."""
    return any(role in allowed(permission) for role in held)


def allow_there(held: Iterable[SpaceRole], permission: str) -> bool:
    """Whether one of the roles that somebody holds in a space allows the permission in that space."""
    line = LINES.get(permission)
    return line is not None and any(role in line.there for role in held)


def allowed(permission: str) -> tuple[AnyRole, ...]:
    """Return the roles that allow the permission wherever it is used. Without a line: the admin."""
    line = LINES.get(permission)
    return line.anywhere if line else (A,)


def allow_module(held: Iterable[AnyRole], app_label: str) -> bool:
    """Whether one of the roles sees anything in the app."""
    names = [name for name in LINES if name.startswith(f"{app_label}.")]
    mine = frozenset(held)
    return any(allow(mine, name) for name in names) or (not names and A in mine)
