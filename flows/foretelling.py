"""What policy says of a change of a group, on the page of the group, before it is made."""

from __future__ import annotations

from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from accounts.regrouping import Foretold, Regrouped
from flows.whatif import foresee, of_group


def foretell_group(change: Regrouped, user: Any) -> Foretold:
    """Say what a change of a group would do, in full to who may read of flows."""
    effect = foresee(of_group(change), at=timezone.now(), past=True)
    told = effect if user.has_perm("flows.view_accessflow") else None
    may_see = user.has_perm("requests.view_accessrequest")
    shown = render_to_string("admin/flows/_effect.html", {"effect": told, "may_see_requests": may_see})
    return Foretold(shown, effect.costs)
