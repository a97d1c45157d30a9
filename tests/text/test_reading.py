"""Read: what is wrong is told with file, line, column, and what to do."""

from __future__ import annotations

import pytest

from flows.text.loading import BYTES_MAX, DEPTH_MAX, load
from flows.text.nodes import Book
from flows.text.problems import BadText
from flows.text.shapes import FLOW, WEBHOOK
from tests.story import Story
from tests.text.conftest import Repository
from tests.text.test_applying import BUNDLE, SCOPE
from tests.text.test_applying import FLOW as NEW


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("duration: 90 min", "durations: 90 min"), "13:1: There is no key “durations” here. Did you mean “duration”?"),
        (("duration: 90 min", ""), "1:1: The key “duration” is missing."),
        (("90 min", "90"), "13:1: Write a time like “8 h” or “1 h 30 min” or “without an end” here, not “90”."),
        (("90 min", "90 s"), "13:1: “90 s” is not in whole minutes."),
        (("mode: any_of", "mode: any"), "9:3: “any” is none of none, any_of, all_of. Did you mean “any_of”?"),
        (("[engineers]", "[2024-01-01]"), "4:30: Write text here, in quotes: found “2024-01-01”, which YAML"),
        (("values: [engineers]", "values: engineers"), "4:21: Write a list here, like [a, b], not “engineers”."),
        (("scope: Fresh", "scope: Fresj"), "6:5: There is no scope “Fresj”. Did you mean “Fresh”?"),
        (
            ("bundle: Fresh kit", "bundel: Fresh kit"),
            "7:5: Say one of integration, bundle, scope, query here: found none",
        ),
        (
            ("any_of:\n    - {type: group, values: [eng", "some_of:\n    - {type: group, values: [eng"),
            "2:1: Say one of any_of, all_of here: found none of them.",
        ),
        (("name: New", "name: ''"), "1:1: Write something here."),
        (
            ("name: New", "name: New\nwindow: {from: '8:00', to: '18:00', days: [monday], time_zone: UTC}"),
            "2:10: “8:00” is",
        ),
        (
            ("name: New", "name: New\nwindow: {from: '08:00', to: '18:00', days: [mondy], time_zone: UTC}"),
            "2:45: “mondy” is none of monday, ",
        ),
        (
            ("name: New", "name: New\nwindow: {from: '08:00', to: '18:00', days: [monday], time_zone: Berlin}"),
            "2:54: “Berlin” is not a time zone like “Europe/Berlin”.",
        ),
        (("name: New", "name: New\nextensions: {times: 2}"), "2:1: Say “times” and “each”, or leave extensions out."),
        (("name: New", "name: New\ntrigger: automatic"), "9:1: An automatic flow asks nobody"),
        (("name: New", "name: New\nchecks: [Nobody]"), "2:10: There is no webhook “Nobody”. There is none yet."),
        (("name: New", "name: New\nsettings: {ticket_pattern: '('}"), "2:12: “(” is no regular expression"),
        (("name: New", "name: New\nname: Old"), '2:1: Found duplicate key "name"'),
    ],
)
def test_a_flow_that_is_wrong_is_told_where_and_what_to_do(
    story: Story, repository: Repository, change: tuple[str, str], told: str
) -> None:
    for file, text in (("scopes/a.yaml", SCOPE), ("bundles/b.yaml", BUNDLE)):
        repository.write(file, text)
    assert change[0] in NEW
    repository.write("flows/new.yaml", NEW.replace(*change))
    with pytest.raises(BadText) as refused:
        repository.plan()
    assert any(str(one).startswith(f"flows/new.yaml:{told}") for one in refused.value.problems), str(refused.value)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("integration: Server", "integration: Serve"), "3:5: There is no integration “Serve”. Did you mean “Server”?"),
        (
            ("resource_type: database", "resource_type: databse"),
            "4:5: Server has no resource type “databse”. Did you mean",
        ),
        (("[ADMIN]", "[ADMIN, READ]"), "5:5: There is no permission “READ” here."),
        (("query: resource_name", "query: resource_nam"), "13:5: This query cannot be read: Line 1, column 1:"),
        (("  - scope: Fresh", "  - bundle: Fresh kit"), "12:5: Say one of integration, scope, query here"),
    ],
)
def test_a_bundle_that_is_wrong_is_told_where_and_what_to_do(
    story: Story, repository: Repository, change: tuple[str, str], told: str
) -> None:
    repository.write("scopes/a.yaml", SCOPE)
    assert change[0] in BUNDLE
    repository.write("bundles/b.yaml", BUNDLE.replace(*change))
    with pytest.raises(BadText) as refused:
        repository.plan()
    assert any(str(one).startswith(f"bundles/b.yaml:{told}") for one in refused.value.problems), str(refused.value)


def test_everything_that_is_wrong_is_told_at_once(story: Story, repository: Repository) -> None:
    repository.write("flows/new.yaml", NEW.replace("90 min", "long").replace("any_of\n", "any\n"))
    repository.write("scopes/a.yaml", SCOPE.replace("env", "en"))
    repository.write("scopes/b.yaml", "name: B\nquery: env = 1\nmore: 1")
    with pytest.raises(BadText) as refused:
        repository.plan()
    assert {one.file for one in refused.value.problems} == {"flows/new.yaml", "scopes/b.yaml"}
    assert len(refused.value.problems) == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: &x 1", "x:1:4: Anchors"),
        ("a: &x [1]\nb: *x", "x:1:4: Anchors"),
        ("a: !!python/object:os.system x", "x:1:4: Tags are not read"),
        ("a: !!str x", "x:1:4: Tags are not read"),
        ("a: {<<: {b: 1}}", "x:1:5: Merges"),
        ("a: 1\n---\nb: 1", "x:2:1: Write one document"),
        ("- a", "x:1:1: Begin with"),
        ("", "x:1:1: Begin with"),
        ("a: [", "x:1:5: This is no YAML"),
        ("a: \x00", "x:1:1: This is no YAML"),
        ("a: " + "[" * (DEPTH_MAX + 1) + "]" * (DEPTH_MAX + 1), f"x:1:{DEPTH_MAX + 3}: This is nested deeper"),
        ("a: [" + "1," * 20_000 + "1]", "x:1:"),
        ("a: " + "x" * BYTES_MAX, "x: The file is larger"),
    ],
)
def test_more_than_plain_yaml_is_refused(text: str, told: str) -> None:
    with pytest.raises(BadText) as refused:
        load(text.encode(), "x")
    assert str(refused.value).startswith(told)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(BadText, match="x:2:1: Save the file as UTF-8"):
        load(b"a: 1\nb: \xff", "x")


def test_an_alias_bomb_is_refused_before_it_is_read() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 40))]
    with pytest.raises(BadText, match="x:1:5: Anchors"):
        load("\n".join(lines).encode(), "x")


@pytest.mark.parametrize(
    ("file", "told"),
    [
        (
            "databases.yaml",
            "databases.yaml: This file is not read here. Files lie in webhooks, scopes, spaces, bundles, flows.",
        ),
        ("flow/databases.yaml", "flow/: This folder is not read. Did you mean “flows”?"),
        ("flows/team/databases.yaml", "flows/team/: Folders within are not read: move the files up."),
    ],
)
def test_a_file_that_would_be_overlooked_is_told(story: Story, repository: Repository, file: str, told: str) -> None:
    repository.write(file, NEW)
    with pytest.raises(BadText) as refused:
        repository.plan()
    assert str(refused.value) == told


def test_two_files_about_one_thing_and_links_are_refused(story: Story, repository: Repository) -> None:
    first = repository.write("scopes/a.yaml", SCOPE)
    repository.write("scopes/b.yaml", SCOPE)
    (repository.root / "scopes/c.yaml").symlink_to(first)
    with pytest.raises(BadText) as refused:
        repository.plan()
    assert [str(one) for one in refused.value.problems] == [
        "scopes/b.yaml:1:1: scopes/a.yaml is about this scope, too: remove one of the two.",
        "scopes/c.yaml: This is no file of its own (links are not followed): replace it.",
    ]


def test_a_folder_that_is_not_there_is_told(story: Story, repository: Repository) -> None:
    with pytest.raises(BadText, match="There is no such folder"):
        repository.plan()


def test_a_webhook_names_its_secrets_and_never_tells_them() -> None:
    text = b'name: A\nurl: https://a.example/\nsecrets: {"header:Authorization": Bearer abc}'
    book = Book("w")
    WEBHOOK.read(load(text, "w"), (), book)
    assert [str(one) for one in book.problems] == ["w:3:11: “Bearer abc” is none of kept."]


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("8 h", 28800),
        ("90 min", 5400),
        ("1 h 30 min", 5400),
        ("1h30min", 5400),
        ("2 days", 172800),
        ("1 d 1 min", 86460),
    ],
)
def test_durations_are_read_as_people_write_them(words: str, seconds: int) -> None:
    assert FLOW.fields["duration"].read(words, (), Book()) == seconds


@pytest.mark.parametrize(
    "words", ["", "0 h", "h", "30 min 1 h", "1 h 1 h", "-1 h", "1.5 h", "1 week", "9999999 d", "8"]
)
def test_what_is_no_duration_is_refused(words: str) -> None:
    book = Book()
    FLOW.fields["duration"].read(words, (), book)
    assert len(book.problems) == 1
