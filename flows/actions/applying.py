"""Policy as text, applied: everything in one transaction, or nothing."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.actions import NotAllowed
from audit.actions import Subject, record
from audit.actor import Actor
from flows import document as documents
from flows.actions.bundles import define_bundle, delete_bundle
from flows.actions.flows import define, delete, set_active
from flows.actions.rules import BadFlow, NeedsSecondAdmin, Overtaken, StillNeeded
from flows.actions.scopes import define_scope, delete_scope
from flows.actions.spaces import delete_space
from flows.actions.webhooks import define_webhook, delete_webhook
from flows.findings import Finding
from flows.models import AccessFlow, AccessScope, AppliedPolicy, Bundle, Webhook
from flows.text.changes import NOUNS, Change, between, summary
from flows.text.folder import File, Folder
from flows.text.forms import Form, Names, flow_columns, flow_document, targets_of_form, webhook_columns
from flows.text.nodes import canonical
from flows.text.present import Key, Present, present
from flows.text.problems import BadText, Problem
from flows.text.spaces import grown, write_space

# The key of a file that a finding's part is written under.
_KEYS = {
    **{"who": "requestors", "for": "request_for", "what": "targets", "approvers": "approval", "time": "duration"},
    **{"rules": "settings", "timeout_seconds": "timeout"},
}
# Names in an audit entry, of each kind of change; further ones are counted.
_NAMED = 200
ENVIRONMENT = "LATCHKEY_WEBHOOK_SECRET_"


@dataclass(frozen=True)
class Outcome:
    """What was done."""

    changes: list[Change]
    # How many things were already as the text says, and belong to it from now on.
    adopted: int


def apply_policy(
    folder: Folder,
    *,
    actor: Actor,
    prune: bool = False,
    at: datetime | None = None,
    expected: Callable[[list[Change]], bool] = lambda _: True,
) -> Outcome:
    """Make policy what the folder says (flows.text.folder.read_folder), in one transaction; twice changes nothing more.

    Raises BadText with everything that is refused, by file and line; nothing has changed then. With `prune` what has
    no file is deleted. `expected` looks at the changes before they are kept, and may say no.
    """
    moment = at or timezone.now()
    with transaction.atomic():
        _hold_still()
        before = present()
        work = _Work(folder, before, actor, moment)
        work.write()
        if prune:
            work.prune()
        after = present()
        work.refuse_others(after)
        changes = between(before, after, {key: file.book.file for key, file in folder.files.items()})
        if not expected(changes):
            raise BadText([Problem("", 0, 0, "Policy was changed since it was planned: plan it again.")])
        adopted = _remember(folder, after, moment)
        if changes or adopted:
            _record(changes, adopted, actor, moment)
    return Outcome(changes, adopted)


def _hold_still() -> None:
    """Lock all policy in the order in which it is written: nothing changes between what is read and what is saved."""
    for model in (Webhook, AccessScope, Bundle, AccessFlow):
        list(model.objects.select_for_update(of=("self",)).order_by("pk").values_list("pk"))


@dataclass
class _Work:
    """Writing and deleting, kind by kind."""

    folder: Folder
    before: Present
    actor: Actor
    at: datetime
    problems: list[Problem] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Begin with the names there are; each thing that is made adds its own."""
        old = self.before.names
        self.names = Names(old.integrations, dict(old.webhooks), dict(old.bundles), dict(old.scopes), dict(old.spaces))

    def write(self) -> None:
        """Write what differs. What refers comes after what it refers to; the first kind that is refused is the last."""
        ways = {"webhook": self._webhook, "scope": self._scope, "space": self._space, "own scope": self._scope}
        for kind, way in (ways | {"bundle": self._bundle, "flow": self._flow}).items():
            for key in sorted(key for key in self.folder.forms if _turn(key, self.folder.forms) == kind):
                form = self.folder.forms[key]
                if canonical(form) != canonical(self.before.forms.get(key)):
                    self._try(self.folder.files[key], way, form, self.row(key))
            self._stop()

    def row(self, key: Key) -> Any:
        """Return the row of a thing that is there."""
        return self.before.rows.get(key)

    def prune(self) -> None:
        """Delete what has no file; what refers goes before what it refers to."""
        if not self.folder.forms:
            raise BadText([Problem("", 0, 0, "The folder holds no policy: everything would be deleted.")])
        ways: dict[str, Callable[..., None]] = {
            **{"flow": delete, "bundle": delete_bundle, "own scope": delete_scope},
            **{"space": delete_space, "scope": delete_scope, "webhook": delete_webhook},
        }
        for kind, way in ways.items():
            gone = [
                key
                for key in self.before.forms
                if _turn(key, self.before.forms) == kind and key not in self.folder.forms
            ]
            for key in sorted(gone):
                try:
                    way(self.row(key), actor=self.actor, at=self.at)
                except (StillNeeded, NotAllowed) as error:
                    self.problems.append(Problem(f"{NOUNS[key[0]]} {key[1]} (without a file)", 0, 0, str(error)))
            self._stop()

    def refuse_others(self, after: Present) -> None:
        """Raise BadText if something says otherwise than its file, once it is saved: it would be saved for ever."""
        for key, form in self.folder.forms.items():
            if canonical(form) != canonical(after.forms.get(key)):
                file = self.folder.files[key]
                self.problems.append(file.book.problem((), "This cannot be kept as it is written here."))
        self._stop()

    def _try(self, file: File, way: Callable[[Form, Any], None], form: Form, row: Any) -> None:
        try:
            way(form, row)
        except BadFlow as error:
            for finding in error.findings:
                self.problems.append(file.book.problem((_KEYS.get(finding.part, finding.part),), finding.text))
        except (Overtaken, NotAllowed, NeedsSecondAdmin) as error:
            self.problems.append(file.book.problem((), str(error)))
        except IntegrityError:
            told = "Somebody wrote this meanwhile, or the database refuses it: plan it again."
            self.problems.append(file.book.problem((), told))

    def _stop(self) -> None:
        if self.problems:
            raise BadText(self.problems)

    def _webhook(self, form: Form, row: Any) -> None:
        secrets = {name: self._secret(form, name, row) for name in form["secrets"]}
        told = {"secrets": secrets, "webhook": row, "actor": self.actor, "at": self.at}
        saved = define_webhook(webhook_columns(form), **told)
        self._named(self.names.webhooks, saved.pk, saved.name)

    def _secret(self, form: Form, name: str, row: Any) -> str | None:
        """Return a secret from the environment if there is none yet, or if it was meant for another address."""
        kept = row is not None and row.secrets.filter(field=name).exists()
        same = (
            kept
            and row.url == form["url"]
            and (row.oauth or {}).get("token_url") == (form["oauth"] or {}).get("token_url")
        )
        variable = secret_variable(form["name"], name)
        value = os.environ.get(variable)
        if not kept and not value:
            told = f"The secret {name} is not kept here yet: set the environment variable {variable}."
            raise BadFlow([Finding("secrets", told)])
        return None if same else value

    def _scope(self, form: Form, row: Any) -> None:
        told = {"description": form["description"], "scope": row, "space": self.names.space(form["space"])}
        saved = define_scope(form["name"], form["query"], actor=self.actor, at=self.at, **told)
        self._named(self.names.scopes, saved.pk, documents.compose_scope(saved))

    def _space(self, form: Form, row: Any) -> None:
        saved = write_space(form, row, actor=self.actor, at=self.at)
        self._named(self.names.spaces, saved.pk, saved.name)

    def _bundle(self, form: Form, row: Any) -> None:
        targets = targets_of_form(form["targets"], self.names)
        told = {"description": form["description"], "bundle": row, "space": self.names.space(form["space"])}
        saved = define_bundle(form["name"], targets, actor=self.actor, at=self.at, **told)
        self._named(self.names.bundles, saved.pk, documents.compose_bundle(saved))

    def _flow(self, form: Form, row: Any) -> None:
        old = self.before.forms.get(("flow", form["name"]))
        if old is not None and canonical(old | {"active": form["active"]}) == canonical(form):
            set_active(row, form["active"], actor=self.actor, at=self.at)
            return
        document = flow_document(form, self.names, str(row.pk) if row else "")
        columns = flow_columns(form) | {"space": self.names.space(form["space"])}
        define(columns, document, flow=row, actor=self.actor, at=self.at)

    @staticmethod
    def _named(names: Mapping[str, Any], pk: Any, told: Any) -> None:
        """Let what comes later name what was made."""
        assert isinstance(names, dict)
        names[str(pk)] = told


def _turn(key: Key, forms: Mapping[Key, Form]) -> str:
    """Return when a thing is written: a scope that lies in a space after the space, which other scopes bound."""
    return "own scope" if key[0] == "scope" and forms[key]["space"] else key[0]


def secret_variable(webhook: str, name: str) -> str:
    """Return the environment variable that a webhook's secret is read from."""
    return ENVIRONMENT + re.sub(r"[^A-Z0-9]+", "_", f"{webhook}_{name}".upper()).strip("_")


def _remember(folder: Folder, after: Present, at: datetime) -> int:
    """Keep what was applied last, of each thing; returns how many were not known as applied, or otherwise."""
    known = {(one.kind, one.name): one for one in AppliedPolicy.objects.all()}
    fresh, changed = [], []
    for key in folder.forms:
        form, row = after.forms[key], known.get(key)
        if row is None:
            fresh.append(AppliedPolicy(kind=key[0], name=key[1], form=form, applied_at=at))
        elif canonical(grown(key[0], row.form)) != canonical(form):
            row.form, row.applied_at = form, at
            changed.append(row)
    AppliedPolicy.objects.bulk_create(fresh, batch_size=200)
    AppliedPolicy.objects.bulk_update(changed, ["form", "applied_at"], batch_size=200)
    gone = [row.pk for key, row in known.items() if key not in after.forms]
    AppliedPolicy.objects.filter(pk__in=gone).delete()
    return len(fresh) + len(changed)


def _record(changes: list[Change], adopted: int, actor: Actor, at: datetime) -> None:
    told = {verb: list(_some(names)) for verb, names in summary(changes).items()}
    record(
        "policy.applied", actor=actor, subject=Subject("policy", "", "Policy"), details=told | {"kept": adopted}, at=at
    )


def _some(names: list[str]) -> Iterator[str]:
    yield from names[:_NAMED]
    if len(names) > _NAMED:
        yield f"and {len(names) - _NAMED:,} more"
