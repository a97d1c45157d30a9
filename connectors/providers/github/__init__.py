"""GitHub: a person's own account becomes collaborator, team member, holder of a role or owner, for a time."""
