"""Torture: everything the product runs on is killed, paused and cut while people work, and nothing may come of it."""
