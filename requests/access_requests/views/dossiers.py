"""The dossier of a request: a page that prints, a file that can be checked anywhere, the keys to check it with."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from access_requests.actions.dossiers import NoKey, signed
from access_requests.models import AccessRequest, Dossier
from access_requests.queries.dossier import gather
from access_requests.views.common import find, find_in_full, page
from audit import dossiers


@page("GET", "HEAD")
def dossier(http: HttpRequest, pk: int) -> HttpResponse:
    """Show all that is known of a request; of one that is over, as it was signed."""
    access = find_in_full(http, pk)
    kept = Dossier.objects.filter(request=access).first()
    told: dict[str, Any] = {"now": timezone.now(), "access": access, "kept": kept, "signs": bool(settings.SIGNING_KEYS)}
    told["dossier"] = dossiers.read(kept.content)[0] if kept else gather(access, told["now"])
    return render(http, "portal/dossier.html", told)


@page("GET", "HEAD")
def dossier_file(http: HttpRequest, pk: int) -> HttpResponse:
    """Hand out the signed file: the one that is kept, or one of this moment."""
    access = find(http, pk)
    content = _content(access)
    if content is None:
        return render(http, "portal/no_dossier.html", {"access": access}, status=409)
    answer = HttpResponse(content, content_type="application/json; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="dossier-{access}.json"'
    return answer


def _content(access: AccessRequest) -> str | None:
    kept = Dossier.objects.filter(request=access).values_list("content", flat=True).first()
    if kept is not None:
        return str(kept)
    try:
        return signed(access, timezone.now())[0]
    except NoKey:
        return None


@require_safe
def dossier_keys(http: HttpRequest) -> HttpResponse:
    """Publish the public keys that sign dossiers, newest first. They are no secret."""
    keys = [{"id": key.id, "public_key": key.public} for key in dossiers.keys_of(settings.SIGNING_KEYS)]
    return JsonResponse({"algorithm": dossiers.ALGORITHM, "keys": keys})
