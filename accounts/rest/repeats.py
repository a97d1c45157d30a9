"""The same POST twice does its work once: `Idempotency-Key: <anything of one's own>`.

The key, what was done and the answer are one transaction: whoever dies between leaves nothing behind, and the repeat
does it; after the commit the repeat gets the kept answer. Only successes are kept, for a refusal has changed nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.encoders import JSONEncoder

from accounts.actions.clients import ANSWERS_KEPT
from accounts.models import ApiToken, IdempotentAnswer
from accounts.rest.authentication import token_of
from accounts.rest.errors import Conflict, Unprocessable

_KEY_MAX = 255
Handler = Callable[..., Response]


def once(key: str, handler: Handler, *, secret: bool) -> Handler:
    """Return a handler that does what `handler` does, or answers as it did before for this token and key.

    `secret`: the answer shows something that is never kept, so that a repeat is told that it is done, but not shown it.
    """
    if not key.isascii() or not key.isprintable() or len(key) > _KEY_MAX:
        raise ParseError(f"An Idempotency-Key has at most {_KEY_MAX} printable ASCII characters.")

    def handle(request: Request, *args: Any, **kwargs: Any) -> Response:
        digest = _digest(request)
        with transaction.atomic():
            row = _begin(token_of(request), key, digest)
            if row.status:
                return _again(row, digest)
            response = handler(request, *args, **kwargs)
            if response.status_code >= 400:
                transaction.set_rollback(True)
                return response
            row.status = response.status_code
            row.body = "" if secret else json.dumps(response.data, cls=JSONEncoder)
            row.save(update_fields=["status", "body"])
        return response

    return handle


def _begin(token: ApiToken, key: str, digest: str) -> IdempotentAnswer:
    """Return the row of the key: a new one, or that of who was first; a second one at the same time waits here."""
    now = timezone.now()
    IdempotentAnswer.objects.filter(token=token, key=key, created_at__lt=now - ANSWERS_KEPT).delete()
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(token=token, key=key, digest=digest, created_at=now)
    except IntegrityError:
        return IdempotentAnswer.objects.get(token=token, key=key)


def _again(row: IdempotentAnswer, digest: str) -> Response:
    if row.digest != digest:
        raise Unprocessable("This Idempotency-Key was used for another request.", code="key_reused")
    if not row.body:
        raise Conflict("This was done already; what it answered is shown only once.", code="already_done")
    return Response(json.loads(row.body), status=row.status, headers={"Idempotency-Replayed": "true"})


def _digest(request: Request) -> str:
    """Return the digest of method, address and what the body says."""
    said = json.dumps(request.data, sort_keys=True, cls=JSONEncoder)
    return hashlib.sha256("\n".join([str(request.method), request.get_full_path(), said]).encode()).hexdigest()
