"""What all verbs share: errors and the person's lock."""

from __future__ import annotations

from typing import Any

from accounts.models import User


class NotPossible(Exception):
    """The request is not in a state for this, or a rule says no; the message is one sentence for a person."""


class NotYours(NotPossible):
    """This person has no part in it. Pages answer as if it did not exist."""


def lock_person(person_id: Any) -> User:
    """Lock the person's row until the transaction ends; serialises what is ordered for one person.

    The lock does not hinder rows that merely point at the person.
    """
    return User.objects.select_for_update(no_key=True).get(pk=person_id)
