"""People and groups pushed by SCIM."""
