"""Servers over SSH: a login per grant with a certificate that ends by itself, or a group for one's own account."""
