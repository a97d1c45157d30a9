"""People: users, groups, attributes, roles and how they sign in."""
