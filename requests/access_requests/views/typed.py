"""What was typed into a form that was refused, so that nobody types it twice."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import HttpRequest


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields of the forms of a request. Without a form that was sent, everything is as the page offers it."""

    reason: str = ""
    justification: str = ""
    seconds: str = ""
    justified: str = ""
    note: str = ""
    narrow: bool = False
    keep: frozenset[str] = field(default_factory=frozenset)


def typed_in(http: HttpRequest) -> Typed:
    """Return what was typed into the form that was sent, if one was."""
    sent = http.POST
    return Typed(
        reason=sent.get("reason", ""),
        justification=sent.get("justification", ""),
        seconds=sent.get("seconds", ""),
        justified=sent.get("justified", ""),
        note=sent.get("note", ""),
        narrow="narrow" in sent,
        keep=frozenset(sent.getlist("keep")),
    )
