"""How times, durations, states and risks are written in templates."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import template
from django.template.context import RequestContext
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from access_requests import queries
from access_requests.choices import (
    APPROVAL_ICONS,
    APPROVAL_TONES,
    CALL_ICONS,
    CALL_TONES,
    EXTENSION_ICONS,
    EXTENSION_TONES,
    FINAL,
    ICONS,
    TONES,
    UNIT_ICONS,
    ApprovalStatus,
    CallState,
    EndedHow,
    ExtensionState,
    RequestState,
    Tone,
    UnitState,
)
from access_requests.draining import drains
from access_requests.models import AccessRequest, AccessUnit, Approval, Extension, ExtensionApproval, WebhookCall
from flows.decision import words_for
from integrations.queries import catalogue

register = template.Library()
Context = RequestContext | dict[str, Any]
SOON_SECONDS = 15 * 60
_ACTIVE = RequestState.ACTIVE
RISK_WORDS = ((3, "Low", "quiet"), (6, "Medium", "wait"), (9, "High", "bad"))


@lru_cache(maxsize=256)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return ZoneInfo("UTC")


def _zone_of(context: Context) -> ZoneInfo:
    return _zone(str(getattr(context.get("user"), "time_zone", "")))


def _now(context: Context) -> datetime:
    """Return the moment the page speaks of, so that all its parts agree."""
    now = context.get("now")
    return now if isinstance(now, datetime) else timezone.now()


@register.simple_tag(takes_context=True)
def zone_name(context: Context) -> str:
    """Name the reader's time zone."""
    return _zone_of(context).key


@register.simple_tag(takes_context=True)
def moment(context: Context, value: datetime | None, seconds: str = "") -> SafeString | str:
    """Write an instant in the reader's zone; the exact one is in the element. With "seconds" it shows them."""
    if value is None:
        return "–"
    zone, now = _zone_of(context), _now(context)
    local, here = value.astimezone(zone), now.astimezone(zone)
    clock = "%H:%M:%S" if seconds else "%H:%M"
    if local.date() == here.date():
        words = local.strftime(clock)
    else:
        year = "" if local.year == here.year else f" {local.year}"
        words = f"{local.day} {local:%b}{year}, {local.strftime(clock)}"
    exact = f"{local:%Y-%m-%d %H:%M:%S} {zone.key}"
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(timespec="seconds"), exact, words)


@register.filter
def duration(seconds: float | None) -> str:
    """Write a length of time: "1 h 30 min"."""
    return "without an end" if seconds is None else words_for(round(seconds))


@register.filter
def for_duration(seconds: float | None) -> str:
    """Write a length of time as part of what a button does: "for 1 h"."""
    return "without an end" if seconds is None else f"for {duration(seconds)}"


@register.filter
def lag(seconds: float) -> str:
    """Write a short length of time to the tenth of a second, longer ones in whole seconds."""
    return f"{seconds:.1f} s" if seconds < 10 else words_for(round(seconds))


def roughly(seconds: float) -> str:
    """Write a length of time in whole minutes, or days and hours: what a person wants to know of the time left."""
    if seconds < 60:
        return "less than a minute"
    grain = 60 if seconds < 86400 else 3600
    return words_for(int(seconds // grain) * grain)


def _seconds_left(context: Context, access: AccessRequest) -> float:
    return (access.ends_at - _now(context)).total_seconds() if access.ends_at else float("inf")


@register.simple_tag(takes_context=True)
def time_left(context: Context, access: AccessRequest) -> SafeString | str:
    """Say how long access still lasts; the script counts on from the instant in the element."""
    if access.ends_at is None:
        return format_html("<b>{}</b>", "No end") if access.activated_at else ""
    seconds = _seconds_left(context, access)
    words = f"{roughly(seconds)} left" if seconds > 0 else "Ends now"
    return format_html('<b data-left="{}">{}</b>', int(access.ends_at.timestamp()), words)


@register.simple_tag(takes_context=True)
def clock_left(context: Context, access: AccessRequest) -> str:
    """Write the time left as short as fits into a ring: 1:18 for an hour and 18 minutes, 9m, 3d."""
    if access.ends_at is None:
        return "∞"
    minutes = max(0, int(_seconds_left(context, access) // 60))
    if minutes >= 24 * 60:
        return f"{minutes // (24 * 60)}d"
    return f"{minutes // 60}:{minutes % 60:02d}" if minutes >= 60 else f"{minutes}m"


@register.simple_tag(takes_context=True)
def share_left(context: Context, access: AccessRequest) -> int:
    """Return how much of the time is left, in per cent of all the time it has, extensions included."""
    if access.ends_at is None or access.activated_at is None:
        return 100
    whole = (access.ends_at - access.activated_at).total_seconds()
    return max(0, min(100, round(100 * _seconds_left(context, access) / whole))) if whole > 0 else 0


@register.simple_tag(takes_context=True)
def soon(context: Context, access: AccessRequest) -> bool:
    """Whether access ends within a quarter of an hour."""
    return _seconds_left(context, access) < SOON_SECONDS


@dataclass(frozen=True, slots=True)
class Badge:
    """How a state is told: word, tone and icon."""

    word: str
    tone: Tone
    icon: str


def badge_of(access: AccessRequest, now: datetime) -> Badge:
    """Return how a request's state is told, with what the state alone does not say: late, warned, declared."""
    state = RequestState(access.state)
    if access.overdue_since is not None and access.ended_at is None:
        return Badge(f"Overdue {roughly((now - access.overdue_since).total_seconds())}", Tone.BAD, "stop")
    if drains(access):
        return Badge("Draining", Tone.MOVE, ICONS[state])
    if state == RequestState.ACTIVE and access.warning:
        return Badge("Active, with a warning", Tone.WAIT, "alert")
    if access.ended_how == EndedHow.DECLARED:
        return Badge(access.word, Tone.QUIET, "lock")
    return Badge(access.word, Tone(access.tone), ICONS[state])


@register.inclusion_tag("portal/_state.html", takes_context=True)
def state(context: Context, access: AccessRequest, pill: str = "") -> dict[str, Any]:
    """Show a request's state."""
    return {"badge": badge_of(access, _now(context)), "pill": pill}


@register.simple_tag(takes_context=True)
def state_word(context: Context, access: AccessRequest) -> str:
    """Say a request's state."""
    return badge_of(access, _now(context)).word


@register.inclusion_tag("portal/_icon.html", takes_context=True)
def state_icon(context: Context, access: AccessRequest) -> dict[str, str]:
    """Draw the icon of a request's state."""
    return {"name": badge_of(access, _now(context)).icon}


@register.simple_tag(takes_context=True)
def is_plain(context: Context, access: AccessRequest) -> bool:
    """Whether there is nothing to say of a request's state beside that it is active."""
    return badge_of(access, _now(context)) == Badge(str(_ACTIVE.label), TONES[_ACTIVE], ICONS[_ACTIVE])


@register.filter
def among(value: object, values: Container[str]) -> bool:
    """Whether a value, written as a form sends it, is among those that were sent."""
    return str(value) in values


@register.inclusion_tag("portal/_state.html")
def extension_state(extension: Extension) -> dict[str, Any]:
    """Show what became of an ask for more time."""
    one = ExtensionState(extension.state)
    return {"badge": Badge(extension.word, EXTENSION_TONES[one], EXTENSION_ICONS[one])}


@register.inclusion_tag("portal/_state.html")
def unit_state(unit: AccessUnit, access: AccessRequest) -> dict[str, Any]:
    """Show a unit's state. What still waits in a request that is over was not granted, and will not be."""
    one = UnitState(unit.state)
    if one == UnitState.PENDING and access.state in FINAL:
        return {"badge": Badge("Not granted", Tone.QUIET, "ban")}
    return {"badge": Badge(str(one.label), Tone(unit.tone), UNIT_ICONS[one])}


@register.inclusion_tag("portal/_state.html")
def approval_state(approval: Approval | ExtensionApproval) -> dict[str, Any]:
    """Show what an approver said."""
    one = ApprovalStatus(approval.status)
    return {"badge": Badge(str(one.label), APPROVAL_TONES[one], APPROVAL_ICONS[one])}


@register.inclusion_tag("portal/_state.html")
def call_state(call: WebhookCall) -> dict[str, Any]:
    """Show what another system said."""
    one = CallState(call.state)
    return {"badge": Badge(str(one.label), CALL_TONES[one], CALL_ICONS[one])}


@register.inclusion_tag("portal/_state.html")
def badge(word: str, tone: str, icon: str) -> dict[str, Any]:
    """Show something that is no state in the way states are shown."""
    return {"badge": Badge(word, Tone(tone), icon)}


@register.inclusion_tag("portal/_icon.html")
def icon(name: str) -> dict[str, str]:
    """Draw an icon of the sprite."""
    return {"name": name}


@register.inclusion_tag("portal/_risk.html")
def risk(level: int) -> dict[str, Any]:
    """Show a risk level, 1 to 9, as a word and a number."""
    level = max(1, min(9, level))
    step, (_, word, tone) = next((at, one) for at, one in enumerate(RISK_WORDS, 1) if level <= one[0])
    return {"word": word, "tone": tone, "icon": f"risk-{step}", "level": level}


@register.inclusion_tag("portal/_risk.html")
def unit_risk(unit: AccessUnit) -> dict[str, Any]:
    """Show the risk of a unit: the higher of its permission’s and its resource’s."""
    return risk(max(unit.permission.risk_level, unit.resource.risk_level))


@register.filter
def summary(access: AccessRequest) -> str:
    """Say in a few words what a request is about."""
    units = [(unit, group) for group in access.access_groups.all() for unit in group.units.all()]
    if not units:
        return "Nothing"
    unit, group = units[0]
    rest = f", and {len(units) - 1} more" if len(units) > 1 else ""
    return f"{unit.permission_name} on {unit.resource_path} in {group.integration.name}{rest}"


@register.filter
def provider(type_: str) -> str:
    """Name an integration's type."""
    found = catalogue().get(type_)
    return found.name if found else type_


@register.simple_tag(takes_context=True)
def tasks_waiting(context: Context) -> int:
    """Return how many requests and extensions wait for the reader's answer."""
    user = context.get("user")
    return queries.task_count(user) if user is not None and user.is_authenticated else 0


@register.filter
def words(name: str) -> str:
    """Return a name as people read it: "private_key" is "Private key"."""
    return name.replace("_", " ").capitalize()


@register.filter
def is_long(value: str) -> bool:
    """Whether a text has lines, or too many letters for one: a key, a kubeconfig, a token."""
    return "\n" in value or len(value) > 100
