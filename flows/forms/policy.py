"""The form of a flow: its own columns, its window, and rows for everything of which there may be many."""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy
from functools import cached_property
from typing import Any

from django.http import QueryDict

from flows.choices import Party
from flows.decision import Document
from flows.document import assemble, compose_space, conditions_of
from flows.findings import APPROVERS, FOR, RULES, TIME, WHAT, WHO, Finding, refusals
from flows.forms.asked import AskedForm
from flows.forms.columns import BESIDE, PARTS, FlowForm
from flows.forms.conditions import ConditionForm, GroupForm, Offered
from flows.forms.folds import opens, sums
from flows.forms.naming import refuse_unknown
from flows.forms.places import ANYWHERE, Places, choose_place, place_chosen
from flows.forms.rows import Rows, hush
from flows.forms.shelf import Shelf
from flows.forms.targets import TargetForm, chosen_integrations, row_of
from flows.forms.window import WindowForm
from flows.models import AccessFlow

_EMPTY: dict[str, list[dict[str, Any]]] = {
    "requestors": [{}],
    "grantees": [{}],
    "targets": [{}],
    "approvers": [{}],
    "fields": [],
}


class PolicyForm:
    """The whole page: everything that a flow's document holds."""

    def __init__(
        self,
        flow: AccessFlow | None = None,
        data: QueryDict | None = None,
        *,
        zone: str = "",
        places: Places = ANYWHERE,
    ) -> None:
        """Show `flow`, or what was sent; checking never changes the flow that is given. Raises rows.BadRows.

        `zone` is the writer's own time zone, `places` where they may write.
        """
        before = flow.current.document if flow and flow.current else None
        self.before, self.data = before, data
        rows = rows_of(before) if before else _EMPTY
        known = before or {}
        offered = Offered.now(conditions_of(before) if before else [])
        checks = known.get("checks") or ()
        # A copy: checking a model form writes into its row.
        self.flow = FlowForm(data, instance=copy(flow), webhooks=offered.webhooks, checks=checks)
        choose_place(self.flow, places, flow)
        self.window = WindowForm(data, known.get("timeframe"), zone=zone)
        asking, getting = ({"offered": offered, "party": party} for party in (Party.REQUESTOR, Party.GRANTEE))
        self.requestors = Rows(ConditionForm, "requestors", data, rows["requestors"], **asking)
        self.grantees = Rows(ConditionForm, "grantees", data, rows["grantees"], **getting)
        self.shelf = Shelf(chosen_integrations(data, rows["targets"]))
        self.targets = Rows(TargetForm, "targets", data, rows["targets"], shelf=self.shelf)
        self.approvers = Rows(GroupForm, "approvers", data, rows["approvers"], offered=offered)
        self.fields = Rows(AskedForm, "fields", data, rows["fields"])
        self.findings: list[Finding] = []

    @property
    def lists(self) -> tuple[Rows, ...]:
        """Return the lists of the page, in its order."""
        return (self.requestors, self.grantees, self.targets, self.approvers, self.fields)

    @cached_property
    def sums(self) -> dict[str, str]:
        """Return each fold of the page in a few words."""
        return sums(self.flow, self.window, self.fields)

    @cached_property
    def opens(self) -> dict[str, bool]:
        """Return which folds stand open: those that say something, or have a mistake in them."""
        return opens(self.flow, self.window, self.fields)

    @property
    def says_others(self) -> bool:
        """Whether there is a condition on others, right or wrong."""
        return any(row["type"].value() for row in self.grantees)

    @property
    def says_approvers(self) -> bool:
        """Whether an approver group says something, right or wrong."""
        return any(row["type"].value() for group in self.approvers for row in group.conditions)

    def is_valid(self) -> bool:
        """Check everything, so that every problem shows at once."""
        parts: tuple[FlowForm | WindowForm | Rows, ...] = (self.flow, self.window, *self.lists)
        valid = not [part for part in parts if not part.is_valid()]
        rows = [*self.requestors.kept(), *self.grantees.kept()]
        rows += [row for group in self.approvers for row in group.conditions.kept()]
        refuse_unknown(rows, _known(self.before))
        return valid and all(row.is_valid() for row in rows)

    def quiet(self) -> None:
        """Show no errors: the policy is still being written."""
        hush(self.flow)
        hush(self.window)
        for row in (row for rows in self.lists for row in rows):
            row.quiet()

    def columns(self) -> dict[str, Any]:
        """Return the flow's own columns."""
        found = {name: value for name, value in self.flow.cleaned_data.items() if name not in BESIDE}
        return found | self._columns_of_rows()

    def _columns_of_rows(self) -> dict[str, Any]:
        """Return the columns that rows make: fields, and the interval, which means nothing without a second step."""
        later = any(group["tier"] for group in self._groups())
        every = self.flow.cleaned_data.get("escalation_minutes") if later else None
        return {"fields": [row.told() for row in self.fields.kept()], "escalation_minutes": every}

    def document(self) -> Document:
        """Return everything else as flows.actions.define takes it."""
        return {
            "requestors": {"conditions": [row.told() for row in self.requestors.kept()]},
            "request_for": {"grantees": {"conditions": [row.told() for row in self.grantees.kept()]}},
            "targets": [row.told() for row in self.targets.kept()],
            "approval": {"groups": self._groups()},
            "timeframe": self.window.told(),
            "checks": self.flow.cleaned_data.get("checks", []),
        }

    def _groups(self) -> list[dict[str, Any]]:
        """Return the approver groups that say something, by their steps, which are numbered without a gap."""
        told = [group.told() for group in self.approvers if group.is_valid() or group.conditions.kept()]
        kept = sorted((group for group in told if group["conditions"]), key=lambda group: int(group["tier"]))
        later = sorted({group["tier"] for group in kept} - {0})
        return [group | {"tier": later.index(group["tier"]) + 1 if group["tier"] else 0} for group in kept]

    def draft(self) -> Document:
        """Return what would be saved, as far as it can be read: what is wrong or missing is left out."""
        if self.data is None:
            return self.before or assemble(self.flow.instance, [], [], [])
        for part in (self.flow, self.window):
            part.is_valid()
        row = self.flow.instance
        space = place_chosen(self.flow, row)
        for name, value in self._columns_of_rows().items():
            setattr(row, name, value)
        return assemble(
            row,
            [one.told() for one in self.requestors.kept()],
            [shown for one in self.targets.kept() if (shown := one.shown()) is not None],
            self._groups(),
            grantees=[one.told() for one in self.grantees.kept()],
            timeframe=self.window.told(),
            checks=self.flow.cleaned_data.get("checks", ()),
            space=compose_space(space) if space else None,
        )

    def look_further(self) -> None:
        """Find what policy refuses in the sections whose fields are right, so that a person hears it at once."""
        rows = {WHO: self.requestors, FOR: self.grantees, WHAT: self.targets, APPROVERS: self.approvers}
        rows |= {RULES: self.fields}
        wrong = {part for part, one in rows.items() if not all(row.is_valid() for row in one)}
        wrong |= {PARTS.get(name, "") for name in self.flow.errors} | ({TIME} if self.window.errors else set())
        self.add_findings(one for one in refusals(self.draft()) if one.part not in wrong)

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Show why the policy as a whole is refused."""
        self.findings.extend(findings)


def _known(document: Document | None) -> set[tuple[str, str]]:
    """Return the values that the flow in force names: who left since may stay named."""
    return {(one["type"], value) for one in (conditions_of(document) if document else ()) for value in one["values"]}


def rows_of(document: Document) -> dict[str, list[dict[str, Any]]]:
    """Return a flow's document as the rows of the form: the reverse of PolicyForm.document."""
    grantees = (document.get("request_for") or {}).get("grantees") or {"conditions": []}
    return {
        "requestors": [dict(one) for one in document["requestors"]["conditions"]],
        "grantees": [dict(one) for one in grantees["conditions"]] or [{}],
        "targets": [row_of(target) for target in document["targets"]],
        "approvers": [
            {
                "tier": group.get("tier", 0),
                "operator": group["operator"],
                "conditions": [dict(one) for one in group["conditions"]],
            }
            for group in document["approval"]["groups"]
        ],
        "fields": [{"code": one["key"], **one} for one in document["settings"].get("fields") or ()],
    }
