"""What a provider says of itself, and its keys: fetched bounded, checked, and kept for minutes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache

from accounts.fetching import BoundedSession, Unusable
from accounts.id_tokens import Jwk

_KEPT_SECONDS, _KEYS_AGAIN_SECONDS = 600, 60
_KEYS_MAX, _ADDRESS_MAX = 50, 2000
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_MORE_ENDPOINTS = ("userinfo_endpoint", "end_session_endpoint")


def session_of(provider: Any) -> BoundedSession:
    """Return how this provider is asked."""
    return BoundedSession(urlsplit(provider.issuer).hostname or "", settings.SOCIALACCOUNT_REQUESTS_TIMEOUT)


def description_of(provider: Any) -> dict[str, Any]:
    """Return what the provider says of itself, minutes old at most. Raises RequestException, Unusable."""
    where = f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration"
    kept: dict[str, Any] = _kept("description", provider, lambda: _checked(_fetched(provider, where), provider))
    return kept


def keys_of(provider: Any, anew: bool = False) -> list[Jwk]:
    """Return the provider's public keys; `anew`, once a minute at most, fetched again. Raises as `description_of`.

    Whoever sends us tokens of unknown keys makes us ask once a minute, not once for each.
    """
    fresh = anew and cache.add(_name("again", provider), True, _KEYS_AGAIN_SECONDS)
    kept: list[Jwk] = _kept("keys", provider, lambda: _fetched_keys(provider), anew=fresh)
    return kept


def _fetched_keys(provider: Any) -> list[Jwk]:
    said = _fetched(provider, description_of(provider)["jwks_uri"])
    keys = said.get("keys") if isinstance(said, dict) else None
    if not isinstance(keys, list) or len(keys) > _KEYS_MAX:
        raise Unusable("The provider's keys have another shape than the standard says, or are too many.")
    return [one for one in keys if isinstance(one, dict)]


def _fetched(provider: Any, url: str) -> Any:
    with session_of(provider) as session:
        answer = session.get(url)
        answer.raise_for_status()
        return answer.json()


def _kept(what: str, provider: Any, fetch: Callable[[], Any], *, anew: bool = False) -> Any:
    name = _name(what, provider)
    known = None if anew else cache.get(name)
    if known is None:
        known = fetch()
        cache.set(name, known, _KEPT_SECONDS)
    return known


def _name(what: str, provider: Any) -> str:
    return f"oidc:{what}:{hashlib.sha256(provider.issuer.encode()).hexdigest()}"


def _checked(said: Any, provider: Any) -> dict[str, Any]:
    """Return the parts that are used. Raises Unusable for another issuer, or an address that is not safe."""
    if not isinstance(said, dict) or str(said.get("issuer")).rstrip("/") != provider.issuer.rstrip("/"):
        raise Unusable("The provider calls itself otherwise than its setting ISSUER does.")
    wanted = [*_ENDPOINTS, *(name for name in _MORE_ENDPOINTS if said.get(name))]
    for name in wanted:
        address = said.get(name)
        if not isinstance(address, str) or len(address) > _ADDRESS_MAX or not provider.may_call(address):
            raise Unusable(f"The provider's {name} is no https address.")
    methods = said.get("token_endpoint_auth_methods_supported")
    pkce = said.get("code_challenge_methods_supported")
    if isinstance(pkce, list) and "S256" not in pkce:
        raise Unusable("The provider takes no proof of the code by S256.")
    return {name: said[name] for name in wanted} | {
        "issuer": said["issuer"],
        "names_itself": said.get("authorization_response_iss_parameter_supported") is True,
        "token_endpoint_auth_methods_supported": methods if isinstance(methods, list) else ["client_secret_basic"],
    }
