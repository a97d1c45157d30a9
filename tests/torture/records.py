"""The records of what was done, held against each other: proofs and reports, units and requests, dossiers.

`EYE` is a trigger of the harness in our database: it writes down every report that was taken in a second time.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import F

from access_requests.models import AccessRequest, AccessUnit, Dossier, Proof
from audit.models import AuditEntry
from integrations.models import Order
from tests.platform.processes import ROOT

EYE = """
CREATE TABLE seen_twice (order_id uuid);
CREATE FUNCTION see_twice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN INSERT INTO seen_twice VALUES (NEW.id); RETURN NEW; END $$;
CREATE TRIGGER see_twice BEFORE UPDATE OF absorbed_at ON integrations_order FOR EACH ROW
WHEN (OLD.absorbed_at IS NOT NULL AND NEW.absorbed_at IS NOT NULL) EXECUTE FUNCTION see_twice();
"""
# Entries that say the same twice tell of one change that was made twice.
ONCE = ("request.created", "request.granting", "request.active", "request.revoking", "request.revoked", "dossier.made")
# Clocks of two machines, or of a process whose clock was turned, differ by this at most.
CLOCKS = timedelta(seconds=46)


def open_eye() -> None:
    """Set the trigger."""
    with connection.cursor() as cursor:
        cursor.execute(EYE)


def wrong() -> Iterator[str]:
    """Yield what does not fit together, of what is in the database now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT order_id FROM seen_twice")
        for (order,) in cursor.fetchall():
            yield f"the report of order {order} was taken in twice"
    yield from _proofs()
    fits = {
        "active": ("active", "failed", "granting"), "revoked": ("ended", "failed"), "failed": ("ended", "failed"),
        "revoking": ("revoking", "ended", "failed"),
    }  # fmt: skip
    for state, may in fits.items():
        units = AccessUnit.objects.filter(group__request__state=state).exclude(state__in=may)
        for unit, pk in units.values_list("state", "group__request"):
            yield f"AR-{pk} is {state} with a unit that is {unit}"
    rows = AuditEntry.objects.filter(action__in=ONCE).values_list("action", "subject_id")
    seen = set()
    for row in rows:
        if row in seen:
            yield f"{row[0]} of {row[1]} is in the trail twice"
        seen.add(row)


def _proofs() -> Iterator[str]:
    """Every end that is called proven has a proof, and every proof a report that read the target and found nothing."""
    over = AccessRequest.objects.filter(state="revoked", ended_how="proven")
    for pk in over.filter(access_groups__dispatched_at__isnull=False, access_groups__proof=None).values_list("pk"):
        yield f"AR-{pk[0]} is revoked as proven and has no proof"
    proofs = Proof.objects.select_related("order", "group")
    for proof in proofs:
        if proof.order is None:
            continue
        for problem in _problems(proof, proof.order):
            yield f"the proof of grant {proof.group_id} {problem}"
    for pk in proofs.filter(ended_at__lt=F("read_at") - CLOCKS).values_list("group", flat=True):
        yield f"grant {pk} was proven before its target was read"


def _problems(proof: Proof, order: Order) -> Iterator[str]:
    told: Any = order.result.get("read_back")
    if order.state != "done" or told is None:
        yield f"stands on order {order.pk}, {order.state}, which did not read the target back"
    elif str(proof.group_id) in {one["grant_id"] for one in told["ours"]}:
        yield "stands on a read-back that still found it"
    if str(proof.group_id) not in {one["grant_id"] for one in order.desired.get("gone", ())}:
        yield "stands on an order that did not end it"
    if not proof.functions or not proof.reader:
        yield "names no function that read"


def dossiers(folder: Path, env: dict[str, str], page: Any) -> tuple[int, list[str]]:
    """Download the dossier of everything that is over, and check each without the platform; return what is wrong.

    `page` opens an address as an auditor would and returns its text. Files are checked by `manage.py audit
    verify-dossier`, without a database to be reached, and one that was changed must not be believed.
    """
    folder.mkdir(exist_ok=True)
    found, files = [], []
    kept = dict(Dossier.objects.values_list("request", "content"))
    for pk, state, how in AccessRequest.objects.filter(ended_at__isnull=False).values_list("pk", "state", "ended_how"):
        if pk not in kept:
            found.append(f"AR-{pk} is {state} and has no dossier")
            continue
        file = folder / f"{pk}.json"
        # Some by the page, as people do; all as they are kept.
        file.write_text(page(f"/requests/{pk}/dossier/file/") if len(files) % 10 == 0 else kept[pk])
        files.append(file)
        if file.read_text() != kept[pk]:
            found.append(f"the page hands out another dossier of AR-{pk} than the one that is kept")
        if f'"{state}"' not in kept[pk] or (how and f'"{how}"' not in kept[pk]):
            found.append(f"the dossier of AR-{pk} does not say {state} {how}")
    if files:
        forged = folder / "forged.json"
        forged.write_text(files[0].read_text().replace("an incident", "an accident", 1).replace("AR-", "AR-9", 1))
        offline = env | {"LATCHKEY_DATABASE_URL": "postgresql://nobody:none@127.0.0.1:9/none"}
        done = subprocess.run(
            [sys.executable, "-m", "tests.torture.offline", *map(str, [*files, forged])],
            cwd=ROOT, env=offline, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        if done.stdout.split() != [str(forged)]:
            found.append(f"dossiers refused offline: {done.stdout.split()} {done.stderr[-300:]}")
    return len(files), found
