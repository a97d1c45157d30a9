"""What pages show of break-glass envelopes."""

from __future__ import annotations

from typing import Any

from django import template

from access_requests.envelopes import ENVELOPE_ICONS, ENVELOPE_TONES
from access_requests.models import Envelope
from access_requests.templatetags.portal import Badge

register = template.Library()


@register.inclusion_tag("portal/_state.html")
def envelope_state(envelope: Envelope, pill: str = "") -> dict[str, Any]:
    """Show how it stands with an envelope."""
    return {"badge": Badge(envelope.word, ENVELOPE_TONES[envelope.state], ENVELOPE_ICONS[envelope.state]), "pill": pill}
