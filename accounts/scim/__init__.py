"""SCIM 2.0 (RFC 7643, RFC 7644): any identity provider pushes people and groups."""
