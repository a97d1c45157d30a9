"""Every saved version of a flow, a bundle or a scope: compared with any other, and restored."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from flows import actions
from flows.actions.restoring import moved_on, restored
from flows.admin import effects, frame, proposing
from flows.admin.frame import actor_of, need
from flows.choices import PolicyKind
from flows.differences import changes, targets_differ
from flows.document import bundle_of, compose_bundle, compose_scope, digest, names_in
from flows.models import AccessFlow, AccessScope, Bundle, Revision
from flows.sentence import target_words
from flows.whatif import Change, of_bundle, of_flow, of_scope
from integrations.aql.comparing import lines_between

VERSIONS_A_PAGE = 20


@dataclass(frozen=True)
class History:
    """The versions of one thing, and how it is restored. `versions` have number, document, created_at, created_by."""

    model: type[Model]
    row: Any
    kind: PolicyKind
    verb: str
    versions: Any
    current: int
    # What the writer has read, as the action takes it.
    after: str
    differences: Callable[[Any, Any], list[str]]
    says: Callable[[Any], str]
    change: Callable[[Any], Change]
    restore: Callable[..., Any]
    moved_on: Callable[[Any], list[str]] = lambda document: []

    @property
    def address(self) -> str:
        """The beginning of the names of its pages."""
        return f"admin:flows_{self.model._meta.model_name}"

    @property
    def permission(self) -> str:
        """What it takes to restore."""
        return f"flows.change_{self.model._meta.model_name}"

    def version(self, number: str) -> Any:
        """Return a version by its number. Raises Http404."""
        known = number.isascii() and number.isdecimal() and len(number) < 9
        found = self.versions.filter(number=int(number)).first() if known else None
        if found is None:
            raise Http404
        return found


def of_access_flow(flow: AccessFlow) -> History:
    """Return the history of a flow."""
    number = flow.current.number if flow.current else 0
    return History(
        AccessFlow, flow, PolicyKind.FLOW, "restore",
        flow.versions.select_related("created_by").order_by("-number"), number, str(number),
        lambda before, after: changes(before, after, names_in(one for one in (before, after) if one)),
        lambda version: version.sentence,
        lambda document: of_flow(flow, restored(flow, document)),
        lambda number, **told: actions.restore(flow, number, after=flow.current.number if flow.current else 0, **told),
        lambda document: moved_on(flow, document),
    )  # fmt: skip


def of_a_bundle(bundle: Bundle) -> History:
    """Return the history of a bundle."""
    now = compose_bundle(bundle)
    return History(
        Bundle, bundle, PolicyKind.BUNDLE, "restore_bundle", *_revisions(PolicyKind.BUNDLE, bundle), digest(now),
        lambda before, after: _named(before, after, _targets),
        _bundle_says,
        lambda document: of_bundle(bundle, bundle_of(str(bundle.pk), document["name"], document["targets"])),
        lambda number, **told: actions.restore_bundle(bundle, number, after=digest(now), **told),
    )  # fmt: skip


def of_a_scope(scope: AccessScope) -> History:
    """Return the history of an access scope."""
    now = compose_scope(scope)
    return History(
        AccessScope, scope, PolicyKind.SCOPE, "restore_scope", *_revisions(PolicyKind.SCOPE, scope), digest(now),
        lambda before, after: _named(before, after, _query),
        lambda version: str(version.document["query"]),
        lambda document: of_scope(scope, document["query"], document["name"]),
        lambda number, **told: actions.restore_scope(scope, number, after=digest(now), **told),
    )  # fmt: skip


def _bundle_says(version: Any) -> str:
    names = names_in([version.document])
    return "; ".join(target_words(one, names) for one in version.document["targets"])


def _revisions(kind: PolicyKind, row: Any) -> tuple[Any, int]:
    rows = Revision.objects.filter(kind=kind, subject=row.pk).select_related("created_by").order_by("-number")
    last = rows.first()
    return rows, last.number if last else 0


def _named(before: Any, after: Any, more: Callable[[Any, Any], Iterator[str]]) -> list[str]:
    """Return what two documents of a bundle or scope say otherwise, in lines."""
    if before is None:
        return []
    found = [f"Name: “{after['name']}” instead of “{before['name']}”."] if before["name"] != after["name"] else []
    if before.get("description", "") != after.get("description", ""):
        found.append("Another description.")
    return [*found, *more(before, after)]


def _targets(before: Any, after: Any) -> Iterator[str]:
    yield from targets_differ(before["targets"], after["targets"], names_in([before, after]))


def _query(before: Any, after: Any) -> Iterator[str]:
    for line in lines_between(before["query"], after["query"]):
        if line.gone or line.new:
            yield f"Query: {'added' if line.new else 'removed'} “{line.text}”."


def versions_page(request: HttpRequest, of: History) -> HttpResponse:
    """Show every version: what it says, who saved it, what it changed."""
    chosen = Paginator(of.versions, VERSIONS_A_PAGE).get_page(request.GET.get("page"))
    shown = list(chosen)
    # One more, for the oldest on the page to be compared with.
    more = of.versions.filter(number=shown[-1].number - 1) if shown else ()
    before = {one.number: one.document for one in [*shown, *more]}
    rows = [(one, of.differences(before.get(one.number - 1), one.document), of.says(one)) for one in shown]
    return _page(request, of, "versions.html", f"Versions of {of.row.name}", rows=rows, chosen=chosen)


def compare_page(request: HttpRequest, of: History) -> HttpResponse:
    """Show what one version says otherwise than another: in lines that a person reads, and as documents."""
    last = str(of.current)
    old, new = (of.version(request.GET.get(name, last)) for name in ("old", "new"))
    one, other = (json.dumps(each.document, indent=2, ensure_ascii=False, sort_keys=True) for each in (old, new))
    names = f"version {old.number}", f"version {new.number}"
    lines = difflib.unified_diff(one.splitlines(), other.splitlines(), *names, lineterm="")
    told = {"old": old, "new": new, "lines": of.differences(old.document, new.document), "code": "\n".join(lines)}
    return _page(request, of, "compare.html", f"Versions {old.number} and {new.number} of {of.row.name}", **told)


def restore_page(request: HttpRequest, of: History, number: str) -> HttpResponse:
    """Ask, with what changes, then make an earlier version the next one; or propose to, where that takes two."""
    need(request, of.permission, of.row)
    version = of.version(number)
    told: dict[str, Any] = {"refused": [], "needs": None}
    if request.method == "POST":
        done = _restore(request, of, version.number, told)
        if done is not None:
            return done
    change = of.change(version.document)
    current = of.versions.filter(number=of.current).first()
    return _page(
        request, of, "restore.html", f"Restore version {version.number} of {of.row.name}",
        version=version, says=of.says(version), moved=of.moved_on(version.document),
        lines=of.differences(current.document if current else None, version.document),
        effect=effects.whole(change), status=409 if told["refused"] or told["needs"] else 200, **told,
    )  # fmt: skip


def _restore(request: HttpRequest, of: History, number: int, told: dict[str, Any]) -> HttpResponse | None:
    """Restore, or propose to; None where that was refused, and `told` says why."""
    try:
        if request.POST.get("propose"):
            what = {"number": number}
            wanted = actions.Wanted(of.verb, of.kind, of.row.name, what, of.row.pk, of.after)
            return proposing.propose(request, wanted, lambda found: told["refused"].extend(one.text for one in found))
        if request.POST.get("after") != of.after:
            raise actions.Overtaken("Somebody saved this meanwhile: look at it again.")
        of.restore(number, actor=actor_of(request))
    except actions.BadFlow as problem:
        told["refused"] = problem.problems
    except actions.Overtaken as problem:
        told["refused"] = [str(problem)]
    except actions.NeedsSecondAdmin as needs:
        told["needs"] = needs
    else:
        messages.success(request, f"Version {number} is in force again, as a new version.")
        return HttpResponseRedirect(reverse(f"{of.address}_history", args=[of.row.pk]))
    return None


def _page(request: HttpRequest, of: History, template: str, title: str, **told: Any) -> HttpResponse:
    addresses = {name: f"{of.address}_{name}" for name in ("change", "history", "compare", "restore")}
    return frame.page(request, of.model, template, title, row=of.row, of=of, addresses=addresses, **told)
