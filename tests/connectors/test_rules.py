"""The owner's rules: what is read from the file, and what a connector then does and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.contract.errors import ErrorKind, Misconfigured, Refused
from connectors.contract.orders import (
    Desired,
    Ending,
    Grant,
    Order,
    Person,
    Report,
    Unit,
    UnitOutcome,
    Verb,
)
from connectors.registry import Registry
from connectors.runners.local import run
from connectors.runners.rules import GRANT, VERBS, Rules
from connectors.runners.rules_file import read_rules, rules_from_environment
from connectors.toolkit.program_files import ProgramFile

PROVIDER = """
from connectors.contract.orders import Finding, Found, GrantReport, ReadBack, UnitOutcome, UnitReport
from connectors.contract.provider import Outcome
from connectors.toolkit.program_files import ProgramFile
from pathlib import Path

GIVE = ProgramFile(Path(__file__).parent / "programs" / "give.txt")
told = []


class Fake:
    def check(self, order, run):
        return (Finding("ok", run.note(GIVE).text),)

    def resource_types(self, order, run):
        return ()

    def discover(self, order, run):
        return iter(())

    def apply(self, order, run):
        told.append(order.desired)
        if order.desired.holds:
            run.note(GIVE)
        grants = [
            GrantReport(one.grant_id, tuple(UnitReport(unit, UnitOutcome.HELD) for unit in one.units))
            for one in order.desired.holds
        ] + [
            GrantReport(one.grant_id, tuple(UnitReport(unit, UnitOutcome.GONE) for unit in one.units))
            for one in order.desired.gone
        ]
        return Outcome(tuple(grants), ReadBack(0.0))

    read_back = reset_credentials = rotate = clean_up = apply


PROVIDER = Fake()
"""
MANIFEST = """
name = "Fake"
category = "test"
description = "Answers what it is told."
fields = []
[[resource_types]]
id = "database"
name = "Database"
[[resource_types.permissions]]
id = "READ"
name = "Read"
risk_level = 1
"""


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """A provider that holds whatever it is told to."""
    folder = tmp_path / "providers" / "fake"
    (folder / "programs").mkdir(parents=True)
    (folder / "manifest.toml").write_text(MANIFEST)
    (folder / "__init__.py").touch()
    (folder / "provider.py").write_text(PROVIDER)
    (folder / "programs" / "give.txt").write_text("as shipped")
    return Registry(folder.parent)


def unit(name: str, permission: str = "READ") -> Unit:
    """Return a unit on a database."""
    return Unit("database", name, permission)


def grant(number: int, *units: Unit) -> Grant:
    """Return a grant."""
    return Grant(f"grant-{number}", f"login-{number}", units or (unit("shop"),), 0.0)


def ending(number: int) -> Ending:
    """Return the end of a grant."""
    return Ending(f"grant-{number}", f"login-{number}", (unit("shop"),))


def order(*holds: Grant, gone: tuple[Ending, ...] = (), verb: Verb = Verb.APPLY) -> Order:
    """Return an order."""
    about = verb not in (Verb.CHECK, Verb.DISCOVER)
    desired = Desired(Person("p", "Ada"), holds, gone) if about else None
    return Order("order", 1, verb, "fake", "integration", {}, {}, desired)


def rules(tmp_path: Path, text: str) -> Rules:
    """Return the rules in a text."""
    path = tmp_path / "rules.toml"
    path.write_text(text)
    return read_rules(path)


def do(registry: Registry, given: Rules, what: Order) -> Report:
    """Run an order by these rules."""
    return run(what, on_page=lambda page: None, registry=registry, rules=given)


def outcomes(report: Report) -> dict[tuple[str, str], str]:
    """Return what became of each unit, by grant and resource."""
    return {(one.grant_id, each.unit.resource): each.outcome.value for one in report.grants for each in one.units}


def refusal(report: Report) -> str:
    """Return the words of the refusal of a whole order."""
    assert report.error is not None
    assert report.error.kind is ErrorKind.REFUSED
    return report.error.message


def test_without_a_file_everything_is_done(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LATCHKEY_CONNECTOR_RULES", raising=False)
    report = do(registry, rules_from_environment(), order(grant(1), gone=(ending(2),)))
    assert outcomes(report) == {("grant-1", "shop"): "held", ("grant-2", "shop"): "gone"}


def test_the_file_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("read_only = true")
    monkeypatch.setenv("LATCHKEY_CONNECTOR_RULES", str(path))
    assert rules_from_environment().read_only_line == 1
    monkeypatch.setenv("LATCHKEY_CONNECTOR_RULES", str(tmp_path / "not there"))
    with pytest.raises(Misconfigured, match="not there"):
        rules_from_environment()


@pytest.mark.parametrize("verb", list(Verb))
def test_read_only_changes_nothing(registry: Registry, tmp_path: Path, verb: Verb) -> None:
    given = rules(tmp_path, '# by the owner\nread_only = true\n[[rules]]\nallow = ["*"]\n')
    report = do(registry, given, order(grant(1), verb=verb))
    if verb in (Verb.CHECK, Verb.DISCOVER, Verb.READ_BACK):
        assert report.error is None
    elif verb is Verb.PEOPLE:
        assert report.error is not None and "tells of no people" in report.error.message
    else:
        assert "rules.toml, line 2" in refusal(report)


def test_a_denied_verb_is_refused_with_the_line_of_the_rule(registry: Registry, tmp_path: Path) -> None:
    given = rules(tmp_path, '\n[[rules]]\nallow = ["check"]\n\n[[rules]]\ndeny = ["check", "discover"]\n')
    assert do(registry, given, order(verb=Verb.CHECK)).error is None
    said = refusal(do(registry, given, order(verb=Verb.DISCOVER)))
    assert "rules.toml, line 5" in said
    assert "discover by fake is forbidden" in said


def test_a_rule_about_another_provider_is_not_asked(registry: Registry, tmp_path: Path) -> None:
    given = rules(tmp_path, '[[rules]]\ndeny = ["*"]\nproviders = ["post*"]\n')
    assert do(registry, given, order(grant(1))).error is None


def test_units_that_may_not_be_given_fail_alone_and_are_not_held(registry: Registry, tmp_path: Path) -> None:
    text = '[[rules]]\ndeny = ["grant"]\nresources = ["*prod*"]\nbecause = "by hand"\n'
    both = grant(1, unit("shop"), unit("shop_prod"))
    report = do(registry, rules(tmp_path, text), order(both, grant(2, unit("prod")), gone=(ending(3),)))
    assert outcomes(report) == {
        ("grant-1", "shop"): "held",
        ("grant-1", "shop_prod"): "failed",
        ("grant-2", "prod"): "failed",
        ("grant-3", "shop"): "gone",
    }
    errors = [one.error for entry in report.grants for one in entry.units if one.outcome is UnitOutcome.FAILED]
    assert all(one is not None and one.kind is ErrorKind.REFUSED for one in errors)
    assert all("line 1" in one.message and "(by hand)" in one.message for one in errors if one is not None)
    # What the provider was told: the refused unit is nowhere, and the grant that is nothing else is ended.
    told = registry.provider("fake").apply.__globals__["told"][-1]
    assert [one.units for one in told.holds] == [(unit("shop"),)]
    assert [one.grant_id for one in told.gone] == ["grant-3", "grant-2"]


def test_the_first_rule_that_fits_decides(registry: Registry, tmp_path: Path) -> None:
    text = (
        '[[rules]]\nallow = ["grant"]\nresources = ["test_prod"]\n'
        '[[rules]]\ndeny = ["grant"]\nresources = ["*prod"]\npermissions = ["ADMIN"]\n'
    )
    wanted = grant(1, unit("test_prod", "ADMIN"), unit("prod", "ADMIN"), unit("prod_2", "ADMIN"), unit("a_prod"))
    found = outcomes(do(registry, rules(tmp_path, text), order(wanted)))
    assert [name for (_, name), outcome in found.items() if outcome == "failed"] == ["prod"]


def test_denied_by_default_what_is_not_allowed_is_refused_but_what_was_given_can_be_taken(
    registry: Registry, tmp_path: Path
) -> None:
    given = rules(tmp_path, 'default = "deny"\n[[rules]]\nallow = ["grant"]\nresources = ["shop"]\n')
    found = outcomes(do(registry, given, order(grant(1, unit("shop"), unit("other")), gone=(ending(2),))))
    assert found == {("grant-1", "shop"): "held", ("grant-1", "other"): "failed", ("grant-2", "shop"): "gone"}
    assert "no rule allows check" in refusal(do(registry, given, order(verb=Verb.CHECK)))
    assert do(registry, given, order(verb=Verb.READ_BACK)).error is None


def test_to_revoke_can_be_forbidden_only_out_loud(registry: Registry, tmp_path: Path) -> None:
    given = rules(tmp_path, '[[rules]]\ndeny = ["revoke"]\n')
    assert "revoke by fake is forbidden" in refusal(do(registry, given, order(grant(1), gone=(ending(2),))))
    assert do(registry, given, order(grant(1))).error is None


def test_a_quota_counts_new_grants_and_never_stops_an_end(registry: Registry, tmp_path: Path) -> None:
    now = [0.0]
    given = rules(tmp_path, "[[quotas]]\nper_hour = 2\n")
    given.monotonic = lambda: now[0]
    for _ in range(3):  # the same two grants, ordered again and again, are two
        assert set(outcomes(do(registry, given, order(grant(1), grant(2)))).values()) == {"held"}
    report = do(registry, given, order(grant(1), grant(3), gone=(ending(2),)))
    assert outcomes(report) == {
        ("grant-1", "shop"): "held",
        ("grant-3", "shop"): "failed",
        ("grant-2", "shop"): "gone",
    }
    now[0] = 3601.0
    assert outcomes(do(registry, given, order(grant(3)))) == {("grant-3", "shop"): "held"}


def test_a_quota_on_another_verb_counts_its_orders(registry: Registry, tmp_path: Path) -> None:
    given = rules(tmp_path, '[[quotas]]\nverb = "check"\nper_hour = 1\nproviders = ["fa*"]\n')
    assert do(registry, given, order(verb=Verb.CHECK)).error is None
    assert "1 orders an hour are used up" in refusal(do(registry, given, order(verb=Verb.CHECK)))
    assert do(registry, given, order(grant(1))).error is None


def test_a_program_is_run_from_the_owners_file_and_reported_by_its_digest(registry: Registry, tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("by the owner")
    given = rules(tmp_path, '[[replace]]\nprogram = "fake/give"\nwith = "own.txt"\n')
    report = do(registry, given, order(verb=Verb.CHECK))
    assert report.findings[0].message == "by the owner"
    assert [(one.name, one.digest) for one in report.functions] == [("give", ProgramFile(tmp_path / "own.txt").digest)]


def test_a_pinned_provider_runs_pinned_programs_only(registry: Registry, tmp_path: Path) -> None:
    digest = ProgramFile(registry.programs("fake")["give"]).digest
    pinned = '[[pins]]\nprogram = "fake/{}"\nsha256 = "{}"\n'
    assert do(registry, rules(tmp_path, pinned.format("give", digest)), order(verb=Verb.CHECK)).error is None
    other = do(registry, rules(tmp_path, pinned.format("give", "0" * 64)), order(verb=Verb.CHECK))
    assert "another digest" in refusal(other)
    unnamed = do(registry, rules(tmp_path, pinned.format("take", digest)), order(verb=Verb.CHECK))
    assert "not among them" in refusal(unnamed)
    elsewhere = '[[pins]]\nprogram = "postgresql/give"\nsha256 = "' + "0" * 64 + '"\n'
    assert do(registry, rules(tmp_path, elsewhere), order(verb=Verb.CHECK)).error is None


def test_a_forbidden_program_does_not_run(registry: Registry, tmp_path: Path) -> None:
    given = rules(tmp_path, '[[rules]]\ndeny = ["*"]\nprograms = ["fake/gi*"]\n')
    assert "the program fake/give is forbidden" in refusal(do(registry, given, order(verb=Verb.CHECK)))
    assert do(registry, given, order(gone=(ending(1),))).error is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("colour = 1", "unknown key 'colour'"),
        ('default = "maybe"', "default is"),
        ('read_only = "yes"', "read_only is"),
        ("[rules]\nallow = []", "tables"),
        ('[[rules]]\nallow = ["grant"]\ndeny = ["grant"]', "line 1: a rule has either"),
        ("[[rules]]\nallow = []", "line 1: the verbs are"),
        ('\n\n[[rules]]\ndeny = ["aply"]', "line 3: the verbs are"),
        ('[[rules]]\ndeny = ["grant"]\nresorces = ["a"]', "unknown key 'resorces'"),
        ('[[rules]]\ndeny = ["grant"]\nresources = "a"', "resources is a list of texts"),
        ('[[rules]]\ndeny = ["revoke"]\nresources = ["a"]', "is about granting"),
        ('[[rules]]\ndeny = ["grant"]\nresources = ["a"]\nprograms = ["a/b"]', "not both"),
        ('[[pins]]\nprogram = "a"\nsha256 = "' + "0" * 64 + '"', "provider/program"),
        ('[[pins]]\nprogram = "a/b"\nsha256 = "12"', "64 hex digits"),
        ('[[replace]]\nprogram = "a/b"\nwith = "nowhere.sql"', "there is no file"),
        ("[[quotas]]\nper_hour = -1", "whole number"),
        ('[[quotas]]\nper_hour = 1\nverb = "revoke"', "verb is one of"),
        ("this is no TOML", "rules.toml"),
    ],
)
def test_a_file_that_is_not_understood_stops_the_connector(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=words.replace("(", r"\(")):
        rules(tmp_path, text)


def test_every_verb_of_an_order_has_a_word_in_rules() -> None:
    assert {verb.value for verb in Verb} - set(VERBS) == {Verb.APPLY.value}
    assert GRANT in VERBS


def test_a_refusal_is_an_error_that_says_who_can_change_it(tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        rules(tmp_path, "read_only = true").judge(order(grant(1)))
    assert "owner" in caught.value.fix
