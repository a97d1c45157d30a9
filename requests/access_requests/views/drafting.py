"""A new request while it is written: for whom, what is picked, what else is asked for, and what would happen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest

from access_requests import actions, offering
from access_requests.actions.asking import Wish
from access_requests.forms import OF_FIELD, OTHER, SEGMENTS, AskForm
from access_requests.models import new_token
from access_requests.queries import visible_to
from access_requests.queries.reviews import late_of
from access_requests.views.common import me
from access_requests.views.verdicts import DryRunSaid, said
from access_requests.views.words import why_asked
from flows.decision import Problem, words_for
from flows.decision.conditions import setting

NOBODY = "You can ask for nobody with this address. Choose somebody from the list."


@dataclass(frozen=True, slots=True)
class Field:
    """One input that an access flow wants filled in, with what was written into it."""

    name: str
    label: str
    kind: str
    required: bool
    value: str
    choices: tuple[str, ...] = ()
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class Glass:
    """What breaking the glass would do, where it may be done: by which flows, and who is told, in words."""

    flows: tuple[str, ...]
    told: tuple[str, ...]
    late: str = ""


@dataclass(frozen=True)
class Draft:
    """The form as it stands: who asks for whom, what was typed, what is picked, and what would happen."""

    who: offering.Asker
    form: AskForm
    basket: offering.Basket
    run: actions.DryRun | None = None
    breaking: bool = False

    @cached_property
    def problems(self) -> list[Problem]:
        """What is in the way."""
        found = [*self.basket.problems, *(self.run.problems if self.run else ())]
        return list(dict.fromkeys(found))

    def said(self) -> DryRunSaid:
        """Return what would happen, in words."""
        errors = [str(error) for errors in self.form.errors.values() for error in errors]
        return said(self.run, self.problems, errors)

    @cached_property
    def fields(self) -> list[Field]:
        """What the flows that decide want filled in besides: a ticket, and fields of their own; each key once."""
        found: dict[str, Field] = {}
        for plan in self.run.plans if self.run else ():
            for one in _fields(plan.part.flow.document, self.typed):
                before = found.get(one.name)
                found[one.name] = one if before is None or (one.required and not before.required) else before
        return list(found.values())

    @cached_property
    def typed(self) -> dict[str, str]:
        """What was written into such inputs, by their names; also into those that are not there just now."""
        sent = self.form.data if self.form.is_bound else self.form.initial
        answers = self.form.answers() if self.form.is_bound else self.form.initial.get("answers", {})
        return {"ticket": sent.get("ticket") or "", **{f"{OF_FIELD}{key}": value for key, value in answers.items()}}

    @property
    def kept(self) -> dict[str, str]:
        """What was written into inputs that are not shown: it is sent along, so that it is not lost."""
        shown = {one.name for one in self.fields}
        return {name: value for name, value in self.typed.items() if value and name not in shown}

    @cached_property
    def glass(self) -> Glass | None:
        """What breaking the glass would do; None where no flow lets this person do it for all that is picked."""
        parts = actions.glass_of(self.run) if self.run else []
        if not parts:
            return None
        told = [
            why_asked(part.flow.document, index)
            for part in parts
            for index in range(len(part.flow.document["approval"]["groups"]))
        ]
        facts = self.run.facts if self.run else None
        late = late_of([self.who.user.pk, self.who.grantee.pk], facts.at) if facts and facts.at else None
        words = (
            f"The review of {late.request} is overdue. Until it is given, you cannot break it again." if late else ""
        )
        names = tuple(dict.fromkeys(part.flow.document["name"] for part in parts))
        return Glass(names, tuple(dict.fromkeys(filter(None, told))), words)


def _fields(document: Mapping[str, Any], typed: Mapping[str, str]) -> Iterator[Field]:
    pattern = setting(document, "ticket_pattern")
    if pattern:
        yield Field("ticket", "Ticket", "text", True, typed.get("ticket", ""), pattern=pattern)
    for one in setting(document, "fields") or ():
        name = f"{OF_FIELD}{one['key']}"
        yield Field(
            name=name,
            label=one["label"],
            kind=one.get("kind", "text"),
            required=bool(one.get("required")),
            value=typed.get(name, ""),
            choices=tuple(one.get("choices", ())),
            pattern=one.get("pattern", ""),
        )


def begun(http: HttpRequest) -> Draft:
    """Return a new draft, begun with a request that the person may see and wants again, if they name one."""
    who = offering.asker(me(http))
    text = http.GET.get("again", "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0
    before = visible_to(me(http)).select_related("grantee").filter(pk=number).first() if number else None
    if before is None:
        # The address of a search may name whom it was for.
        who, chosen, _ = _for(who, http.GET.get("whom", "")[:40], http.GET.get("grantee", "")[:254])
        return Draft(who, AskForm(initial={"token": new_token(), **chosen}), offering.Basket())
    initial: dict[str, Any] = {"token": new_token(), "justification": before.justification, "duration": ""}
    initial |= {"ticket": before.ticket, "answers": {key: str(value) for key, value in before.fields.items()}}
    if before.duration_seconds is not None:
        known = before.duration_seconds in SEGMENTS
        initial["duration"] = str(before.duration_seconds) if known else OTHER
        initial["other"] = "" if known else words_for(before.duration_seconds)
    if before.grantee_id != who.user.pk:
        who, chosen, _ = _for(who, offering.OTHER, before.grantee.email)
        initial |= chosen
    form, basket = AskForm(initial=initial), offering.fill(who, offering.picks_of(before))
    return Draft(who, form, basket, _run(who, form, basket, False))


def drafted(http: HttpRequest) -> Draft:
    """Return the draft that was sent: searched in, checked, or submitted."""
    form, who = AskForm(http.POST), offering.asker(me(http))
    form.is_valid()
    who, _, problem = _for(who, form.cleaned_data.get("whom", ""), form.cleaned_data.get("grantee", ""))
    if problem:
        form.add_error("grantee", problem)
    basket = offering.fill(who, offering.Picks(form.cleaned_data.get("picked", ())))
    breaking = http.POST.get("do") == "break"
    return Draft(who, form, basket, _run(who, form, basket, breaking), breaking)


def asker_of(http: HttpRequest) -> offering.Asker:
    """Return who searches, and for whom."""
    who, _, _ = _for(offering.asker(me(http)), http.GET.get("whom", "")[:40], http.GET.get("grantee", "")[:254])
    return who


def _for(who: offering.Asker, chosen: str, address: str) -> tuple[offering.Asker, dict[str, str], str]:
    """Return the asker on behalf of whom the form names, what it then holds, and what is wrong with that."""
    if not chosen:
        return who, {}, ""
    found = offering.find_one(who.user, who.flows, chosen, address)
    if found is None:
        return who, {}, NOBODY
    return offering.on_behalf(who, found), {"whom": chosen, "grantee": address}, ""


def wish_of(draft: Draft) -> Wish:
    """Return what a draft wishes besides entitlements."""
    form = draft.form
    given = form.cleaned_data if form.is_bound else _typed(form)
    prefix = len(OF_FIELD)
    return Wish(
        duration_seconds=given["duration"],
        justification=given["justification"],
        break_glass=draft.breaking,
        ticket=draft.typed["ticket"],
        answers={name[prefix:]: value for name, value in draft.typed.items() if name.startswith(OF_FIELD)},
    )


def _run(who: offering.Asker, form: AskForm, basket: offering.Basket, breaking: bool) -> actions.DryRun | None:
    """Return what would happen; None when nothing is picked or the form makes no sense."""
    if not basket.pairs or (form.is_bound and not form.is_valid()):
        return None
    wish = wish_of(Draft(who, form, basket, None, breaking))
    return actions.dry_run(who.user, basket.pairs, grantee=who.grantee, wish=wish)


def _typed(form: AskForm) -> Mapping[str, Any]:
    """Return what a form that was begun for the person holds."""
    known = (*form.fields,)
    again = AskForm({name: value for name, value in form.initial.items() if value is not None and name in known})
    again.is_valid()
    return {"duration": again.cleaned_data.get("duration"), "justification": form.initial.get("justification", "")}


def unsure(draft: Draft) -> Sequence[Problem]:
    """Return what is missing of a break-glass: that the person said they mean it."""
    if not draft.breaking or draft.form.cleaned_data.get("sure"):
        return ()
    return (Problem("NOT_SURE", "Tick that it is an emergency, then break the glass.", field="break_glass"),)
