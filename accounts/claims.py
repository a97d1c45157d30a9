"""What an identity provider says of who signs in, read from its answer. Nothing in it has to have the right shape.

Pure: no network, no database. What cannot be read gives nothing: no address, no groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

GROUPS_MAX = 1000
_SUBJECT_MAX, _EMAIL_MAX, _NAME_MAX, _GROUP_MAX = 255, 254, 150, 200
# "true" in quotes is how some providers write it; every other text means no, "false" among them.
_YES = (True, "true")
# Of providers that say of the address's domain that they own it, instead of saying that the address was verified.
_OWNS_DOMAIN, _OWNED = "xms_edov", (True, "true", "1", 1)
Claims = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Told:
    """What the provider says of a person. `email` is empty when there is none; `verified` speaks of it alone.

    `groups_trouble` says in words what of the groups was not taken; empty when all were.
    """

    issuer: str
    subject: str
    email: str = ""
    verified: bool = False
    name: str = ""
    groups: tuple[str, ...] = ()
    groups_trouble: str = ""
    # The manager's address, "" for nobody; None where managers are not taken from this provider.
    manager: str | None = None
    # What names of this provider's groups begin with; "" for those of the first provider.
    prefix: str = ""
    # Whether the provider may vouch for addresses like this one.
    vouched: bool = True


def read(
    issuer: str,
    documents: Sequence[Claims],
    groups_claim: str,
    *,
    manager_claim: str = "",
    prefix: str = "",
    reserved: tuple[str, ...] = (),
) -> Told:
    """Return what the documents (userinfo, ID token; the earlier one counts) say. Raises ValueError without a subject.

    All documents must be about the same subject: one taken from somebody else's sign-in is refused. Groups get
    `prefix`; none is taken whose name begins with one of `reserved`, which are other providers'.
    """
    subjects = {_subject(document) for document in documents}
    if len(subjects) != 1:
        raise ValueError("The documents speak of different subjects.")
    email = next(filter(None, (_email(document) for document in documents)), "")
    groups, trouble = _groups(documents, groups_claim, prefix, reserved)
    return Told(
        issuer,
        subjects.pop(),
        email,
        _verified(documents, email),
        _name(documents),
        groups,
        trouble,
        manager=_manager(documents, manager_claim) if manager_claim else None,
        prefix=prefix,
    )


def _subject(document: Claims) -> str:
    subject = document.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > _SUBJECT_MAX or not subject.isprintable():
        raise ValueError("There is no subject.")
    return subject


def _manager(documents: Sequence[Claims], claim: str) -> str:
    """Return the manager's address; "" for what is none. Some providers wrap it: {"value": …} or {"email": …}."""
    said: Any = next((document[claim] for document in documents if claim in document), "")
    if isinstance(said, dict):
        said = said.get("email") or said.get("value")
    return address(said)


def address(said: object) -> str:
    """Return an e-mail address in lower case; "" for what is none.

    Beyond ASCII an address must be in lower case already: some signs become plain ASCII letters when lowered (the sign
    of the Kelvin becomes k), and an address must not turn into somebody else's.
    """
    if not isinstance(said, str) or len(said) > _EMAIL_MAX:
        return ""
    email = said.strip()
    try:
        validate_email(email)
    except ValidationError:
        return ""
    return email.lower() if email.isascii() or email == email.lower() else ""


def _email(document: Claims) -> str:
    return address(document.get("email"))


def _verified(documents: Sequence[Claims], email: str) -> bool:
    """Whether the provider says, and nowhere denies, that the address belongs to the person."""
    about = [document for document in documents if email and _email(document) == email]
    said = [document["email_verified"] for document in about if "email_verified" in document]
    if not said:
        owned = [document[_OWNS_DOMAIN] for document in about if _OWNS_DOMAIN in document]
        return bool(owned) and all(isinstance(one, bool | int | str) and one in _OWNED for one in owned)
    return all(isinstance(one, bool | str) and one in _YES for one in said)


def _name(documents: Sequence[Claims]) -> str:
    """Return the person's name, fit to be shown; "" when there is none."""
    for document in documents:
        parts = (
            [document.get("name")]
            if document.get("name")
            else [document.get("given_name"), document.get("family_name")]
        )
        text = " ".join(part for part in parts if isinstance(part, str))
        shown = "".join(sign if sign.isprintable() else " " for sign in text)
        if shown.strip():
            return " ".join(shown.split())[:_NAME_MAX].rstrip()
    return ""


def _groups(
    documents: Sequence[Claims], claim: str, prefix: str, reserved: tuple[str, ...]
) -> tuple[tuple[str, ...], str]:
    """Return the names of the groups, sorted, each once, and what of the claim was not taken."""
    said: Any = next((document[claim] for document in documents if claim in document), [])
    if not isinstance(said, list):
        return (), f"The claim {claim} is no list."
    if len(said) > GROUPS_MAX:
        # Any choice among them would be ours, and another one each time.
        return (), f"The claim {claim} lists {len(said)} groups; at most {GROUPS_MAX} are taken."
    fitting = [f"{prefix}{one}" for one in said if _is_group_name(one) and _is_group_name(f"{prefix}{one}")]
    fitting = [one for one in fitting if not one.startswith(reserved)] if reserved else fitting
    wrong = len(said) - len(fitting)
    return tuple(sorted(set(fitting))), f"{wrong} entries of the claim {claim} are no names." if wrong else ""


def _is_group_name(value: object) -> bool:
    """Whether it is a name as it stands: nothing is trimmed, for two groups must not become one."""
    return isinstance(value, str) and value == value.strip() and 0 < len(value) <= _GROUP_MAX and value.isprintable()
