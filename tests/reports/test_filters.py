"""Filters agree with what a person would pick by hand, whatever they are combined of."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from access_requests.choices import OPEN, RequestState
from access_requests.models import AccessRequest
from access_requests.queries import visible_to
from access_requests.reports import figures, periods, rows
from access_requests.reports.filters import FilterForm, Filters, read
from accounts.models import User
from flows.models import FlowVersion
from tests import cast as people
from tests.portal import making as portal
from tests.portal.conftest import Stage
from tests.reports.making import NOW, scatter

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
MINUTE = timedelta(seconds=60)


def late(one: AccessRequest) -> bool:
    if one.due_at is None:
        return False
    return one.ended_at - one.due_at > MINUTE if one.ended_at else one.state == "revoking" and NOW - one.due_at > MINUTE


def everything() -> list[AccessRequest]:
    """Read all there is, once."""
    below = ("access_groups__units", "access_groups__integration", "approvals")
    return list(
        AccessRequest.objects.select_related("requestor", "grantee", "flow_version__flow").prefetch_related(*below)
    )


def naive(one: AccessRequest, kept: Filters) -> bool:
    """Decide by hand, in Python, whether a request is selected."""

    def has(part: str, *texts: str) -> bool:
        return not part or any(part.lower() in text.lower() for text in texts)

    people_of = [text for user in (one.requestor, one.grantee) for text in (user.name, user.email)]
    groups = list(one.access_groups.all())
    units = [unit for group in groups for unit in group.units.all()]
    words = [text for unit in units for text in (unit.resource_path, unit.resource_source_id, unit.permission_name)]
    states = {"": True, "open": one.state in OPEN, "late": late(one)}
    by_number = kept.what.upper() == f"AR-{one.pk}" if kept.what.upper().startswith("AR-") else None
    return (
        kept.span.since <= one.requested_at < kept.span.until
        and has(kept.person, *people_of)
        and (has(kept.what, one.justification, *words) if by_number is None else by_number)
        and has(kept.integration, *[group.integration.name for group in groups])
        and has(kept.flow, one.flow_version.flow.name)
        and (not kept.trigger or one.flow_version.document["trigger"] == kept.trigger)
        and states.get(kept.state, one.state == kept.state)
    )


@pytest.fixture
def world(stage: Stage, rng: random.Random) -> list[User]:
    """Two integrations, two flows, six people, and requests of every kind over ten weeks."""
    other = portal.integration("Warehouse 100%", ("sales_2026", "orders"))
    portal.flow(other, stage.cast.requester, name="Sales_data")
    some = [stage.cast.requester, stage.cast.approver, stage.cast.admin, *(people.person(f"P{n}") for n in range(3))]
    scatter(rng, some, list(FlowVersion.objects.all()), 150, 70)
    return some


def wishes(rng: random.Random) -> dict[str, str]:
    """Return filters by chance, most of them left out."""
    some: dict[str, list[str]] = {
        "person": ["rita", "EXAMPLE.com", "P1", "nobody", "%", "_"],
        "what": ["orders", "READ", "inc-4821", "100%", "_2026", "AR-7", "ar-12", "AR-999999", "AR-x", "\\"],
        "integration": ["payments", "100%", "prod"],
        "flow": ["sales_", "payments"],
        "trigger": ["self_serve", "automatic"],
        "state": ["open", "late", *RequestState.values],
        "period": ["last-24-hour", "last-7-day", "last-30-day", "last-90-day", "last-12-month"],
    }
    kept = {name: rng.choice(values) for name, values in some.items() if rng.random() < 0.3}
    if rng.random() < 0.3:
        kept |= {"period": "last", "last": str(rng.randint(1, 40)), "unit": rng.choice(["hour", "day", "month"])}
        kept |= {"whole": "on"} if rng.random() < 0.5 else {}
    elif rng.random() < 0.2:
        kept |= {"period": "between", "from": "2026-10-01", "to": "2026-11-10"}
    return kept


def test_the_database_selects_what_a_person_would(world: list[User], rng: random.Random) -> None:
    found, there = 0, everything()
    for _ in range(120):
        words, reader = wishes(rng), rng.choice(world)
        kept = read(words, at=NOW, zone=BERLIN)
        visible = set(visible_to(reader).values_list("pk", flat=True))
        expected = {one.pk for one in there if one.pk in visible and naive(one, kept)}
        assert {one.pk for one in rows.matching(reader, kept)} == expected, words
        assert rows.matching(reader, kept).count() == len(expected), words
        found += len(expected)
    assert found > 200


def test_the_figures_agree_with_counting_by_hand(world: list[User], rng: random.Random) -> None:
    there = everything()
    for _ in range(30):
        words, zone = wishes(rng), rng.choice([BERLIN, KATHMANDU])
        kept = read(words, at=NOW, zone=zone)
        selected = [one for one in there if naive(one, kept)]
        counted = figures.figures(rows.matching(world[2], kept), kept, zone)
        answered = sorted(
            (one.decided_at - one.requested_at).total_seconds()
            for one in selected
            if one.decided_at and one.approvals.all()
        )
        assert counted.total == len(selected) == sum(bar.total for bar in counted.bars), words
        assert counted.late == sum(map(late, selected)) == sum(bar.late for bar in counted.bars)
        assert counted.ended == sum(bool(one.due_at and one.ended_at) or late(one) for one in selected)
        assert counted.answered == len(answered)
        assert counted.unasked == sum(bool(one.decided_at) and not one.approvals.all() for one in selected)
        if answered:
            middle = (answered[(len(answered) - 1) // 2] + answered[len(answered) // 2]) / 2
            assert counted.median_wait == pytest.approx(middle, abs=0.01)
            assert counted.longest_wait == pytest.approx(answered[-1], abs=0.01)


def test_a_bar_is_a_day_of_the_readers_zone(stage: Stage) -> None:
    access = stage.ask()
    # Half past six in the evening in UTC is past midnight in Kathmandu.
    at = datetime(2026, 11, 20, 18, 30, tzinfo=UTC)
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=at)
    for zone, day in ((BERLIN, 20), (KATHMANDU, 21)):
        kept = read({"period": "last-7-day"}, at=NOW, zone=zone)
        (bar,) = [one for one in figures.figures(rows.matching(stage.cast.admin, kept), kept, zone).bars if one.total]
        assert (bar.begin.day, bar.begin.hour, bar.begin.utcoffset()) == (day, 0, at.astimezone(zone).utcoffset())


def test_a_day_in_which_the_clocks_change_is_one_day() -> None:
    after = datetime(2026, 10, 26, 12, 0, tzinfo=BERLIN)
    span = periods.last(2, "day", after, BERLIN)
    assert span.since == datetime(2026, 10, 24, 12, 0, tzinfo=BERLIN)
    assert span.until - span.since == timedelta(hours=49)
    bars = figures._bars([], span, BERLIN, "day")
    assert [bar.begin.astimezone(BERLIN).day for bar in bars] == [24, 25, 26]
    assert len(figures._bars([], periods.last(26, "hour", after, BERLIN), BERLIN, "hour")) == 26


@pytest.mark.parametrize(
    ("unit", "count", "since", "until"),
    [
        ("month", 1, "2026-02-01T00:00+01:00", "2026-03-01T00:00+01:00"),
        ("day", 2, "2026-03-29T00:00+01:00", "2026-03-31T00:00+02:00"),
        ("hour", 3, "2026-03-31T07:00+02:00", "2026-03-31T10:00+02:00"),
    ],
)
def test_whole_ones_are_over(unit: str, count: int, since: str, until: str) -> None:
    at = datetime.fromisoformat("2026-03-31T10:45+02:00")
    if unit == "month":
        span = periods.last(count, unit, datetime.fromisoformat("2026-03-15T10:45+01:00"), BERLIN, whole=True)
    else:
        span = periods.last(count, unit, at, BERLIN, whole=True)
    assert (span.since, span.until) == (datetime.fromisoformat(since), datetime.fromisoformat(until))


def test_a_month_before_the_last_day_of_a_long_month_is_the_last_of_a_short_one() -> None:
    at = datetime(2026, 3, 31, 12, 0, tzinfo=BERLIN)
    assert periods.last(1, "month", at, BERLIN).since.astimezone(BERLIN).date() == date(2026, 2, 28)
    assert periods.last(13, "month", at, BERLIN).since.astimezone(BERLIN).date() == date(2025, 2, 28)


def test_the_last_day_named_is_included(stage: Stage) -> None:
    access = stage.ask()
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=datetime(2026, 11, 10, 22, 59, tzinfo=UTC))
    words: dict[str, Any] = {"period": "between", "from": "2026-11-10", "to": "2026-11-10"}
    assert rows.matching(stage.cast.admin, read(words, at=NOW, zone=BERLIN)).exists()
    AccessRequest.objects.filter(pk=access.pk).update(requested_at=datetime(2026, 11, 10, 23, 0, tzinfo=UTC))
    assert not rows.matching(stage.cast.admin, read(words, at=NOW, zone=BERLIN)).exists()


def test_words_mean_the_same_after_they_were_kept(rng: random.Random) -> None:
    for _ in range(100):
        words = wishes(rng)
        form = FilterForm(words)
        if form.is_valid():
            again = FilterForm(form.words())
            assert again.is_valid()
            assert again.filters(NOW, BERLIN) == form.filters(NOW, BERLIN)
            assert again.words() == form.words()
            assert form.said()
