"""The CSV of activity: 24 fields with the names other systems know, then ours, in one order, safe for spreadsheets."""

from __future__ import annotations

import gc
import re
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access_requests import actions
from access_requests.choices import RequestState, UnitState, outcome_of
from access_requests.models import AccessRequest, AccessUnit, Approval, Extension
from access_requests.reports import fields, rows, sheets
from audit.models import AuditEntry
from tests.portal import making as portal
from tests.portal.conftest import SignIn, Stage
from tests.reports.making import fetch, table

# As other systems have them, word for word.
EXPECTED = [
    *("request_id", "request_date", "request_grant_date", "request_revoke_date", "requestor_name", "requestor_email"),
    *("grantee_name", "grantee_id", "grantee_type", "integration", "resources", "resource_type", "permissions"),
    *("approver_names", "approver_emails", "approver_types", "justification", "status", "approver_reason"),
    *("resources_status", "trigger_type", "access_flow", "bundle_name", "extension_count"),
]
# Behind them, so that nobody's columns move.
OURS = ["ticket", "custom_fields", "break_glass", "ended_how"]
AT = datetime(2026, 11, 22, 2, 30, 15, 123456, tzinfo=UTC)
GOLDEN = Path(__file__).with_name("activity.golden.csv")


def whole(selected: Any, columns: Any = fields.NAMES) -> str:
    return b"".join(sheets.pieces(sheets.ActivitySheet(selected, columns))).decode()


def test_there_are_the_24_fields_in_their_order_and_then_ours() -> None:
    assert list(fields.NAMES) == [*EXPECTED, *OURS]
    assert len(EXPECTED) == 24


def test_a_request_is_written_as_in_the_golden_file(stage: Stage) -> None:
    access = stage.ask("orders", "ledger", why='=1+1, says "INC"')
    portal.active(portal.approved(access, stage.cast.approver, "Fine."), at=AT + timedelta(minutes=1))
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=AT)
    access.refresh_from_db()
    for number in (1, 2):
        Extension.objects.create(
            **{"request": access, "number": number, "requested_by": stage.cast.requester, "seconds": 60},
            **{"flow_version": access.flow_version, "state": "approved", "decided_at": AT},
            **{"old_end": AT, "new_end": AT + timedelta(seconds=60)},
        )
    refused = {"state": "rejected", "decided_at": AT, "flow_version": access.flow_version}
    Extension.objects.create(request=access, number=3, requested_by=stage.cast.requester, seconds=60, **refused)
    portal.ended(access, due_at=AT + timedelta(minutes=61), lag=2.0)
    found = whole(AccessRequest.objects.all())
    golden = GOLDEN.read_text().replace("{request}", str(access.pk)).replace("{grantee}", str(stage.cast.requester.pk))
    assert found == golden.replace("\n", "\r\n")


def test_every_state_has_its_public_word(stage: Stage) -> None:
    words = {}
    for state in RequestState:
        access = stage.ask()
        kept: dict[str, Any] = {"state": state, "activated_at": AT, "ends_at": AT, "due_at": AT}
        kept |= {"ended_how": "proven", "ended_at": AT} if state == RequestState.REVOKED else {}
        AccessRequest.objects.filter(pk=access.pk).update(**kept)
        words[str(access.pk)] = state
    expected = {
        **dict.fromkeys(["initializing", "pending_mfa", "pending"], "PENDING"),
        **dict.fromkeys(["approved", "granting"], "APPROVED"),
        **dict.fromkeys(["revoked", "cancelled", "lapsed"], "EXPIRED"),
        **{"active": "GRANTED", "revoking": "REVOKING", "failed": "FAILED", "rejected": "REJECTED"},
    }
    lines = table(whole(AccessRequest.objects.all()))
    assert {words[line["request_id"]]: line["status"] for line in lines} == expected
    assert {words[line["request_id"]] for line in lines if line["request_revoke_date"]} == {"revoked"}


def test_a_request_nobody_was_asked_about_says_so(stage: Stage) -> None:
    portal.flow(stage.integration, stage.cast.requester, name="Free", permissions=("ADMIN",))
    portal.ask(stage.cast.requester, "orders", permission="ADMIN")
    stage.ask()
    free, asked = sorted(table(whole(AccessRequest.objects.all())), key=lambda line: int(line["request_id"]))
    assert (free["approver_types"], free["approver_names"], free["status"]) == ("automatic", "", "APPROVED")
    assert (asked["approver_types"], asked["approver_names"], asked["status"]) == ("", "", "PENDING")


@pytest.mark.parametrize(
    ("states", "word"),
    [([], "Success"), (["active"], "Success"), (["failed", "active"], "Warning"), (["failed", "failed"], "Failure")],
)
def test_a_group_fares_as_its_units(states: list[str], word: str) -> None:
    assert outcome_of(states) == word


def test_groups_tell_one_after_the_other_how_they_fared(stage: Stage) -> None:
    access = stage.ask("orders", "ledger")
    AccessUnit.objects.filter(group__request=access, resource_path="orders").update(state=UnitState.FAILED)
    (line,) = table(whole(AccessRequest.objects.all()))
    assert line["resources_status"] == "Warning"


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r"])
def test_no_cell_is_a_formula_wherever_the_text_comes_from(stage: Stage, begin: str) -> None:
    nasty = f'{begin}HYPERLINK("http://x")'
    stage.ask()
    AccessRequest.objects.update(justification=nasty)
    AccessUnit.objects.update(resource_path=nasty, permission_name=nasty, resource_type=nasty)
    Approval.objects.update(status="approved", decided_at=AT, reason=nasty)
    type(stage.cast.requester).objects.filter(pk=stage.cast.requester.pk).update(name=nasty)
    text = whole(AccessRequest.objects.all())
    assert text.count("HYPERLINK") == 7
    assert re.findall(r'(?:^|,)"[=+\-@\t\r]', text, flags=re.MULTILINE) == []


def test_only_the_columns_that_were_chosen_are_written(stage: Stage) -> None:
    stage.ask()
    assert whole(AccessRequest.objects.all(), ["status", "grantee_name"]).splitlines() == [
        '"status","grantee_name"',
        '"PENDING","Rita"',
    ]


def test_a_piece_takes_the_same_queries_however_many_rows(stage: Stage) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as taken:
            sheets.ActivitySheet(AccessRequest.objects.all()).piece("")
        return len(taken)

    stage.ask()
    one = queries()
    for _ in range(5):
        stage.ask("orders", "ledger")
    assert queries() == one == 6


def copies(access: AccessRequest, count: int, *, size: int = 0) -> None:
    """Make as many requests as the one, each a second older."""
    people = {"requestor_id": access.requestor_id, "grantee_id": access.grantee_id}
    AccessRequest.objects.bulk_create(
        AccessRequest(
            **people,
            flow_version_id=access.flow_version_id,
            requested_at=access.requested_at - timedelta(seconds=number + 1),
            justification="x" * size,
        )
        for number in range(count)
    )


def test_a_thousand_rows_are_written_piece_by_piece_without_gap_or_double(stage: Stage) -> None:
    copies(stage.ask(), 1203)
    ids = [line["request_id"] for line in table(whole(AccessRequest.objects.all()))]
    expected = AccessRequest.objects.order_by("-requested_at", "-pk").values_list("pk", flat=True)
    assert ids == [str(pk) for pk in expected]


def test_memory_does_not_grow_with_the_report(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "PAGE", 100)
    copies(stage.ask(), 5000, size=4000)

    def peak(selected: Any) -> tuple[int, int]:
        tracemalloc.start()
        try:
            length = 0
            for piece in sheets.pieces(sheets.ActivitySheet(selected, ["justification"])):
                length += len(piece)
                # Rows and what hangs on them point at each other; what nobody holds any more is not meant here.
                gc.collect()
            return tracemalloc.get_traced_memory()[1], length
        finally:
            tracemalloc.stop()

    everything = AccessRequest.objects.all()
    newest = everything.order_by("-requested_at").values_list("requested_at", flat=True)[1000]
    small, _ = peak(everything.filter(requested_at__gte=newest))
    large, length = peak(everything)
    assert length > 20_000_000
    assert large < 1.5 * small
    assert large < length / 2


def test_csv_now_holds_exactly_what_the_filter_selects(stage: Stage) -> None:
    stage.ask("orders")
    second = stage.ask("ledger")
    status, content = fetch(stage.cast.requester, "/activity/csv/", {"what": "ledger"})
    assert status == 200
    assert [line["request_id"] for line in table(content.decode())] == [str(second.pk)]
    entry = AuditEntry.objects.get(action="activity.exported")
    assert entry.details == {"filters": {"what": "ledger"}, "rows": 1, "format": "csv"}
    assert entry.actor_id == str(stage.cast.requester.pk)


def test_an_outsider_gets_a_header_and_no_row(stage: Stage) -> None:
    stage.ask("orders")
    status, content = fetch(stage.cast.outsider, "/activity/csv/")
    assert (status, table(content.decode())) == (200, [])
    assert b"Rita" not in content


def test_csv_takes_a_post_and_filters_that_make_sense(stage: Stage, enter: SignIn) -> None:
    client = enter(stage.cast.requester)
    assert client.get("/activity/csv/").status_code == 405
    assert client.post("/activity/csv/", {"period": "x"}).status_code == 422
    assert not AuditEntry.objects.filter(action="activity.exported").exists()


def test_what_is_long_is_written_in_the_background(
    stage: Stage, enter: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(actions.exports, "AT_ONCE", 3)
    for _ in range(4):
        stage.ask()
    client = enter(stage.cast.requester)
    answers = [client.post("/activity/csv/") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [302, 302, 302, 409]
    assert answers[0]["Location"].startswith("/exports/")
    assert rows.PAGE == 25
