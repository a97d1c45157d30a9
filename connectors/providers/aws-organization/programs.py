"""The programs of this provider: what is asked of AWS is in these files and nowhere else."""

from pathlib import Path

from connectors.toolkit.call_files import Calls

FOLDER = Path(__file__).resolve().parent
_program = Calls(FOLDER / "programs").program

# Who, and where.
IDENTITY = _program("identity")
ASSUME_ROLE = _program("assume_role", "role")
INSTANCES = _program("instances", "marker")
USER_BY_EMAIL = _program("user_by_email", "store", "value")
USER_BY_NAME = _program("user_by_name", "store", "value")
USER = _program("user", "store", "user")

# What there is.
PERMISSION_SETS = _program("permission_sets", "instance", "marker")
PERMISSION_SET = _program("permission_set", "instance", "permission_set")
PERMISSION_SET_TAGS = _program("permission_set_tags", "instance", "permission_set", "marker")
PERMISSION_SET_POLICIES = _program("permission_set_policies", "instance", "permission_set", "marker")
ORGANIZATION = _program("organization")
ROOTS = _program("roots", "marker")
UNITS_BELOW = _program("units_below", "parent", "marker")
ACCOUNTS_IN = _program("accounts_in", "parent", "marker", "size")
ACCOUNT_TAGS = _program("account_tags", "account", "marker")
PARENTS = _program("parents", "child")

# Assignments.
ASSIGNMENTS = _program("assignments", "instance", "user", "marker")
GRANT_ASSIGNMENT = _program("grant_assignment", "instance", "account", "permission_set", "user")
REVOKE_ASSIGNMENT = _program("revoke_assignment", "instance", "account", "permission_set", "user")
GIVING = _program("giving", "instance", "request")
TAKING = _program("taking", "instance", "request")
ALL_GIVING = _program("all_giving", "instance", "marker")
ALL_TAKING = _program("all_taking", "instance", "marker")
