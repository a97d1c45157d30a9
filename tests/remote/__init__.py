"""Connectors that run elsewhere: the link, the worker, and everything that goes wrong between them."""
