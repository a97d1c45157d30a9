"""Sign-in by OIDC: allauth's code flow with the providers of the settings, held to stricter rules.

`begin` gives the address to go to, `finish` takes the answer and returns what the provider says of the person; who that
is here is decided by `actions.sign_in_with`. Nothing of the request reaches the provider; the way back, the nonce and
what is demanded are kept in the session. allauth by itself would take `scope`, `process` and `auth_params` from whoever
wrote the link, and look neither at signature nor nonce.
"""

from __future__ import annotations

import dataclasses
import logging
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import quote_plus, urlencode

from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin, SocialToken
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from allauth.socialaccount.providers.oauth2.client import OAuth2Client, OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from allauth.socialaccount.providers.openid_connect.provider import OpenIDConnectProvider
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from requests import ConnectionError, RequestException, Timeout

from accounts import claims
from accounts.actions.identities import prefixes_of_others
from accounts.choices import SignInRefusal
from accounts.claims import Told
from accounts.descriptions import description_of, keys_of, session_of
from accounts.fetching import Unusable
from accounts.id_tokens import Demand, check_answers, check_id_token, signed, signed_in_at

# The provider whose callback address carries no id.
MAIN = "oidc"
# Kept in the session where the provider can be told of a sign-out, and for nothing else.
SESSION_KEY = "oidc"
_ID_TOKEN_MAX = 16_000
# What an answer of the wrong shape raises somewhere in allauth or in reading claims.
_MISSHAPEN = (AttributeError, LookupError, TypeError, ValueError, ArithmeticError)
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
    `sid` is the provider's name for its session, "" where it has none. `signed_in_at`: when, by its clock; 0 where it
    does not say. What was demanded is proven.
    """

    told: Told
    next: str
    farewell: dict[str, str]
    sid: str = ""
    signed_in_at: float = 0
    acr: str = ""
    demand: Demand = dataclasses.field(default_factory=Demand)


class _Came(Exception):
    """Leaves allauth's flow with what it found out, before allauth would sign anybody up or in."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__()
        self.arrival = arrival


class Login(SocialLogin):  # type: ignore[misc]  # allauth ships no types
    """A sign-in as allauth's flow carries it along. Who it is here is looked up by our actions alone."""

    def __init__(self, told: Told, said: dict[str, Any], farewell: dict[str, str], oidc: Any) -> None:
        super().__init__(account=SocialAccount(provider=oidc.id, uid=told.subject))
        self.told, self.said, self.farewell, self.oidc = told, said, farewell, oidc

    def lookup(self) -> None:
        """Look nothing up."""


def provider_of(name: str) -> Any:
    """Return the settings of the provider with this id, None where there is none."""
    return next((one for one in settings.OIDC_PROVIDERS if one.id == name), None)


def begin(
    request: HttpRequest, oidc: Any, next_url: str | None, *, anew: bool = False, demand: Demand | None = None
) -> str:
    """Return the provider's address for this sign-in; `anew` has it ask who it is. Raises Failed.

    What is demanded waits in the session, and the answer is held against it: the address is the browser's to change.
    """
    nonce, demand = secrets.token_urlsafe(24), demand or Demand()
    wishes = {"nonce": nonce}
    if anew or demand.since:
        wishes |= {"prompt": "login", "max_age": "0"}
    if demand.acr:
        wishes["acr_values"] = " ".join(demand.acr)
    kept = {"nonce": nonce, "demand": dataclasses.asdict(demand)}
    try:
        provider = get_adapter().get_provider(request, oidc.id)
        answer = provider.redirect(request, AuthProcess.LOGIN, next_url=next_url, auth_params=wishes, **kept)
    except (RequestException, OAuth2Error) as error:
        refusal = _refusal_of(error)
        _log_it(refusal, error)
        raise Failed(refusal, next_url or "") from error
    return str(answer.url)


def finish(request: HttpRequest, oidc: Any) -> Arrival:
    """Return who came back. Raises Failed. Uses the state up: the same answer does not work twice.

    The state is kept for this provider alone: what comes to its callback address from another's sign-in finds none.
    """
    try:
        OAuth2CallbackView.adapter_view(_Adapter(request, oidc.id))(request)
    except _Came as came:
        return came.arrival
    raise Failed(SignInRefusal.BAD_ANSWER)


def application(oidc: Any) -> SocialApp:
    """Return a provider of the settings as allauth wants it; nothing of it is ever in the database."""
    return SocialApp(
        provider="openid_connect",
        provider_id=oidc.id,
        name=oidc.name,
        client_id=oidc.client_id,
        secret=oidc.client_secret,
        settings={"server_url": oidc.issuer, "oauth_pkce_enabled": True, "scope": list(oidc.scopes)},
    )


def callback_of(oidc: Any) -> str:
    """Return the address that is registered at the provider, whatever host the browser named."""
    path = reverse("oidc_callback") if oidc.id == MAIN else reverse("oidc_callback_of", kwargs={"provider": oidc.id})
    return f"{settings.PUBLIC_URL}{path}"


def way_out(request: HttpRequest) -> tuple[str, Any]:
    """Return the address at the provider that ends the session there too, and the provider; "" and None without one."""
    kept = request.session.get(SESSION_KEY)
    oidc = provider_of(str(kept.get("provider", MAIN))) if isinstance(kept, dict) else None
    if oidc is None or not isinstance(kept, dict):
        return "", None
    back = settings.PUBLIC_URL + reverse("account_login")
    asked = {"id_token_hint": kept["id_token"], "client_id": oidc.client_id, "post_logout_redirect_uri": back}
    address = str(kept["end_session"])
    return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}", oidc


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
    def oidc(self) -> Any:
        """Return the provider's settings."""
        return provider_of(self.provider_id)

    @property
    def openid_config(self) -> dict[str, Any]:
        """Return the provider's own description; allauth would fetch it at every step."""
        return description_of(self.oidc)

    def get_callback_url(self, request: HttpRequest, app: SocialApp) -> str:
        """Return where the provider sends the browser back to."""
        return callback_of(self.oidc)

    def get_access_token_data(
        self, request: HttpRequest, app: SocialApp, client: _Client, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """Give the code for the tokens, once it is sure that the code is this provider's."""
        self._check_who_answers(request)
        given = {"grant_type": "authorization_code", "code": request.GET["code"], "redirect_uri": client.callback_url}
        given["code_verifier"], auth = pkce_code_verifier or "", None
        if self.basic_auth:
            auth = (quote_plus(app.client_id), quote_plus(app.secret))
        else:
            given |= {"client_id": app.client_id, "client_secret": app.secret}
        with session_of(self.oidc) as session:
            answer = session.post(self.access_token_url, data=given, auth=auth)
        data = _shaped(answer.json) if answer.status_code == 200 else None
        if not isinstance(data, dict) or not isinstance(data.get("access_token"), str):
            raise Unusable("The provider gave no tokens for the code.")
        return data

    def _check_who_answers(self, request: HttpRequest) -> None:
        """Refuse an answer that says it is another provider's (RFC 9207): its code would go to the wrong one."""
        said = request.GET.get("iss")
        wanted = said is not None or self.openid_config["names_itself"]
        if wanted and said != self.openid_config["issuer"]:
            raise Unusable("The answer is another provider's.")

    def parse_token(self, data: dict[str, Any]) -> SocialToken:
        """Take the access token alone: it is used once, right now, and never kept."""
        return SocialToken(token=data["access_token"])

    def complete_login(self, request: HttpRequest, app: SocialApp, token: SocialToken, **kwargs: Any) -> Login:
        """Return what the tokens say."""
        id_token = kwargs["response"].get("id_token")
        said, algorithm = signed(id_token, lambda anew: keys_of(self.oidc, anew))
        issuer = self.openid_config["issuer"]
        check_id_token(
            said, algorithm, issuer=issuer, client_id=app.client_id, access_token=token.token, at=time.time()
        )
        documents = [said]
        if "userinfo_endpoint" in self.openid_config:
            # First: it says more.
            documents.insert(0, _shaped(lambda: dict(self._fetch_user_info(token.token))))
        return Login(_shaped(lambda: self._read(documents)), said, self._farewell(id_token), self.oidc)

    def _fetch_user_info(self, access_token: str) -> Any:
        """Return what the provider says of the person."""
        with session_of(self.oidc) as session:
            answer = session.get(self.profile_url, headers={"Authorization": f"Bearer {access_token}"})
        answer.raise_for_status()
        return answer.json()

    def _read(self, documents: list[dict[str, Any]]) -> Told:
        oidc = self.oidc
        further = oidc.id != MAIN
        told = claims.read(
            oidc.issuer.rstrip("/"),
            documents,
            oidc.groups_claim,
            manager_claim=oidc.manager_claim,
            prefix=f"{oidc.id}: " if further else "",
            reserved=() if further else prefixes_of_others(),
        )
        return dataclasses.replace(told, vouched=oidc.vouches_for(told.email))

    def _farewell(self, id_token: str) -> dict[str, str]:
        """Return what a sign-out at the provider will need. Providers do not end a session on anybody's bare word."""
        address = self.openid_config.get("end_session_endpoint")
        if not address or len(id_token) > _ID_TOKEN_MAX:
            return {}
        return {"end_session": address, "id_token": id_token, "provider": self.oidc.id}


class Provider(OpenIDConnectProvider):  # type: ignore[misc]  # allauth ships no types
    """A provider of the settings, with our rules for the exchange."""

    oauth2_adapter_class = _Adapter


class SocialAccountAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """allauth does the exchange with the provider, and stops there."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the provider of the settings; rows in allauth's table of providers count for nothing."""
        oidc = provider_of(provider or "")
        return [application(oidc)] if oidc is not None and not client_id else []

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Provider:
        """Return the provider with our rules."""
        return Provider(request, app=self.get_app(request, provider, client_id))

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """No."""
        return False

    def pre_social_login(self, request: HttpRequest, sociallogin: Login) -> None:
        """Leave with what is known, where allauth would look for whom to sign in."""
        state, said, oidc = sociallogin.state, sociallogin.said, sociallogin.oidc
        way, kept = str(state.get("next") or ""), state.get("demand") or {}
        demand = Demand(kept.get("since", 0), tuple(kept.get("acr", ())), kept.get("user", ""))
        nonce = str(state.get("nonce", ""))
        missing = check_answers(said, nonce=nonce, demand=demand, tells_auth_time=oidc.tells_auth_time)
        if missing:
            _log.warning("Sign-in by OIDC: %s does not prove the %s that was asked for.", oidc.name, missing)
            raise Failed(SignInRefusal.NOT_PROVEN, way)
        sid, when, acr = said.get("sid"), signed_in_at(said), said.get("acr")
        if not oidc.tells_auth_time:
            when = time.time()
        raise _Came(
            Arrival(
                sociallogin.told,
                way,
                sociallogin.farewell,
                sid if isinstance(sid, str) and len(sid) <= 255 and "\x00" not in sid else "",
                when,
                acr if isinstance(acr, str) else "",
                demand,
            )
        )

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
