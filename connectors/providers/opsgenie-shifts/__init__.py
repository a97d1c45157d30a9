"""Opsgenie as a schedule: who is on call, from when to when. It only reads."""
