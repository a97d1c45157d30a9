"""What must be in no template, and what no name or word of a person may become."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders

from access_requests.models import AccessRequest
from accounts.models import User
from integrations.models import Order, Permission
from tests.portal import making
from tests.portal.conftest import SignIn, Stage
from tests.portal.reading import address, page

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
INLINE = re.compile(
    r"""<style | \sstyle\s*= | \son[a-z]+\s*= | javascript: | <script(?![^>]*\ssrc=)
    | \|\s*safe\b | autoescape\s+off""",
    re.VERBOSE | re.IGNORECASE,
)
CANARY = "<img src=x onerror=alert(1)>\"'&"


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_no_template_has_script_or_style_of_its_own(path: Path) -> None:
    # A letter can load nothing, so it carries its style inside: one element, in the one place all letters share.
    carried = ["<style"] if path == ROOT / "templates/mail/base.html" else []
    assert INLINE.findall(path.read_text()) == carried


@pytest.mark.parametrize(
    "bad",
    [
        '<p style="color:red">', "<style>", '<a onclick="x()">', "<script>x()</script>", '<a href="javascript:x()">',
        "{{ name|safe }}", "{% autoescape off %}",
    ],
)  # fmt: skip
def test_the_search_for_script_and_style_finds_them(bad: str) -> None:
    assert INLINE.search(bad)


def test_templates_compare_no_states() -> None:
    states = "|".join(["pending", "active", "revoking", "revoked", "granting", "rejected", "AVAILABLE", "VIEWED"])
    compares = re.compile(rf"""[=!]=\s*["']({states})["']""")
    assert [path.name for path in TEMPLATES if path.parent.name == "portal" and compares.search(path.read_text())] == []


def test_every_icon_is_in_the_sprite() -> None:
    sprite = set(re.findall(r'<symbol id="([\w-]+)"', (ROOT / "static/img/icons.svg").read_text()))
    from access_requests.choices import APPROVAL_ICONS, ICONS, UNIT_ICONS

    used = {*ICONS.values(), *UNIT_ICONS.values(), *APPROVAL_ICONS.values(), "risk-1", "risk-2", "risk-3"}
    for path in TEMPLATES:
        used |= set(re.findall(r'{% icon "([\w-]+)" %}', path.read_text()))
        used |= set(re.findall(r"icons\.svg' %}#([\w-]+)", path.read_text()))
    assert used - sprite == set()


def test_every_static_file_that_a_page_names_exists() -> None:
    named = {name for path in TEMPLATES for name in re.findall(r"{% static '([^']+)' %}", path.read_text())}
    assert named
    assert [name for name in named if finders.find(name) is None] == []


def test_what_people_and_targets_write_is_never_markup(stage: Stage, enter: SignIn) -> None:
    """Every text that comes from outside carries a canary; no page may let it out as it is."""
    cast = stage.cast
    stage.integration.name = stage.integration.custom_access_details = f"db {CANARY}"
    stage.integration.save()
    Permission.objects.filter(source_id="READ_ONLY").update(name=f"Read {CANARY}")
    making.resource(stage.integration, f"evil {CANARY}", refusals={"READ_WRITE": CANARY})
    User.objects.filter(pk=cast.requester.pk).update(name=f"Rita {CANARY}")
    User.objects.filter(pk=cast.approver.pk).update(name=f"Abel {CANARY}")
    making.flow(making.integration("second", ("events",)), cast.requester, cast.approver, name=f"Flow {CANARY}")
    cast.requester.refresh_from_db()
    cast.approver.refresh_from_db()
    pending = stage.ask(f"evil {CANARY}", why=CANARY)
    access = stage.ask("orders", why=CANARY)
    making.active(making.approved(access, cast.approver, CANARY))
    access.access_groups.get().units.update(message=CANARY)
    session = access.access_groups.get().session
    session.details |= {"command": CANARY, "uri": CANARY, f"odd {CANARY}": CANARY}
    session.save()
    AccessRequest.objects.filter(pk=access.pk).update(note=CANARY)
    Order.objects.create(integration=stage.integration, person=cast.requester, verb="apply", error={"message": CANARY})
    rita, abel = enter(cast.requester), enter(cast.approver)
    pick = ":".join(map(str, making.pair("events")))
    pages = [
        rita.get("/"), page(rita, access), page(rita, pending), page(abel, access), page(abel, pending),
        abel.get("/tasks/"), abel.get("/tasks/?answered=1"), rita.get("/requests/new/", {"q": CANARY}),
        rita.get("/requests/new/"), rita.post("/requests/new/check/", {"pick": pick, "justification": CANARY}),
        rita.post("/requests/new/", {"pick": pick, "justification": CANARY, "q": "no", "do": "check"}),
        abel.post(address("reject_request", pending), {"reason": CANARY * 30, "back": "tasks"}),
        rita.post(address("hand_back_access", access), {"back": CANARY}, follow=True),
    ]  # fmt: skip
    assert all("<img" not in one.content.decode() for one in pages)
    assert all("&lt;img src=x onerror=alert(1)&gt;" in one.content.decode() for one in pages)
