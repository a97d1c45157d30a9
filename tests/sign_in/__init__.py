"""Sign-in by OIDC: against a certified provider, in a browser and without, and against one that says anything."""
