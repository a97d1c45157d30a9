"""Webhooks: the guard against calling inwards, slots, validators, their admin pages, and what they do to requests."""
