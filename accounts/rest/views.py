"""What every endpoint begins with."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse
from django.middleware.http import ConditionalGetMiddleware
from django.utils.decorators import decorator_from_middleware
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.rest import errors, repeats
from accounts.rest.limits import Left
from accounts.rest.parsing import storable
from accounts.rest.permissions import Scopes

_conditional = decorator_from_middleware(ConditionalGetMiddleware)


class Endpoint(APIView):
    """One address of the API. `scopes` names, method by method, which tokens it is open to.

    Every GET has an ETag and answers 304 to If-None-Match, every POST heeds an Idempotency-Key.
    """

    scopes: ClassVar[Scopes] = {}
    # Whether answers show a secret: then nothing on the way keeps them, and neither do we.
    secret: ClassVar[bool] = False

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view."""
        return _conditional(super().as_view(**initkwargs))

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in who may, and refuse what no database could look for."""
        super().initial(request, *args, **kwargs)
        told = [
            *kwargs.values(),
            *(each for name in request.query_params for each in request.query_params.getlist(name)),
        ]
        if not all(storable(str(each)) for each in (*told, *request.query_params)):
            raise ParseError("The address has a NUL character or half a surrogate pair.")
        key, handler = request.headers.get("Idempotency-Key"), getattr(self, "post", None)
        if key is not None and handler is not None and request.method == "POST":
            # The framework looks the handler up on this instance, which serves this one request.
            self.__dict__["post"] = repeats.once(key, handler, secret=self.secret)

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        """Say what is left of the limit, and that nobody but the caller keeps the answer."""
        response = super().finalize_response(request, response, *args, **kwargs)
        left = request._request.META.get("latchkey.limit") if isinstance(request, Request) else None
        if isinstance(left, Left):
            for name, value in left.headers.items():
                response[name] = value
        response["Cache-Control"] = "no-store" if self.secret or response.status_code >= 400 else "private, no-cache"
        if response.status_code >= 400:
            response.content_type = errors.MEDIA_TYPE
        return response


def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer for every address under /api/ that there is not."""
    return errors.plain(404, "not_found", "There is no such address in this API.")


unknown.csrf_exempt = True  # type: ignore[attr-defined]
