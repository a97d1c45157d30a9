"""The words of policy."""

from django.db import models

# After its end access may drain for so long at most: a working day.
DRAIN_SECONDS_MAX = 8 * 3600


class Trigger(models.TextChoices):
    """How a flow begins."""

    SELF_SERVE = "self_serve", "Self-serve"
    AUTOMATIC = "automatic", "Automatic"


class ApprovalMode(models.TextChoices):
    """Whose yes it takes."""

    NONE = "none", "No approval"
    ANY_OF = "any_of", "Any of the groups"
    ALL_OF = "all_of", "All of the groups"


class LogicalOperator(models.TextChoices):
    """How conditions are joined."""

    AND = "and", "And"
    OR = "or", "Or"


class ConditionType(models.TextChoices):
    """What a condition looks at; any attribute type (a directory's, a shift schedule's) is allowed besides these."""

    USER = "user", "User"
    GROUP = "group", "Group"
    MANAGER = "manager", "Manager"
    # Both only of approvers. The capital is part of the name that other programs use.
    OWNER = "Owner", "Owner of the resource"
    WEBHOOK = "webhook", "Webhook"


class Party(models.TextChoices):
    """Whom a condition is about."""

    REQUESTOR = "requestor", "Requestor"
    GRANTEE = "grantee", "Grantee"
    APPROVER = "approver", "Approver"


class RequestScope(models.TextChoices):
    """Whom access may be asked for."""

    SELF = "self", "Themselves"
    OTHERS = "others", "Others"
    DIRECT_REPORTS = "direct_reports", "Direct reports"


class FieldKind(models.TextChoices):
    """What is written into a custom field."""

    TEXT = "text", "Text"
    NUMBER = "number", "Number"
    DATE = "date", "Date"
    CHOICE = "choice", "One of a list"


class PolicyKind(models.TextChoices):
    """What policy is made of."""

    FLOW = "flow", "Access flow"
    SCOPE = "scope", "Access scope"
    BUNDLE = "bundle", "Bundle"
    WEBHOOK = "webhook", "Webhook"
    SPACE = "space", "Space"


class ProposalState(models.TextChoices):
    """What became of a change that takes two."""

    WAITING = "waiting", "Waiting"
    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"
    WITHDRAWN = "withdrawn", "Withdrawn"
    # Somebody changed the thing meanwhile, or policy refuses it by now.
    OVERTAKEN = "overtaken", "Overtaken"


class MatchOperator(models.TextChoices):
    """How a condition compares."""

    IS = "is", "is"
    IS_NOT = "is_not", "is not"
    CONTAINS = "contains", "contains"
    DOES_NOT_CONTAIN = "does_not_contain", "does not contain"
    STARTS_WITH = "starts_with", "starts with"


class TargetKind(models.TextChoices):
    """What an access target names."""

    INTEGRATION = "integration", "Integration"
    BUNDLE = "bundle", "Bundle"
    ACCESS_SCOPE = "access_scope", "Access scope"
    QUERY = "query", "Query"


class SelectorMode(models.TextChoices):
    """Whether a selector takes in or leaves out."""

    INCLUDE = "include_resources", "Include"
    EXCLUDE = "exclude_resources", "Exclude"


class SelectorType(models.TextChoices):
    """What a selector compares."""

    NAME = "name", "Name"
    ID = "id", "Id"
    TAG = "tag", "Tag"


# News: an admin wants an automatic flow looked at anew.
RUN_ASKED = "flow.run_asked"

AUDIT_ACTIONS = {
    "flow.saved": "Access flow saved",
    "flow.deleted": "Access flow deleted",
    "flow.run_asked": "An automatic flow is looked at anew",
    "flow.run_stopped": "An automatic flow gives nothing until it is narrowed",
    "bundle.saved": "Bundle saved",
    "bundle.deleted": "Bundle deleted",
    "scope.saved": "Access scope saved",
    "scope.deleted": "Access scope deleted",
    "space.saved": "Space saved",
    "space.deleted": "Space deleted",
    "space.member_added": "Somebody was added to a space",
    "space.member_removed": "Somebody was removed from a space",
    "webhook.saved": "Webhook saved",
    "webhook.deleted": "Webhook deleted",
    "webhook.tried": "Webhook tried with sample values",
    "proposal.made": "A change of policy waits for a second yes",
    **{f"proposal.{state.value}": f"Proposed change {state.value}" for state in ProposalState if state != "waiting"},
    "policy.applied": "Policy applied from text",
}
