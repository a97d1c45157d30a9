"""The big red buttons: everything of somebody or something ended at once; nothing new for a while."""

from __future__ import annotations

import pytest

from access_requests import actions
from access_requests.actions import BadAsk, NotPossible, emergencies, endings
from access_requests.actions import automatic as gives
from access_requests.choices import RevocationKind
from access_requests.models import AccessRequest, Freeze, Proof, Revocation
from access_requests.queries.emergencies import progress_of, scope_of
from accounts import actions as people
from accounts.models import User
from audit import queries as trail
from audit.actor import system
from connectors.contract.errors import Unreachable
from flows.models import AccessFlow
from tests.automatic.giving import COLUMNS
from tests.cast import person
from tests.story import Story, allow_extensions, amend, flow, put_into

WHY = "A laptop was stolen."


@pytest.fixture
def others(story: Story) -> list[User]:
    """Four more engineers."""
    found = [person(name) for name in ("Finn", "Gwen", "Hugo", "Iris")]
    put_into("engineers", *found)
    return found


def press(story: Story, kind: RevocationKind, subject: object = None) -> Revocation:
    admin = story.cast.admin
    return actions.revoke_all(kind, subject, actor=story.by(admin), reason=WHY, at=story.now)  # type: ignore[arg-type]


def state(story: Story, request: AccessRequest) -> tuple[str, str]:
    row = story.fresh(request)
    return row.state, row.end_reason


def test_everything_of_a_person_ends_and_is_proven_and_nobody_elses(story: Story, others: list[User]) -> None:
    held, theirs = story.granted("orders_prod"), story.granted("orders_prod", user=others[0])
    waiting, kept = story.ask("orders_dev"), story.ask("orders_dev", user=others[0])
    made = press(story, RevocationKind.PERSON, story.cast.requester)
    story.work()
    made.refresh_from_db()
    assert made.finished_at == story.now
    assert state(story, held) == ("revoked", "revoked_all")
    assert Proof.objects.filter(group__request=held).exists()
    assert state(story, waiting) == ("lapsed", "revoked_all")
    assert story.fresh(waiting).note == WHY
    assert (story.fresh(theirs).state, story.fresh(kept).state) == ("active", "pending")
    told = progress_of(made)
    assert (told.proven, told.lapsed, told.ending, told.left) == (1, 1, 0, 0)
    entry = trail.of_subject("revocation", str(made.pk)).order_by("-id").first()
    assert entry is not None
    assert (entry.action, entry.details["proven"]) == ("revocation.finished", 1)
    last = story.fresh(held).transitions.get(to_state="revoking")
    assert (last.actor_name, last.operation) == ("Ada", made.operation)


def test_of_an_integration_of_a_flow_and_everywhere(story: Story, others: list[User]) -> None:
    for kind, subject in (
        (RevocationKind.INTEGRATION, story.integration),
        (RevocationKind.FLOW, AccessFlow.objects.get()),
        (RevocationKind.EVERYWHERE, None),
    ):
        held = [story.granted("orders_prod", user=one) for one in others]
        made = press(story, kind, subject)
        assert scope_of(made).holding == len(others)
        story.work()
        assert {state(story, one) for one in held} == {("revoked", "revoked_all")}
        made.refresh_from_db()
        assert made.finished_at is not None


def test_it_is_not_finished_while_one_is_not_proven_and_says_which(story: Story, others: list[User]) -> None:
    held = story.granted("orders_prod")
    story.target.down = Unreachable("It does not answer.")
    made = press(story, RevocationKind.EVERYWHERE)
    story.later(minutes=10)
    made.refresh_from_db()
    assert made.finished_at is None
    told = progress_of(made)
    assert (told.ending, told.overdue, told.settled) == (1, 1, 0)
    story.target.down = None
    story.later(hours=1)
    made.refresh_from_db()
    assert made.finished_at == story.now
    assert story.fresh(held).ended_how == "proven"


def test_what_ends_already_is_followed_too(story: Story) -> None:
    held = story.granted("orders_prod")
    story.target.down = Unreachable("It does not answer.")
    actions.hand_back(held, user=held.grantee, actor=story.by(held.grantee), at=story.now)
    made = press(story, RevocationKind.PERSON, held.grantee)
    story.work()
    assert story.fresh(held).revocation == made
    assert story.fresh(held).end_reason == "handed_back"


def test_pressed_twice_it_is_one(story: Story) -> None:
    story.granted("orders_prod")
    assert press(story, RevocationKind.EVERYWHERE) == press(story, RevocationKind.EVERYWHERE)
    assert Revocation.objects.count() == 1


def test_one_that_fails_holds_up_no_other_and_it_goes_on_after_a_kill(
    story: Story, others: list[User], monkeypatch: pytest.MonkeyPatch
) -> None:
    held = [story.granted("orders_prod", user=one) for one in others]
    end, tries = endings.end, []

    def breaks(row: AccessRequest, *args: object, **more: object) -> bool:
        tries.append(row.pk)
        if row.pk == held[1].pk and tries.count(row.pk) < 3:
            raise RuntimeError("killed here")
        return end(row, *args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(emergencies.endings, "end", breaks)
    made = press(story, RevocationKind.EVERYWHERE)
    emergencies.go_on(made, at=story.now)
    assert [story.fresh(one).state for one in held] == ["revoking", "active", "revoking", "revoking"]
    story.work()
    story.later(seconds=5)
    story.later(seconds=5)
    assert {story.fresh(one).state for one in held} == {"revoked"}


def test_a_reason_is_wanted(story: Story) -> None:
    with pytest.raises(NotPossible, match="Say why"):
        actions.revoke_all(RevocationKind.EVERYWHERE, None, actor=system(), reason=" ")


def test_who_is_disabled_loses_everything_and_one_page_shows_how(story: Story) -> None:
    held, waiting = story.granted("orders_prod"), story.ask("orders_dev")
    person_ = story.cast.requester
    people.disable_user(person_, actor=story.by(story.cast.admin))
    story.catch_up()
    made = Revocation.objects.get(person=person_)
    assert made.cause == "off_boarding"
    assert story.fresh(held).state == "revoked"
    assert story.fresh(waiting).state == "lapsed"
    assert story.fresh(held).revocation == made
    assert actions.off_board(person_) is None, "news that comes twice begins nothing anew"
    people.enable_user(person_, actor=story.by(story.cast.admin))
    people.disable_user(person_, actor=story.by(story.cast.admin))
    story.catch_up()
    assert Revocation.objects.filter(person=person_, finished_at__isnull=False).count() == 2


def freeze(story: Story, **more: object) -> Freeze:
    where = more.pop("integration", None)
    return actions.freeze(where, actor=story.by(story.cast.admin), reason=WHY, at=story.now, **more)  # type: ignore[arg-type]


def thaw(story: Story, ice: Freeze) -> None:
    actions.thaw(ice, actor=story.by(story.cast.admin), reason="It was found.", at=story.now)


@pytest.mark.parametrize("everywhere", [True, False])
def test_while_it_is_frozen_nothing_opens_and_ends_go_on(story: Story, others: list[User], everywhere: bool) -> None:
    held = story.granted("orders_prod", user=others[0])
    ice = freeze(story) if everywhere else freeze(story, integration=story.integration)
    asked = story.ask("orders_dev")
    story.approve(asked)
    story.work()
    row = story.fresh(asked)
    assert row.state == "approved"
    assert WHY in row.note and "by Ada" in row.note
    assert story.held() == set()
    story.later(hours=2)
    assert story.fresh(held).state == "revoked"
    assert Proof.objects.filter(group__request=held).exists()
    thaw(story, ice)
    story.work()
    assert story.fresh(asked).state == "active"
    assert story.fresh(asked).note == ""
    assert [one.action for one in trail.of_subject("freeze", str(ice.pk)).order_by("id")] == [
        "freeze.begun",
        "freeze.thawed",
    ]


def test_a_freeze_elsewhere_is_no_ones_business(story: Story) -> None:
    from integrations import actions as integration_actions

    other = integration_actions.connect(
        "Another", "simulated", config={"hostname": "x"}, secrets={"password": "p"}, actor=system()
    )
    freeze(story, integration=other)
    assert story.granted("orders_prod").state == "active"


def test_what_is_still_being_opened_is_stopped(story: Story) -> None:
    request = story.ask("orders_prod")
    story.target.down = Unreachable("It does not answer.")
    story.approve(request)
    story.work()
    assert story.fresh(request).state == "granting"
    freeze(story)
    story.work()
    story.target.down = None
    story.later(minutes=5)
    assert state(story, request) == ("revoked", "frozen")
    assert story.held() == set()


def test_nothing_is_extended_meanwhile(story: Story) -> None:
    allow_extensions(AccessFlow.objects.get(), 3, 600)
    request = story.granted("orders_prod")
    freeze(story)
    with pytest.raises(NotPossible, match="not extended meanwhile"):
        actions.extend(request, user=request.grantee, actor=story.by(request.grantee), seconds=600, at=story.now)


@pytest.mark.parametrize("allowed", [True, False])
def test_the_glass_is_broken_only_where_the_freeze_says_so(story: Story, allowed: bool) -> None:
    amend(AccessFlow.objects.get(), settings={"break_glass": True})
    freeze(story, break_glass=allowed)
    if not allowed:
        with pytest.raises(BadAsk, match="cannot be broken"):
            story.ask("orders_prod", break_glass=True)
        return
    request = story.ask("orders_prod", break_glass=True)
    story.work()
    assert story.fresh(request).state == "active"


def test_what_comes_by_itself_waits_as_well(story: Story) -> None:
    ice = freeze(story)
    flow(story.integration, "On its own", mode="none", columns=COLUMNS)
    gives.sweep_flows()
    gives.sweep_runs()
    story.catch_up()
    assert AccessRequest.objects.get().state == "approved"
    assert story.held() == set()
    thaw(story, ice)
    story.catch_up()
    assert story.held()


def test_frozen_twice_or_without_a_reason_is_refused(story: Story) -> None:
    ice = freeze(story)
    with pytest.raises(NotPossible, match="already"):
        freeze(story)
    freeze(story, integration=story.integration)
    with pytest.raises(NotPossible, match="Say why"):
        actions.thaw(ice, actor=system(), reason="")
    thaw(story, ice)
    with pytest.raises(NotPossible, match="any more"):
        thaw(story, ice)
    with pytest.raises(NotPossible, match="Say why"):
        actions.freeze(None, actor=system(), reason=" ")
