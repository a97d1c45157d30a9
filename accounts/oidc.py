"""Sign-in by OIDC: allauth's code flow with the one provider of the settings, held to stricter rules.

`begin` gives the address to go to, `finish` takes the answer and returns what the provider says of the person; who that
is here is decided by `actions.sign_in_with`. Nothing of the request reaches the provider; the way back is kept in the
session. allauth by itself would take `scope`, `process` and `auth_params` from whoever wrote the link.
"""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.urls import reverse
from requests import ConnectionError, RequestException, Session, Timeout

from accounts import claims
from accounts.choices import SignInRefusal
from accounts.claims import Told

PROVIDER_ID = "oidc"
# Kept in the session where the provider can be told of a sign-out, and for nothing else.
SESSION_KEY = "oidc"
_CONFIGURATION_SECONDS = 600
_ID_TOKEN_MAX = 16_000
# What an answer of the wrong shape raises somewhere in allauth or PyJWT.
_MISSHAPEN = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_MORE_ENDPOINTS = ("userinfo_endpoint", "end_session_endpoint")
# What a provider may call an error; nothing else gets from the address into the log.
_CODE = re.compile(r"[a-z_]{1,40}")
_log = logging.getLogger(__name__)
_Result = TypeVar("_Result")


class Failed(Exception):
    """The exchange came to nothing. `next` is where the person was going, "" where that is not known any more."""

    def __init__(self, refusal: SignInRefusal, next_url: str = "") -> None:
        super().__init__(str(refusal.label))
        self.refusal, self.next = refusal, next_url


@dataclass(frozen=True, slots=True)
class Arrival:
    """Somebody came back from the provider: what it says of them, and where they were going ("" for nowhere).

    `farewell` is what the session has to keep for signing out at the provider too; empty when it offers that not.
    """

    told: Told
    next: str
    farewell: dict[str, str]


class _Came(Exception):
    """Leaves allauth's flow with what it found out, before allauth would sign anybody up or in."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__()
        self.arrival = arrival


class Unusable(OAuth2Error):  # type: ignore[misc]  # allauth ships no types
    """The provider's answer breaks the standard; unlike with other errors, the message is ours and may be logged."""


class Login(SocialLogin):  # type: ignore[misc]  # allauth ships no types
    """A sign-in as allauth's flow carries it along. Who it is here is looked up by our actions alone."""

    def __init__(self, told: Told, farewell: dict[str, str]) -> None:
        super().__init__(account=SocialAccount(provider=PROVIDER_ID, uid=told.subject))
        self.told, self.farewell = told, farewell

    def lookup(self) -> None:
        """Look nothing up."""


def begin(request: HttpRequest, next_url: str | None, *, anew: bool = False) -> str:
    """Return the provider's address for this sign-in; `anew` has it ask who it is. Raises Failed."""
    provider = get_adapter().get_provider(request, PROVIDER_ID)
    wishes = {"prompt": "login"} if anew else {}
    try:
        answer = provider.redirect(request, AuthProcess.LOGIN, next_url=next_url, auth_params=wishes)
    except (RequestException, OAuth2Error) as error:
        refusal = _refusal_of(error)
        _log_it(refusal, error)
        raise Failed(refusal, next_url or "") from error
    return str(answer.url)


def finish(request: HttpRequest) -> Arrival:
    """Return who came back. Raises Failed. Uses the state up: the same answer does not work twice."""
    try:
        OAuth2CallbackView.adapter_view(_Adapter(request, PROVIDER_ID))(request)
    except _Came as came:
        return came.arrival
    raise Failed(SignInRefusal.BAD_ANSWER)


def application() -> SocialApp:
    """Return the provider of the settings as allauth wants it; nothing of it is ever in the database."""
    oidc = _settings()
    return SocialApp(
        provider="openid_connect",
        provider_id=PROVIDER_ID,
        name=oidc.name,
        client_id=oidc.client_id,
        secret=oidc.client_secret,
        settings={"server_url": oidc.issuer, "oauth_pkce_enabled": True, "scope": list(oidc.scopes)},
    )


def way_out(request: HttpRequest) -> str:
    """Return the address at the provider that ends the session there too; "" where there is none. No network."""
    kept = request.session.get(SESSION_KEY)
    if settings.OIDC is None or not isinstance(kept, dict):
        return ""
    back = settings.PUBLIC_URL + reverse("account_login")
    asked = {"id_token_hint": kept["id_token"], "client_id": settings.OIDC.client_id, "post_logout_redirect_uri": back}
    address = str(kept["end_session"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"


def _settings() -> Any:
    """Return the provider's settings; whoever calls this has asked whether there are any."""
    return settings.OIDC


def configuration() -> dict[str, Any]:
    """Return what the provider says of itself, minutes old at most. Raises RequestException, OAuth2Error."""
    issuer = str(_settings().issuer)
    key = f"oidc:{hashlib.sha256(issuer.encode()).hexdigest()}"
    known: dict[str, Any] | None = cache.get(key)
    if known is None:
        with get_adapter().get_requests_session() as session:
            answer = session.get(f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            answer.raise_for_status()
            known = _checked(answer.json(), issuer)
        cache.set(key, known, _CONFIGURATION_SECONDS)
    return known


def _checked(said: Any, issuer: str) -> dict[str, Any]:
    """Return the parts that are used. Raises OAuth2Error for another issuer, or an address that is not safe."""
    if not isinstance(said, dict) or str(said.get("issuer")).rstrip("/") != issuer.rstrip("/"):
        raise Unusable("The provider calls itself otherwise than LATCHKEY_OIDC_ISSUER does.")
    wanted = [*_ENDPOINTS, *(name for name in _MORE_ENDPOINTS if said.get(name))]
    for name in wanted:
        if not isinstance(said.get(name), str) or not _settings().may_call(said[name]):
            raise Unusable(f"The provider's {name} is no https address.")
    methods = said.get("token_endpoint_auth_methods_supported")
    return {name: said[name] for name in wanted} | {
        "issuer": said["issuer"],
        "token_endpoint_auth_methods_supported": methods if isinstance(methods, list) else ["client_secret_basic"],
    }


def _refusal_of(exception: Exception) -> SignInRefusal:
    """Return whether the provider was away, or answered what cannot be used."""
    if isinstance(exception, RequestException):
        answer = exception.response
        if isinstance(exception, ConnectionError | Timeout) or (answer is not None and answer.status_code >= 500):
            return SignInRefusal.UNREACHABLE
    return SignInRefusal.BAD_ANSWER


def _log_it(refusal: SignInRefusal, why: str | Exception | None) -> None:
    """Log what an operator has to know, without what foreign exceptions say: it may carry tokens."""
    if isinstance(why, Exception) and not isinstance(why, Unusable):
        why = type(why.__cause__ or why).__name__
    if refusal in {SignInRefusal.UNREACHABLE, SignInRefusal.BAD_ANSWER}:
        _log.warning("Sign-in by OIDC failed: %s (%s).", refusal.label, why)


def _shaped(read: Callable[[], _Result]) -> _Result:
    """Return what `read` returns; an answer of the wrong shape is an OAuth2Error and not a broken page."""
    try:
        return read()
    except _MISSHAPEN as error:
        if isinstance(error, RequestException):
            raise
        raise Unusable("The provider's answer has another shape than the standard says.") from error


class _Client(OAuth2Client):  # type: ignore[misc]  # allauth ships no types
    """allauth's client, for providers whose address has a question mark already."""

    def get_redirect_url(self, authorization_url: str, scope: list[str], extra_params: dict[str, str]) -> str:
        """Return where to send the browser."""
        url = str(super().get_redirect_url(authorization_url, scope, extra_params))
        asked = url[len(authorization_url) + 1 :]
        return f"{authorization_url}{'&' if '?' in authorization_url else '?'}{asked}"


class _Adapter(OpenIDConnectOAuth2Adapter):  # type: ignore[misc]  # allauth ships no types
    """The exchange with the provider."""

    client_class = _Client

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the provider's own description; allauth would fetch it at every step."""
        return configuration()

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return the address that is registered at the provider, whatever host the browser named."""
        return str(settings.PUBLIC_URL) + reverse("oidc_callback")

    def get_access_token_data(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Give the code for the tokens."""
        data = _shaped(lambda: super(_Adapter, self).get_access_token_data(request, *args, **kwargs))
        if not isinstance(data, dict) or not isinstance(data.get("access_token"), str):
            raise Unusable("The provider's answer has another shape than the standard says.")
        return data

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Take the access token alone: it is used once, right now, and never kept."""
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Login:
        """Return what the tokens say."""
        oidc, id_token = _settings(), kwargs["response"].get("id_token")
        if not isinstance(id_token, str):
            raise Unusable("The provider sent no ID token.")
        documents = [_shaped(lambda: self._id_claims(app, id_token))]
        if "userinfo_endpoint" in self.openid_config:
            # First: it says more.
            documents.insert(0, _shaped(lambda: dict(self._fetch_user_info(token.token))))
        told = _shaped(lambda: claims.read(oidc.issuer.rstrip("/"), documents, oidc.groups_claim))
        return Login(told, self._farewell(id_token))

    def _id_claims(self, app: SocialApp, id_token: str) -> dict[str, Any]:
        """Return what the ID token says: of this issuer, for us alone, not over. It came from the provider by TLS."""
        said: dict[str, Any] = self._decode_id_token(app, id_token)
        if "exp" not in said or said.get("azp", app.client_id) != app.client_id:
            raise Unusable("The provider's ID token has no end, or is meant for another client.")
        return said

    def _farewell(self, id_token: str) -> dict[str, str]:
        """Return what a sign-out at the provider will need. Providers do not end a session on anybody's bare word."""
        address = self.openid_config.get("end_session_endpoint")
        if not address or len(id_token) > _ID_TOKEN_MAX:
            return {}
        return {"end_session": address, "id_token": id_token}


class Provider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth ships no types
    """The provider of the settings, with our rules for the exchange."""

    oauth2_adapter_class = _Adapter


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth does the exchange with the provider, and stops there."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the provider of the settings; rows in allauth's table of providers count for nothing."""
        return [application()] if settings.OIDC and provider == PROVIDER_ID and not client_id else []

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """Return the provider with our rules."""
        return Provider(request, app=self.get_app(request, provider, client_id))

    def get_requests_session(self) -> Session:
        """Return a session with a time limit, which follows no redirect: none has a place in what we ask for."""
        session: Session = super().get_requests_session()
        session.max_redirects = 0
        return session

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """No."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Login) -> None:
        """Leave with what is known, where allauth would look for whom to sign in."""
        way = str(sociallogin.state.get("next") or "")
        raise _Came(Arrival(sociallogin.told, way, sociallogin.farewell))

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Provider,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: dict[str, Any] | None = None,
    ) -> None:
        """Leave with the reason, where allauth would show a page that helps nobody."""
        state = (extra_context or {}).get("state") or {}
        if exception is not None:
            refusal = _refusal_of(exception)
        elif not state:
            refusal = SignInRefusal.STALE
        else:
            refusal = SignInRefusal.CANCELLED if error == AuthError.CANCELLED else SignInRefusal.BAD_ANSWER
        code = request.GET.get("error", "")
        _log_it(refusal, exception or (code if _CODE.fullmatch(code) else "no code"))
        raise Failed(refusal, str(state.get("next") or "")) from exception
