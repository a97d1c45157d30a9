"""Drift is told: to the admins by letter, one an hour of each integration; to the trail, one entry a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse

from access_requests.actions import drift_letters, drifting, reconciling
from access_requests.models import DriftFinding
from accounts.choices import Role
from accounts.models import Letter
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from tests.cast import person
from tests.drift.looking import Looking
from tests.requests.postbox import letters, links


class Killed(BaseException):
    """The process died here."""


def told(story: Looking, **delta: float) -> list[str]:
    """Let time pass and write what is due; return the subjects of all letters of drift."""
    story.now += timedelta(**delta)
    drift_letters.sweep(at=story.now)
    return [one.subject for one in letters("drift", story.cast.admin)]


def test_a_letter_names_what_is_new_and_leads_to_each_and_to_all(accounts: Looking) -> None:
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    assert told(accounts, seconds=5) == ["Drift in Directory: 1 foreign"]
    accounts.put("readers")
    accounts.look(minutes=61)
    assert told(accounts, seconds=5) == ["Drift in Directory: 1 foreign"] * 2
    first, second = letters("drift", accounts.cast.admin)
    page = reverse("admin:requests_driftfinding_change", args=[accounts.findings()[0].pk])
    assert any(link.endswith(page) for link in links(first)) and not any(link.endswith(page) for link in links(second))
    assert any(f"?integration={accounts.integration.pk}" in link for link in links(first))
    for part in (first.text, first.html):
        assert "Rita, rita@" in part and "directory/admins" in part and "between" in part
    assert "1 found before still waits for a decision" in second.text


def test_vanished_access_is_told_with_the_request_it_is_missing_from(logins: Looking) -> None:
    request = logins.granted("orders_prod")
    logins.look()
    logins.target.holds[str(logins.cast.requester.pk)].clear()
    logins.look(minutes=5)
    (subject,) = told(logins, seconds=5)
    assert subject == f"Drift in {logins.integration.name}: 1 vanished"
    (letter,) = letters("drift", logins.cast.admin)
    assert str(request) in letter.text and "should be there, is not" in letter.text


def test_only_admins_are_told_and_only_once(accounts: Looking) -> None:
    accounts.look()
    person("Second", Role.ADMIN)
    accounts.put("admins")
    accounts.look(hours=25)
    drift_letters.sweep(at=accounts.now)
    assert {one.to.name for one in letters("drift")} == {"Ada", "Second"}
    for _ in range(3):
        accounts.look(hours=6)
        drift_letters.sweep(at=accounts.now)
    assert Letter.objects.filter(kind="drift").count() == 2


def test_within_the_hour_there_is_one_letter_and_the_next_tells_of_all_that_came_meanwhile(accounts: Looking) -> None:
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    assert len(told(accounts)) == 1
    accounts.put("readers")
    accounts.look()
    assert len(told(accounts, minutes=58)) == 1
    assert told(accounts, minutes=3)[1:] == ["Drift in Directory: 1 foreign"]
    assert len(told(accounts, days=3)) == 2


def test_a_run_that_may_find_more_is_waited_for_but_not_longer_than_an_hour(accounts: Looking) -> None:
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    accounts.later(minutes=1)
    reconciling.start(accounts.integration, "the test", at=accounts.now)
    assert told(accounts, minutes=59) == []
    assert len(told(accounts, minutes=1)) == 1


def test_what_somebody_decided_meanwhile_is_no_news(accounts: Looking) -> None:
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    ada = accounts.cast.admin
    drifting.accept(accounts.finding(), user=ada, actor=accounts.by(ada), reason="Known.", at=accounts.now)
    assert told(accounts, days=1) == []


def test_access_missed_once_is_told_to_nobody(accounts: Looking) -> None:
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    DriftFinding.objects.update(state="suspected")
    assert told(accounts, days=1) == []


def test_a_process_that_dies_while_it_writes_has_written_nothing(
    accounts: Looking, monkeypatch: pytest.MonkeyPatch
) -> None:
    person("Second", Role.ADMIN)
    accounts.look()
    accounts.put("admins")
    accounts.look(hours=25)
    real, calls = drift_letters.write_letter, []

    def dies(**more: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise Killed
        return real(**more)

    monkeypatch.setattr(drift_letters, "write_letter", dies)
    with pytest.raises(Killed):
        drift_letters.sweep(at=accounts.now)
    assert not Letter.objects.filter(kind="drift").exists()
    assert not DriftFinding.objects.filter(told_at__isnull=False).exists()
    drift_letters.sweep(at=accounts.now)
    drift_letters.sweep(at=accounts.now)
    assert Letter.objects.filter(kind="drift").count() == 2


def test_a_target_s_own_words_forge_no_line_of_a_letter(accounts: Looking) -> None:
    accounts.look()
    accounts.put("admins\nDecide: https://evil.example/")
    accounts.look(hours=25)
    told(accounts)
    (letter,) = letters("drift", accounts.cast.admin)
    assert not any(line.startswith("Decide: https://evil") for line in letter.text.splitlines())
    assert "evil.example" in letter.text


def looked() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action="drift.looked").order_by("pk"))


def test_a_run_is_one_entry_that_says_what_was_compared_and_found(accounts: Looking) -> None:
    accounts.granted("readers")
    accounts.look()
    accounts.put("admins")
    run = accounts.look()
    _, entry = looked()
    assert entry.subject_name == "Directory"
    assert entry.details == {
        "run": run.pk,
        "why": "the test",
        "began_at": run.started_at.isoformat(),
        "people": {"to_look_at": run.total, "looked": run.total, "failed": 0},
        "units_held": 1,
        "found": {"vanished": 0, "foreign": 1},
    }
    assert run.looked == run.total > 0
    for _ in range(3):
        reconciling.sweep_drift(at=accounts.now)
    assert len(looked()) == 2


def test_a_run_that_was_given_up_says_why_in_its_entry(logins: Looking) -> None:
    logins.granted("orders_prod")
    logins.now += timedelta(minutes=1)
    logins.target.down = Unreachable("Nobody answers.", fix="Look at the network.")
    reconciling.start(logins.integration, "the test", at=logins.now)
    for _ in range(20):
        logins.later(minutes=1)
        reconciling.sweep_drift(at=logins.now)
    entry = next(one for one in looked() if one.details["why"] == "the test")
    assert entry.details["error"] == "Nobody answers. Look at the network."
    assert entry.details["people"]["looked"] == 0
