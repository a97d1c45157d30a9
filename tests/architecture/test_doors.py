"""An app is entered by its doors, and its rooms have the names they have everywhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.source import APPS, PACKAGES, ROOT, files, folder, imported, name_of

DOORS = {"models", "choices", "queries", "actions", "events"}
# What wires processes together may also see what there is to wire.
DOORS_FOR_CONFIG = DOORS | {"urls", "apps", "consumers", "tasks", "checks", "admin"}
# The demo adds a way to sign in, which the trail has to have a word for.
DOORS_FOR_DEMO = DOORS | {"trail"}
# Every action takes an Actor; policy is asked by functions: decide(facts) -> Decision, which is pure, and
# given_by(document) of what is given unasked; the inventory is searched at a million rows, which takes a package of its
# own, and so does the query language; a report on the audit trail is its own export's; who has a letter written says it
# in the plain data that letters are made of.
MORE_DOORS = {
    ("audit", "actor"),
    ("audit", "export"),
    ("audit", "dossiers"),
    ("flows", "decision"),
    ("flows", "whatif"),
    ("flows", "giving"),
    ("integrations", "search"),
    ("integrations", "aql"),
    ("accounts", "letters"),
    # Every app has endpoints; what all of them stand on is made once, here.
    ("accounts", "rest"),
    ("accounts", "tokens"),
    # A request's page tries a second factor as the account page does, in the same session.
    ("accounts", "proving"),
    # The floor that knows owners says that they may invite.
    ("accounts", "inviting"),
    ("accounts", "regrouping"),
    # The table of roles, shown as a page.
    ("accounts", "roles"),
    # The floor that knows spaces says what roles are held in them.
    ("accounts", "spaces"),
}

ROOMS = {
    "__init__", "models", "choices", "lifecycle", "actions", "queries", "events", "tasks", "views", "forms", "urls",
    "api", "consumers", "checks", "admin", "apps", "migrations", "management", "templatetags", "sql",
}  # fmt: skip
# What an app has beyond the common rooms, and what for. A new one is a decision, so it is written here.
OWN_ROOMS = {
    "accounts": {
        "adapters": "allauth asks an adapter",
        "factors": "second factors: read and tried with allauth, and how long a success counts",
        "gate": "what people from outside do before anything else",
        "inviting": "who may invite people from outside",
        "proving": "asking for a second factor, as pages of any floor do it",
        "keeping": "the secrets of second factors as ciphertext",
        "asking_first": "changes of groups in the admin site: what follows is shown first",
        "regrouping": "a change of a group before it is made, and who foretells what follows",
        "rest": "the ground of every API: tokens, scopes, errors, pages of lists, limits, repeats",
        "tokens": "the text of tokens: making it, its digest, whose it is",
        "backends": "Django asks a backend who signs in",
        "letters": "what a letter says: plain data into text and HTML",
        "post": "how a letter leaves: by SMTP or into a folder, and what went wrong",
        "clock": "when a session is over",
        "descriptions": "what an identity provider says of itself: its addresses and keys, kept for a while",
        "fetching": "asking an identity provider: bounded in size and time, and never led inside",
        "id_tokens": "what an identity provider signed, checked",
        "passwords": "which passwords nobody may set",
        "sessions": "sessions as rows: begun, seen, moved, ended",
        "claims": "what an identity provider says of a person, read",
        "oidc": "allauth's exchange with the identity provider, held to our rules",
        "roles": "what each role may do",
        "scim": "people and groups pushed by identity providers",
        "spaces": "what roles a person holds, also in spaces, of which a floor above knows",
        "trail": "sign-ins of Django and allauth, told to the audit trail",
        "zones": "the time zones there are, read once",
    },
    "audit": {
        "actor": "who acts: taken by every action of every app",
        "chain": "the hash chain",
        "details": "what may stand in an entry's details",
        "dossiers": "a record as a signed file, and checking it",
        "export": "CSV in constant memory",
        "triggers": "append-only, said in SQL",
        "verify": "reading the chain back",
    },
    "flows": {
        "current": "the current flows, ready in memory",
        "decision": "decide(facts) -> Decision",
        "differences": "what one policy says otherwise than another, in words",
        "document": "a flow version as data",
        "giving": "what an automatic flow gives to each of its people",
        "findings": "what is wrong with a policy, and what is doubtful",
        "findings_of_webhooks": "likewise of a webhook",
        "foretelling": "what policy says of a change of a group",
        "guard": "what takes a second admin's yes",
        "whatif": "what a change would do, before it is made",
        "judging": "what an answer of a webhook means",
        "reach": "whom and what a policy reaches, counted by the database",
        "slots": "the places in a webhook's body that a request fills",
        "sentence": "a flow in one English sentence",
        "text": "policy as YAML in a folder",
    },
    "integrations": {
        "aql": "the query language: read, written, asked of one entitlement and of the inventory",
        "install": "how a connector is installed and upgraded, by platform",
        "search": "what some targets give, found by text at a million rows",
        "wire": "models to the connectors' dataclasses and back",
    },
    "access_requests": {
        "reminding": "when an end is announced, by how long access lasts",
        "envelopes": "the states of break-glass envelopes",
        "envelope_files": "an envelope as a file, locked with a passphrase and opened without a database",
        "entries": "what is written into the trail, with the words people read",
        "drift": "the states of drift, and how a read-back is held against what should be",
        "foretelling": "live requests and past asks, told to what-if",
        "automatic": "what automatic flows should give, held against what people hold",
        "hearing": "what is done at news from below",
        "letters": "what letters say of requests",
        "draining": "what is known of access that drains; what is done about it is in actions",
        "offering": "what a person may ask for, as the page of a new request shows it",
        "reports": "many requests at once: filters, figures, CSV, schedules",
        "telling": "what the floors below are told of this one",
    },
}


def wrong_doors(package: str, root: Path = ROOT) -> list[str]:
    """Return every import with which a package enters an app elsewhere than by a door."""
    doors, wrong = {"config": DOORS_FOR_CONFIG, "demo": DOORS_FOR_DEMO}.get(package, DOORS), []
    for path in files(package, root):
        for line, name in imported(path):
            app, _, rest = name.partition(".")
            room = rest.partition(".")[0]
            if app in APPS and app != package and room not in doors and (app, room) not in MORE_DOORS:
                wrong.append(f"{name_of(path, root)}:{line} imports {name}")
    return wrong


@pytest.mark.parametrize("package", PACKAGES)
def test_apps_are_entered_by_their_doors(package: str) -> None:
    assert wrong_doors(package) == []


@pytest.mark.parametrize(
    ("package", "statement", "wrong"),
    [
        ("flows", "from accounts.models import User", False),
        ("flows", "from accounts import actions", False),
        ("flows", "from audit.actor import Actor", False),
        ("flows", "from accounts.views import sign_in", True),
        ("flows", "import accounts.forms", True),
        ("flows", "def f():\n    from accounts import tasks", True),
        ("flows", "from accounts import *", True),
        ("config", "from accounts.tasks import deliver_changes", False),
        ("config", "from accounts.views import sign_in", True),
    ],
)
def test_the_walk_finds_a_wrong_door(package: str, statement: str, wrong: bool, tmp_path: Path) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "a.py").write_text(statement)
    assert bool(wrong_doors(package, tmp_path)) is wrong


@pytest.mark.parametrize("app", APPS)
def test_rooms_have_the_names_of_the_house(app: str) -> None:
    rooms = {path.stem for path in folder(app).iterdir() if path.name not in {"__pycache__"}}
    assert rooms - ROOMS == set(OWN_ROOMS[app])
