"""Exporting: everything that was asked for, nothing a spreadsheet would run, in constant memory, on the record."""

from __future__ import annotations

import csv
import io
import tracemalloc
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.management import CommandError, call_command
from django.test import AsyncClient

from accounts.models import User
from audit import actions, export, queries
from audit.actor import Actor, person
from audit.choices import ActorKind, Source
from audit.models import AuditEntry
from tests.audit.trail import write
from tests.cast import Cast

URL = "/audit/export.csv"


async def _fetch(user: User | None, query: dict[str, str]) -> tuple[Any, str]:
    """Fetch the export as an ASGI server would."""
    client = AsyncClient()
    if user is not None:
        await client.aforce_login(user)
    response = await client.get(URL, query)
    if not response.streaming:
        return response, response.content.decode()
    return response, "".join([part.decode() async for part in response.streaming_content])


def fetch(user: User | None, **query: str) -> tuple[Any, str]:
    """Fetch the export; `from_` stands for `from`."""
    return async_to_sync(_fetch)(user, {name.rstrip("_"): value for name, value in query.items()})


def rows(text: str) -> list[dict[str, str]]:
    """Read CSV."""
    return list(csv.DictReader(io.StringIO(text)))


def test_the_export_holds_every_entry_and_its_seal(cast: Cast) -> None:
    write(3, colour="red")
    actions.seal()
    write(1)
    response, text = fetch(cast.admin)
    assert response.status_code == 200
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert response["Content-Disposition"].startswith('attachment; filename="audit-')
    assert response["Cache-Control"] == "no-store"
    found = [row for row in rows(text) if row["subject_type"] == "thing"]
    assert [row["subject_name"] for row in found] == ["Thing 1", "Thing 2", "Thing 3", "Thing 1"]
    assert [row["sequence"] for row in found] == ["1", "2", "3", ""]
    assert found[2]["digest"] == queries.head()[1]
    assert found[0]["details"] == '{"colour": "red"}'
    assert list(found[0]) == list(export.HEADER)


def test_an_export_is_itself_recorded(cast: Cast) -> None:
    _, text = fetch(cast.admin, action="audit.exported")
    entry = AuditEntry.objects.get(action="audit.exported")
    assert (entry.actor_id, entry.details) == (
        str(cast.admin.pk),
        {"filters": {"action": "audit.exported"}, "format": "csv"},
    )
    assert [row["id"] for row in rows(text)] == [str(entry.pk)]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r"])
def test_a_cell_is_never_a_formula(db: None, start: str) -> None:
    nasty = f"{start}HYPERLINK(1)"
    write(1, actor=Actor(ActorKind.SYSTEM, name=nasty))
    (row,) = rows("".join(export.pages(AuditEntry.objects.all())))
    assert row["actor_name"] == f"'{nasty}"
    assert not any(value.startswith(("=", "+", "-", "@", "\t", "\r")) for value in row.values())


def test_quotes_commas_and_line_ends_survive(db: None) -> None:
    nasty = 'a,"b"\r\nc;ü'
    write(1, actor=Actor(ActorKind.SYSTEM, name=nasty), text=nasty)
    (row,) = rows("".join(export.pages(AuditEntry.objects.all())))
    assert row["actor_name"] == nasty


def test_filters_select(cast: Cast) -> None:
    write(2, actor=person(cast.requester, Source.PORTAL))
    write(1)

    def count(**query: str) -> int:
        return len([row for row in rows(fetch(cast.admin, **query)[1]) if row["subject_type"] == "thing"])

    today = f"{AuditEntry.objects.latest('id').at:%Y-%m-%d}"
    assert count() == 3
    assert count(actor=str(cast.requester.pk)) == count(actor="Rita@example.com") == 2
    assert count(subject="thing:1") == 2
    assert count(subject="thing") == 3
    assert count(subject="other") == 0
    assert count(from_=today, to=today) == 3
    assert count(to="2001-01-01") == 0
    assert count(from_="2999-01-01T00:00Z") == 0
    assert count(action="audit.exported") == 3


BAD = {
    "from_": ["yesterday", "2026-13-01", "2026-01-31T25:00"],
    "to": ["soon", "9999-12-31"],
    "action": ["no.such"],
    "colour": ["red"],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, values in BAD.items() for value in values])
def test_a_bad_filter_is_answered_with_a_sentence(cast: Cast, name: str, value: str) -> None:
    response, text = fetch(cast.admin, **{name: value})
    assert response.status_code == 400
    assert text.endswith(".\n")
    assert name.rstrip("_") in text
    assert not AuditEntry.objects.filter(action="audit.exported").exists()


def test_a_period_that_ends_before_it_begins_is_refused(cast: Cast) -> None:
    assert fetch(cast.admin, from_="2026-02-01", to="2026-01-01")[0].status_code == 400


@pytest.mark.parametrize("who", ["requester", "approver", "outsider"])
def test_who_may_not_export_gets_nothing(cast: Cast, who: str) -> None:
    write(1)
    response, text = fetch(getattr(cast, who))
    assert response.status_code == 403
    assert "Thing" not in text
    assert not AuditEntry.objects.filter(subject_type="audit").exists()


def test_nobody_exports_without_signing_in(cast: Cast) -> None:
    response, _ = fetch(None)
    assert (response.status_code, response["Location"]) == (302, f"/account/login/?next={URL}")


def test_what_is_written_during_an_export_waits_for_the_next(db: None) -> None:
    write(1)
    pages = export.pages(AuditEntry.objects.all())
    next(pages)
    first = next(pages)
    write(1)
    assert "Thing" in first
    assert list(pages) == []


def test_the_command_exports_and_records_it(db: None) -> None:
    write(2)
    out = io.StringIO()
    call_command("audit", "export", "--format", "csv", "--subject", "thing:2", stdout=out)
    assert [row["subject_id"] for row in rows(out.getvalue())] == ["2"]
    assert AuditEntry.objects.get(subject_type="audit").source == "command"
    with pytest.raises(CommandError, match="no action"):
        call_command("audit", "export", "--action", "no.such", stdout=out)


def memory_of_an_export(entries: int, size: int) -> tuple[int, int]:
    """Export `entries` entries of `size` characters by way of the view; return the peak of memory and the length."""
    from audit.queries import Filters

    AuditEntry.objects.bulk_create(
        (AuditEntry(action="a.b", actor_kind="system", source="system", details={"text": "x" * size})
         for _ in range(entries)),
        batch_size=500,
    )  # fmt: skip

    async def drain() -> int:
        length = 0
        async for page in export.stream(queries.matching(Filters())):
            length += len(page)
        return length

    tracemalloc.start()
    try:
        length = async_to_sync(drain)()
        return tracemalloc.get_traced_memory()[1], length
    finally:
        tracemalloc.stop()


def test_an_export_takes_a_page_of_memory(db: None) -> None:
    peak, length = memory_of_an_export(5_000, 4_000)
    assert length > 20_000_000
    assert peak < length / 2


@pytest.mark.full
def test_a_long_export_takes_no_more(db: None) -> None:
    peak, length = memory_of_an_export(100_000, 1_000)
    assert length > 100_000_000
    assert peak < 10_000_000
