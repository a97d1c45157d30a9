"""Tokens that an identity provider signs: the signature, and what an ID token and a logout token have to say.

Pure: keys and time are given. The standard lets a client skip the signature of a token that came straight from the
provider by TLS. We do not: what stands between, a proxy that ends TLS above all, is not the provider.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from accounts.fetching import Unusable

# By family of keys. No HMAC: its key would be the client secret or, by confusion, a public key; and no "none".
_FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
RSA_BITS, TOKEN_MAX = 2048, 16_000
# How far clocks may be apart, and how long ago a token may have been made that was made for us just now; seconds.
LEEWAY, OLDEST = 60, 600
_LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
Jwk = Mapping[str, Any]
Keys = Callable[[bool], Sequence[Jwk]]


@dataclass(frozen=True, slots=True)
class Demand:
    """What a sign-in has to prove, kept on the server from its beginning on.

    `since`: signed in there at that time or later. `acr`: by one of these ways. `user`: as this person, who is signed
    in here already. Empty or 0 where it is not demanded.
    """

    since: float = 0
    acr: tuple[str, ...] = ()
    user: str = ""


def signed(token: object, keys: Keys) -> tuple[dict[str, Any], str]:
    """Return what a token says that one of the provider's keys signed, and the algorithm. Raises Unusable.

    `keys(anew)` returns the provider's keys; with True they are fetched again, for a key that is new.
    """
    if not isinstance(token, str) or len(token) > TOKEN_MAX:
        raise Unusable("The provider's token is none, or too long.")
    try:
        head = jwt.get_unverified_header(token)
    except jwt.PyJWTError as error:
        raise Unusable("The provider's token cannot be read.") from error
    algorithm = head.get("alg")
    if algorithm not in ALGORITHMS or "crit" in head:
        raise Unusable("The provider's token is not signed in a way that is taken.")
    for anew in (False, True):
        for key in _fitting(keys(anew), head):
            if (said := _opened(token, key, algorithm)) is not None:
                return said, algorithm
    raise Unusable("No key of the provider's made the signature of its token.")


def check_id_token(
    said: Mapping[str, Any], algorithm: str, *, issuer: str, client_id: str, access_token: str, at: float
) -> None:
    """Raise Unusable unless the ID token is of this issuer, for us, of now, and comes with this access token."""
    _check_whose(said, issuer, client_id)
    if said.get("azp", client_id) != client_id or (_is_for_several(said) and "azp" not in said):
        raise Unusable("The provider's ID token is meant for another client.")
    if _time(said, "exp") + LEEWAY <= at:
        raise Unusable("The provider's ID token is over.")
    _check_made(said, at)
    if "at_hash" in said and not _same(said["at_hash"], _half_hash(access_token, algorithm)):
        raise Unusable("The provider's ID token came with another access token.")


def check_answers(said: Mapping[str, Any], *, nonce: str, demand: Demand, tells_auth_time: bool) -> str:
    """Return what of the demand an ID token does not prove, "" for nothing. Raises Unusable for another's answer."""
    if not _same(said.get("nonce"), nonce):
        raise Unusable("The provider's ID token answers another question.")
    if demand.since and tells_auth_time and signed_in_at(said) < demand.since - LEEWAY:
        return "auth_time"
    if demand.acr and said.get("acr") not in demand.acr:
        return "acr"
    return ""


def signed_in_at(said: Mapping[str, Any]) -> float:
    """Return when the person signed in at the provider, 0 where it does not say."""
    return _time(said, "auth_time") if "auth_time" in said else 0


@dataclass(frozen=True, slots=True)
class Logout:
    """Whose sessions end: by the provider's session, or all of the subject's where none is named. `jti` counts once."""

    subject: str
    sid: str
    jti: str


def check_logout(said: Mapping[str, Any], *, issuer: str, client_id: str, at: float) -> Logout:
    """Return what a logout token ends. Raises Unusable unless it is one, of this issuer, for us, and of now."""
    _check_whose(said, issuer, client_id)
    _check_made(said, at)
    if "exp" in said and _time(said, "exp") + LEEWAY <= at:
        raise Unusable("The logout token is over.")
    events = said.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT), dict) or "nonce" in said:
        raise Unusable("It is no logout token.")
    subject, sid, jti = (said.get(name, "") for name in ("sub", "sid", "jti"))
    for one in (subject, sid, jti):
        if not isinstance(one, str) or len(one) > 255 or "\x00" in one:
            raise Unusable("The logout token has another shape than the standard says.")
    if not jti or not (subject or sid):
        raise Unusable("The logout token names nobody, or has no id.")
    return Logout(subject, sid, jti)


def _check_whose(said: Mapping[str, Any], issuer: str, client_id: str) -> None:
    if said.get("iss") != issuer:
        raise Unusable("The provider's token is of another issuer.")
    audience = said.get("aud")
    if client_id not in (audience if isinstance(audience, list) else [audience]):
        raise Unusable("The provider's token is for another client.")


def _check_made(said: Mapping[str, Any], at: float) -> None:
    if not at - OLDEST <= _time(said, "iat") <= at + LEEWAY:
        raise Unusable("The provider's token was not made just now. Are both clocks right?")


def _is_for_several(said: Mapping[str, Any]) -> bool:
    return isinstance(said["aud"], list) and len(said["aud"]) > 1


def _time(said: Mapping[str, Any], name: str) -> float:
    value = said.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise Unusable(f"The provider's token has no {name} that is a time.")
    return float(value)


def _same(said: object, wanted: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), wanted.encode())


def _half_hash(text: str, algorithm: str) -> str:
    """Return the left half of a hash, as at_hash is made: of the size that the signature's algorithm names."""
    size = algorithm[2:] if algorithm[2:].isdigit() else "512"
    whole = hashlib.new(f"sha{size}", text.encode()).digest()
    return base64.urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()


def _fitting(keys: Sequence[Jwk], head: Mapping[str, Any]) -> Iterator[Any]:
    """Yield the keys that may have signed a token with this head."""
    algorithm, kid = head["alg"], head.get("kid")
    for one in keys:
        of_family = one.get("kty") == _FAMILIES[algorithm[:2]] and one.get("alg", algorithm) == algorithm
        if not of_family or one.get("use", "sig") != "sig" or (kid is not None and one.get("kid") != kid):
            continue
        try:
            key = jwt.PyJWK(dict(one), algorithm=algorithm).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            # A key that cannot be read signs nothing; the next one may.
            continue
        if one["kty"] != "RSA" or key.key_size >= RSA_BITS:
            yield key


def _opened(token: str, key: Any, algorithm: str) -> dict[str, Any] | None:
    """Return the token's claims, None when another key signed it. Times are ours to look at."""
    unread: Any = dict.fromkeys(
        ("verify_exp", "verify_nbf", "verify_iat", "verify_aud", "verify_iss", "verify_sub", "verify_jti"), False
    )
    try:
        said: dict[str, Any] = jwt.decode(token, key=key, algorithms=[algorithm], options=unread)
    except (jwt.PyJWTError, ValueError, TypeError):
        return None
    return said
