"""The programs of this provider: what is asked of an API server is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.http_files import Requests

FOLDER = Path(__file__).resolve().parent
_FILES = Requests(FOLDER / "programs")
_program = _FILES.program

# Looking.
VERSION = _program("version")
NAMESPACE = _program("namespace", "namespace")
NAMESPACES = _program("namespaces", "limit", "resume")
ROLE = _program("role", "namespace", "role")
ROLES = _program("roles", "limit", "resume")
CLUSTER_ROLE = _program("cluster_role", "role")
CLUSTER_ROLES = _program("cluster_roles", "limit", "resume")
ROLE_BINDINGS = _program("role_bindings", "limit", "resume")
CLUSTER_ROLE_BINDINGS = _program("cluster_role_bindings", "limit", "resume")
ACCOUNTS = _program("accounts", "namespace", "selector", "limit", "resume")
ACCESS_REVIEW = _program(
    "access_review", "user", "groups", "namespace", "verb", "group", "resource", "subresource", "name"
)
OWN_RULES = _program("own_rules", "namespace")

# The account of a grant, and its token.
CREATE_ACCOUNT = _program(
    "create_account",
    "namespace",
    "account",
    "integration_label",
    "person_label",
    "grant_label",
    "integration",
    "person",
    "grant",
    "ends_at",
)
DROP_ACCOUNT = _program("drop_account", "namespace", "account", "uid")
TOKEN = _program("token", "namespace", "account", "seconds")

# Giving and taking.
CREATE_ROLE_BINDING = _program(
    "create_role_binding",
    "namespace",
    "binding",
    "role_kind",
    "role",
    "subject_kind",
    "subject_group",
    "subject",
    "subject_namespace",
    "integration_label",
    "person_label",
    "grant_label",
    "integration",
    "person",
    "grant",
    "unit",
    "ends_at",
)
CREATE_CLUSTER_ROLE_BINDING = _program(
    "create_cluster_role_binding",
    "binding",
    "role_kind",
    "role",
    "subject_kind",
    "subject_group",
    "subject",
    "subject_namespace",
    "integration_label",
    "person_label",
    "grant_label",
    "integration",
    "person",
    "grant",
    "unit",
    "ends_at",
)
DROP_ROLE_BINDING = _program("drop_role_binding", "namespace", "binding", "uid")
DROP_CLUSTER_ROLE_BINDING = _program("drop_cluster_role_binding", "binding", "uid")
