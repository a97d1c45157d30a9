"""Verbs on second factors. Their secrets are allauth's rows; the rules, the trail and the letters are ours."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.webauthn.internal.auth import WebAuthn
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from accounts import factors, keeping
from accounts.actions.letters import write_letter
from accounts.actions.rules import BadValue, NotAllowed, Refused, is_self, record, require
from accounts.actions.sessions import end_all
from accounts.choices import LetterKind, SessionEnd
from accounts.factors import Kind
from accounts.models import Identity, User
from accounts.queries import factor_counts
from audit.actor import Actor

NAME_MAX, KEYS_MAX = 60, 10
_NO_CODE = "This code is not right, or was used already. Wait for the next one your app shows, and give that."
_NO_KEY = "This key was not accepted. Try again, or with another of your keys."


class FactorRefused(Refused):
    """What was given proves nothing; the refusal is recorded."""


def add_app(
    user: User,
    secret: str,
    code: str,
    *,
    actor: Actor,
    confirmed_at: datetime | None = None,
    at: datetime | None = None,
) -> list[str]:
    """Add an authenticator app whose code shows that it holds `secret`; return new recovery codes, if there were none.

    `confirmed_at`: when the person last proved a factor they have; who has one confirms a change with it. That the
    sign-in is fresh is the page's business. Raises NotAllowed, BadValue.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        _begin(user, actor, confirmed_at, moment)
        if Authenticator.objects.filter(user=user, type=Kind.TOTP).exists():
            raise BadValue("You have an authenticator app already. Remove it first, then add the new one.")
        step = factors.step_of(secret, code, moment)
        if step is None:
            raise BadValue("This is not the code your app shows now. Scan the picture again, and look at the clock.")
        row = TOTP.activate(user, secret).instance
        # The code that added it proves nothing else.
        row.data["step"], row.created_at = step, moment
        row.save()
        _added(user, row, actor, moment)
        return _codes_for(user)


def add_key(
    user: User,
    name: str,
    credential: Any,
    *,
    actor: Actor,
    confirmed_at: datetime | None = None,
    at: datetime | None = None,
) -> list[str]:
    """Add a security key by what the browser made of `factors.key_to_add`. Returns and raises as `add_app` does."""
    moment = at or timezone.now()
    called = name.strip()[:NAME_MAX] or "Security key"
    with transaction.atomic():
        _begin(user, actor, confirmed_at, moment)
        if Authenticator.objects.filter(user=user, type=Kind.WEBAUTHN).count() >= KEYS_MAX:
            raise BadValue(f"You have {KEYS_MAX} keys already. Remove one first.")
        try:
            counter = factors.read_new_key(credential)
        except ValidationError as error:
            raise BadValue("The key could not be added. Try again, and touch it when the browser says so.") from error
        row = WebAuthn.add(user, called, credential).instance
        row.data["counter"], row.created_at = counter, moment
        row.save()
        _added(user, row, actor, moment)
        return _codes_for(user)


def remove_factor(
    user: User, factor: int, *, actor: Actor, confirmed_at: datetime | None = None, at: datetime | None = None
) -> None:
    """Remove an app or a key; with the last of them the recovery codes go. Nothing happens for one that is gone.

    Raises NotAllowed, BadValue for an outside person's last one.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        _begin(user, actor, confirmed_at, moment)
        row = Authenticator.objects.filter(user=user, pk=factor, type__in=factors.REAL).first()
        if row is None:
            return
        others = Authenticator.objects.filter(user=user, type__in=factors.REAL).exclude(pk=row.pk).exists()
        if user.is_outside and not others:
            raise BadValue("You need a second factor. Add another one before you remove your last.")
        name = factors.name_of(row)
        row.delete()
        if not others:
            Authenticator.objects.filter(user=user).delete()
        record("user.factor_removed", user, actor, {"kind": row.type, "name": name}, moment)
        _tell(user, f"“{name}” was removed", f"removed:{factor}", moment)


def renew_codes(
    user: User, *, actor: Actor, confirmed_at: datetime | None = None, at: datetime | None = None
) -> list[str]:
    """Make new recovery codes and return them; the earlier ones are void. Raises NotAllowed, BadValue."""
    moment = at or timezone.now()
    with transaction.atomic():
        _begin(user, actor, confirmed_at, moment)
        if not factors.has_factor(user):
            raise BadValue("Recovery codes are a spare. Add an authenticator app or a security key first.")
        Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).delete()
        codes = _codes_for(user)
        record("user.recovery_codes_made", user, actor, at=moment)
        _tell(user, "New recovery codes were made", f"codes:{moment:%Y%m%d%H%M%S%f}", moment)
    return codes


def reset_factors(user: User, *, actor: Actor, at: datetime | None = None) -> int:
    """Remove all factors of somebody who has lost them, end their sessions, and return how many. Raises NotAllowed.

    Not one's own: who could do that with a password alone would need no second factor.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        require(actor, "accounts.change_user")
        if is_self(actor, user):
            raise NotAllowed("Ask another admin to remove your second factors.")
        names = [factors.name_of(row) for row in Authenticator.objects.filter(user=user)]
        Authenticator.objects.filter(user=user).delete()
        # What was proven by a factor that is gone proves nothing: every session is over.
        end_all(user, SessionEnd.BY_ADMIN, at=moment)
        User.objects.filter(pk=user.pk).update(session_round=F("session_round") + 1)
        if names:
            record("user.factors_reset", user, actor, {"removed": names}, moment)
            _tell(user, "An admin removed all your second factors", f"reset:{moment:%Y%m%d%H%M%S%f}", moment)
    return len(names)


def prove_by_code(user: User, code: str, *, actor: Actor, at: datetime | None = None) -> None:
    """Prove a factor by a code of the app, or by a recovery code; each counts once. Raises NotAllowed, FactorRefused.

    How often it may be tried is the page's business.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("Nobody proves another person’s factor.")
        row = _row_of_code(user, code, moment)
        if row is not None:
            _proven(user, row, actor, moment)
            return
        record("user.factor_refused", user, actor, {"kind": "code"}, moment)
    raise FactorRefused(_NO_CODE)


def prove_by_key(user: User, credential: Any, *, actor: Actor, at: datetime | None = None) -> None:
    """Prove a factor by what the browser made of `factors.key_to_ask`. Raises NotAllowed, FactorRefused."""
    moment = at or timezone.now()
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("Nobody proves another person’s factor.")
        row = _row_of_key(user, credential)
        if row is not None:
            _proven(user, row, actor, moment)
            return
        record("user.factor_refused", user, actor, {"kind": Kind.WEBAUTHN.value}, moment)
    raise FactorRefused(_NO_KEY)


def prove_by_provider(
    user: User, *, issuer: str, subject: str, acr: str, actor: Actor, at: datetime | None = None
) -> None:
    """Prove a factor by a sign-in at the identity provider that answers what was demanded; the caller has seen to that.

    It has to be the account there that is this person's. Raises NotAllowed, FactorRefused.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        if not is_self(actor, user):
            raise NotAllowed("Nobody proves another person’s factor.")
        details = {"kind": "oidc", "issuer": issuer, "acr": acr}
        if Identity.objects.filter(user=user, issuer=issuer, subject=subject).exists():
            record("user.factor_proven", user, actor, details, moment)
            return
        record("user.factor_refused", user, actor, details, moment)
    raise FactorRefused("That was another account of the provider than yours.")


def _row_of_code(user: User, code: str, at: datetime) -> Any:
    """Use the code up and return whose it is; None when it is none, or was used. Locks, so that of two one counts."""
    rows = Authenticator.objects.select_for_update().filter(user=user, type__in=[Kind.TOTP, Kind.RECOVERY_CODES])
    given = code.strip().replace(" ", "")
    for row in rows.order_by("pk"):
        if row.type == Kind.RECOVERY_CODES:
            codes = row.wrap()
            if codes.validate_code(given):
                return codes.instance
            continue
        step = factors.step_of(keeping.unseal(row.data["secret"]), given, at)
        # A step that was used, or lies before one that was, is over: what was seen over a shoulder is worth nothing.
        if step is not None and step > row.data.get("step", -1):
            row.data["step"] = step
            row.save(update_fields=["data"])
            return row
    return None


def _row_of_key(user: User, credential: Any) -> Any:
    """Return the key that answered; None when none of the person's did, or one that is a copy by its counter."""
    try:
        found, counter = factors.read_key(user, credential)
    except ValidationError:
        return None
    row = Authenticator.objects.select_for_update().get(pk=found.pk)
    if counter and counter <= row.data.get("counter", 0):
        return None
    row.data["counter"] = counter
    row.save(update_fields=["data"])
    return row


def _proven(user: User, row: Any, actor: Actor, at: datetime) -> None:
    Authenticator.objects.filter(pk=row.pk).update(last_used_at=at)
    record("user.factor_proven", user, actor, {"kind": row.type, "name": factors.name_of(row)}, at)


def _begin(user: User, actor: Actor, confirmed_at: datetime | None, at: datetime) -> None:
    """Lock the person, and raise NotAllowed unless they themselves change their factors and may now."""
    if not is_self(actor, user):
        raise NotAllowed("Second factors are the person’s own.")
    User.objects.select_for_update(of=("self",), no_key=True).get(pk=user.pk)
    confirmed = confirmed_at is not None and factor_counts(confirmed_at, at)
    if factors.has_factor(user) and not confirmed:
        raise NotAllowed("Confirm with a second factor that you have, then change them.")


def _codes_for(user: User) -> list[str]:
    """Return recovery codes that were just made; nothing when the person has some."""
    if Authenticator.objects.filter(user=user, type=Kind.RECOVERY_CODES).exists():
        return []
    return list(RecoveryCodes.activate(user).generate_codes())


def _added(user: User, row: Any, actor: Actor, at: datetime) -> None:
    name = factors.name_of(row)
    record("user.factor_added", user, actor, {"kind": row.type, "name": name}, at)
    _tell(user, f"“{name}” was added", f"added:{row.pk}", at)


def _tell(user: User, what: str, key: str, at: datetime) -> None:
    """Write to the person: who did not do it themselves has to hear of it."""
    subject = f"Your second factors: {what}"
    context = {"what": f"{what}."}
    kind, whole = LetterKind.SECURITY, f"factor:{user.pk}:{key}"
    write_letter(to=user, kind=kind, subject=subject, template="factor", context=context, key=whole, at=at)


def reencrypt_factors() -> int:
    """Seal again, with the newest key, what lies under an older one; return how many. Raises keeping.Unreadable."""
    moved = 0
    names = {Kind.TOTP: "secret", Kind.RECOVERY_CODES: "seed"}
    for pk in list(Authenticator.objects.filter(type__in=names).order_by("pk").values_list("pk", flat=True)):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is None or keeping.is_newest(row.data[names[row.type]]):
                continue
            row.data[names[row.type]] = keeping.seal(keeping.unseal(row.data[names[row.type]]))
            row.save(update_fields=["data"])
            moved += 1
    return moved
