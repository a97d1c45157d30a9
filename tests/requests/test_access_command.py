"""`manage.py access`: the same buttons without a browser, and with nothing else running."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from access_requests.models import Freeze, Revocation
from audit.models import AuditEntry
from connectors.contract.errors import Unreachable
from tests.story import Story


@pytest.fixture
def now(story: Story) -> Story:
    """The story at the real time, at which the command works."""
    story.now = timezone.now()
    return story


def run(*words: str) -> str:
    out = StringIO()
    call_command("access", *words, stdout=out)
    return out.getvalue()


def test_everything_of_a_person_is_ended_here_and_now(now: Story) -> None:
    request = now.granted("orders_prod")
    said = run("revoke", "--person", "RITA@example.com", "--reason", "stolen", "--yes")
    assert "1 open, 0 waiting, of 1 people" in said
    assert "1 proven, 0 declared, 0 ending, 0 never opened, over." in said
    assert now.fresh(request).ended_how == "proven"
    entry = AuditEntry.objects.get(action="revocation.begun")
    assert entry.actor_name.endswith("(command line)")
    assert entry.source == "command"


def test_what_is_not_over_is_said_by_the_exit_status_and_followed_later(now: Story) -> None:
    request = now.granted("orders_prod")
    now.target.down = Unreachable("It does not answer.")
    with pytest.raises(CommandError, match="goes on being tried"):
        run("revoke", "--everywhere", "--reason", "stolen", "--yes", "--seconds", "0")
    made = Revocation.objects.get()
    assert f"{made.pk}  everything everywhere  0 proven, 0 declared, 1 ending" in run("status")
    now.target.down = None
    now.later(hours=2)
    assert "1 proven" in run("follow", str(made.pk))
    assert now.fresh(request).state == "revoked"


def test_freeze_and_thaw(now: Story) -> None:
    assert "nothing new opens" in run("freeze", "--reason", "an intrusion", "--yes")
    assert "an intrusion" in run("status")
    with pytest.raises(CommandError, match="already"):
        run("freeze", "--reason", "again", "--yes")
    run("freeze", "--integration", "Simulated server", "--reason", "this one too", "--yes")
    run("thaw", "--reason", "it is over")
    assert Freeze.objects.get(thawed_at__isnull=True).integration == now.integration
    with pytest.raises(CommandError, match="not frozen"):
        run("thaw", "--reason", "again")


@pytest.mark.parametrize(
    "words",
    [("--person", "nobody@example.com"), ("--integration", "Nowhere"), ("--flow", "None")],
)
def test_what_is_not_there_is_said(now: Story, words: tuple[str, str]) -> None:
    with pytest.raises(CommandError, match="There is no"):
        run("revoke", *words, "--reason", "x", "--yes")


def test_it_asks_first(now: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    request = now.granted("orders_prod")
    monkeypatch.setattr("builtins.input", lambda question: "no")
    with pytest.raises(CommandError, match="Nothing was done"):
        run("revoke", "--everywhere", "--reason", "x")
    assert now.fresh(request).state == "active"
