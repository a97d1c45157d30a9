"""The ground of every API: tokens, scopes, errors, pages of lists, limits, repeats. See docs/api.md."""
