"""Zenduty as a schedule: who is on call now. It only reads."""
