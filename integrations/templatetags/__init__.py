"""How integrations are drawn in templates."""
