"""The requests this provider can send. Every file in programs/ is declared here; `connectors.vet` compares both."""

from __future__ import annotations

from pathlib import Path

from connectors.toolkit.http_files import Requests

FOLDER = Path(__file__).resolve().parent
_program = Requests(FOLDER / "programs").program

# Looking.
READ_HOLDINGS = _program("read_holdings", "ids", "login")
READ_ACCOUNT = _program("read_account", "login")
READ_MEMBERSHIP = _program("read_membership", "organization", "login")
READ_INVITATIONS = _program("read_invitations", "owner", "repository", "size", "page")
READ_ROLE_HOLDERS = _program("read_role_holders", "organization", "role", "size", "page")
READ_ORGANIZATION = _program("read_organization", "organization")
READ_CONNECTOR = _program("read_connector")
COUNT_REPOSITORIES = _program("count_repositories", "organization")
LIST_REPOSITORIES = _program("list_repositories", "organization", "size", "page")
LIST_TEAMS = _program("list_teams", "organization", "size", "page")
LIST_ROLES = _program("list_roles", "organization")

# Giving, and changing what was given.
GRANT_REPOSITORY = _program("grant_repository", "owner", "repository", "login", "role")
CHANGE_INVITATION = _program("change_invitation", "owner", "repository", "invitation", "role")
GRANT_TEAM = _program("grant_team", "organization", "team", "login", "role")
GRANT_ROLE = _program("grant_role", "organization", "login", "role")
GRANT_OWNERSHIP = _program("grant_ownership", "organization", "login")

# Taking.
REVOKE_REPOSITORY = _program("revoke_repository", "owner", "repository", "login")
WITHDRAW_INVITATION = _program("withdraw_invitation", "owner", "repository", "invitation")
REVOKE_TEAM = _program("revoke_team", "organization", "team", "login")
REVOKE_ROLE = _program("revoke_role", "organization", "login", "role")
REVOKE_OWNERSHIP = _program("revoke_ownership", "organization", "login")
