"""The parts of the page that are folded away while they are as in most flows: what each says, and which stand open."""

from __future__ import annotations

from flows.forms.columns import FlowForm
from flows.forms.rows import Rows
from flows.forms.window import WindowForm
from flows.sentence import window_words

_FIELDS = {
    "extensions": ("max_extensions", "extension_minutes"),
    "drain": ("drain_minutes",),
    "ticket": ("ticket_pattern", "ticket_try"),
    "checks": ("checks",),
    "labels": ("labels",),
}


def sums(own: FlowForm, window: WindowForm, rows: Rows) -> dict[str, str]:
    """Return what each fold says, in a few words."""
    times, step = _text(own, "max_extensions"), _text(own, "extension_minutes")
    drain = _text(own, "drain_minutes")
    pattern, checks = _text(own, "ticket_pattern"), len(own["checks"].value() or ())
    asked = [str(row["label"].value() or "") for row in rows]
    labels = own["labels"].value()
    return {
        "extensions": f"{times} times by {step}" if times not in {"", "0"} and step else "none",
        "drain": f"open sessions may go on for {drain}" if drain not in {"", "0"} else "everything ends at once",
        "window": _when(window) if window.says else "at any time",
        "ticket": f"like {pattern}" if pattern else "none is asked for",
        "fields": ", ".join(one for one in asked if one) or ("being written" if asked else "none"),
        "checks": f"{checks} webhook{'' if checks == 1 else 's'} first" if checks else "none",
        "labels": (", ".join(labels) if isinstance(labels, list | tuple) else str(labels or "")) or "none",
    }


def opens(own: FlowForm, window: WindowForm, rows: Rows) -> dict[str, bool]:
    """Return which folds stand open."""
    said = {
        "extensions": _text(own, "max_extensions") not in {"", "0"},
        "drain": _text(own, "drain_minutes") not in {"", "0"},
        "ticket": bool(_text(own, "ticket_pattern")),
        "checks": bool(own["checks"].value()),
        "labels": bool(own["labels"].value()),
    }
    found = {name: said[name] or any(field in own.errors for field in fields) for name, fields in _FIELDS.items()}
    return found | {"window": window.says, "fields": bool(len(rows))}


def _text(form: FlowForm, name: str) -> str:
    field = form[name]
    return str(field.field.prepare_value(field.value()) or "").strip()


def _when(window: WindowForm) -> str:
    # Before anything was sent it says what the document does.
    told = window.told() if window.is_valid() else None if window.is_bound else dict(window.initial)
    return window_words(told) if told else "being written"
