"""Sealing: in commit order, each entry once, however many seal at the same time."""

from __future__ import annotations

import datetime
import threading
import uuid

import pytest
from django.db import connection, transaction

from audit import actions, chain, queries
from audit.models import AuditEntry, AuditSeal, UnsealedEntry
from audit.tasks import seal as seal_task
from audit.verify import verify
from tests.audit.trail import write

NOON = datetime.datetime(2026, 1, 31, 12, tzinfo=datetime.UTC)


def test_entries_are_chained_in_order_and_wait_no_more(db: None) -> None:
    write(3)
    assert queries.unsealed_count() == 3
    assert actions.seal(at=NOON) == 3
    assert queries.unsealed_count() == 0
    ids = list(AuditEntry.objects.order_by("id").values_list("id", flat=True))
    assert list(AuditSeal.objects.values_list("sequence", "entry_id")) == list(enumerate(ids, 1))
    digest = chain.NO_DIGEST
    for seal in AuditSeal.objects.select_related("entry"):
        digest = chain.link(digest, seal.sequence, NOON, seal.entry)
        assert (seal.digest, seal.sealed_at) == (digest, NOON)
    assert queries.head() == (3, digest)


def test_nothing_to_seal_is_nothing_done(db: None) -> None:
    assert actions.seal() == 0
    assert queries.head() == (0, chain.NO_DIGEST)


def test_a_limit_leaves_the_rest_for_the_next_time(db: None) -> None:
    write(5)
    assert [actions.seal(limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert verify().breaks == []


def test_more_than_one_statements_worth_is_sealed_at_once(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(actions, "_AT_ONCE", 10)
    write(25)
    assert actions.seal() == 25
    assert (verify().links, queries.unsealed_count()) == (25, 0)


def test_the_task_seals_batch_after_batch(db: None) -> None:
    AuditEntry.objects.bulk_create(
        [AuditEntry(action="a.b", actor_kind="system", source="system") for _ in range(1001)], batch_size=500
    )
    assert seal_task() == 1001
    assert seal_task() == 0


def test_a_digest_is_the_same_on_every_database_and_in_every_version(db: None) -> None:
    entry = AuditEntry(
        id=7, operation=uuid.UUID(int=7), at=NOON, action="door.opened", actor_kind="user", actor_id="1",
        actor_name="Rita Ü", actor_email="rita@example.com", source="portal", subject_type="door", subject_id="2",
        subject_name="Front", details={"b": [1, None, "é"], "a": True},
    )  # fmt: skip
    entry.save(force_insert=True)
    stored = AuditEntry.objects.get()
    assert (
        chain.link(chain.NO_DIGEST, 1, NOON, stored)
        == "0c484071c64fbe431830dcd7e9ea06e78f6da7c056b475ee1e03e5a9a2fec4e4"
    )


def test_every_column_is_in_the_digest() -> None:
    assert set(chain.FIELDS) == {field.name for field in AuditEntry._meta.concrete_fields}


def _in_threads(count: int, work: object) -> list[object]:
    """Run `work` in `count` threads that begin together; return their results. A thread that raises fails the test."""
    barrier, results = threading.Barrier(count), []

    def run() -> None:
        try:
            barrier.wait(10)
            results.append(work())  # type: ignore[operator]
        except BaseException as error:  # noqa: BLE001  # told by the caller
            results.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    failed = [result for result in results if isinstance(result, BaseException)]
    assert not failed, failed
    return results


def test_two_sealers_at_once_do_no_harm(fresh_database: str) -> None:
    for _ in range(5):
        write(200)
        counts = _in_threads(4, lambda: actions.seal(limit=150))
        assert sum(counts) >= 150  # type: ignore[call-overload]
    while actions.seal():
        pass
    report = verify()
    assert (report.links, report.unsealed, report.breaks) == (1000, 0, [])


def test_writers_and_sealers_at_once_lose_nothing(fresh_database: str) -> None:
    def work() -> None:
        for _ in range(20):
            write(3)
            actions.seal()

    _in_threads(4, work)
    actions.seal()
    report = verify()
    assert (report.links, report.unsealed, report.breaks) == (240, 0, [])


def test_a_second_sealer_stands_back_while_one_is_at_work(fresh_database: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("on SQLite the second one waits for the only writer instead")
    write(2)
    with transaction.atomic():
        assert actions.seal(limit=1) == 1
        assert _in_threads(1, actions.seal) == [0]
    assert _in_threads(1, actions.seal) == [1]


def test_an_entry_that_commits_late_is_chained_where_it_appeared(fresh_database: str) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time, so numbers follow commits")
    with transaction.atomic():
        write()
        _in_threads(1, write)
        assert _in_threads(1, actions.seal) == [1]
    assert actions.seal() == 1
    early, late = AuditEntry.objects.order_by("id")
    assert list(AuditSeal.objects.values_list("entry_id", flat=True)) == [late.pk, early.pk]
    assert verify().breaks == []


def test_a_sealer_that_dies_leaves_everything_as_it_was(fresh_database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(3)
    monkeypatch.setattr(actions, "UnsealedEntry", None)
    with pytest.raises(AttributeError):
        actions.seal()
    monkeypatch.undo()
    assert (AuditSeal.objects.count(), UnsealedEntry.objects.count()) == (0, 3)
    assert actions.seal() == 3
