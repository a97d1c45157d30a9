"""What both sides agree on: orders, reports, errors, manifests. Standard library only, frozen dataclasses."""
