"""The trail: append-only, sealed into a hash chain. Imports only Django."""
