"""The words of policy."""

from django.db import models


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
    """What a condition looks at; any attribute type is allowed besides these."""

    USER = "user", "User"
    GROUP = "group", "Group"
    MANAGER = "manager", "Manager"


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


AUDIT_ACTIONS = {
    "flow.saved": "Access flow saved",
    "flow.deleted": "Access flow deleted",
    "bundle.saved": "Bundle saved",
    "bundle.deleted": "Bundle deleted",
}
