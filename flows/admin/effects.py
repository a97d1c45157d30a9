"""What a change would do, on the pages that make it: shown when asked for, and before anything that costs somebody.

A page that changes policy calls `look_first(request, change)` before its action. When somebody loses something it
raises Unsure with the effect; the page shows `admin/flows/_effect.html` with it, and a button named `_sure` whose value
is the effect's digest ("Save anyway"). The digest is of the change, so the button is a yes to that change only.
"""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from flows.whatif import Change, Effect, foresee

SURE = "_sure"


class Unsure(Exception):
    """A change by which somebody loses something, and that nobody has said yes to: nothing has changed."""

    def __init__(self, effect: Effect) -> None:
        """Keep what would happen."""
        super().__init__("Look at what changes first.")
        self.effect = effect


def whole(change: Change) -> Effect:
    """Return all of what a change would do; the asks of the last 90 days are decided again."""
    return foresee(change, at=timezone.now(), past=True)


def look_first(request: HttpRequest, change: Change) -> None:
    """Raise Unsure when somebody loses something by the change, unless that was shown and said yes to."""
    if request.POST.get(SURE) == change.digest:
        return
    if foresee(change, at=timezone.now()).costs:
        raise Unsure(whole(change))
