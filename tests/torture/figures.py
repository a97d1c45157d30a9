"""The figures of a run: what was injected, what came of it, and how long it took."""

from __future__ import annotations

import bisect
import statistics
from collections import Counter, defaultdict

from access_requests.models import AccessRequest, DriftFinding, Proof, Revocation, Transition
from tests.torture.checking import Checker
from tests.torture.faults import Hurting

Interval = tuple[float, float]


def merged(intervals: list[Interval]) -> list[Interval]:
    """Return the same times without overlap."""
    found: list[Interval] = []
    for begun, end in sorted(intervals):
        if found and begun <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begun, end))
    return found


def percentiles(values: list[float]) -> str:
    """Return median, 99th percentile and the most."""
    if not values:
        return "none"
    ordered = sorted(values)
    high = ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
    return f"median {statistics.median(ordered):.1f} s, p99 {high:.1f} s, max {ordered[-1]:.1f} s"


def lags(hurting: Hurting) -> tuple[list[float], list[float]]:
    """Return the lag of every proof, and the same without the time in which something was hurt."""
    hurt = merged([(begun, end) for _, begun, end in hurting.began])
    whole, calm = [], []
    for due, ended in Proof.objects.values_list("due_at", "ended_at"):
        first, last = due.timestamp(), ended.timestamp()
        away = sum(max(0.0, min(end, last) - max(begun, first)) for begun, end in hurt)
        whole.append(last - first)
        calm.append(max(0.0, last - first - away))
    return whole, calm


def recoveries(hurting: Hurting) -> dict[str, list[float]]:
    """Return per kind of fault how long it took from its end until the next grant or end settled."""
    settled = sorted(
        at.timestamp()
        for at in Transition.objects.filter(to_state__in=["active", "revoked", "failed"]).values_list("at", flat=True)
    )
    found = defaultdict(list)
    for kind, _, end in hurting.began:
        place = bisect.bisect(settled, end)
        if place < len(settled):
            found[kind].append(settled[place] - end)
    return found


def show(seed: str, seconds: float, checker: Checker, dossiers: int, spent: list[float]) -> None:
    """Print everything."""
    hurting, crowd = checker.hurting, checker.crowd
    whole, calm = lags(hurting)
    states = Counter(AccessRequest.objects.values_list("state", flat=True))
    recovered = recoveries(hurting)
    print(f"\nTorture, {seconds:.0f} s, seed {seed}")
    print(f"  faults {len(hurting.began)}; recovery = from the fault's end until the next grant or end settles:")
    for kind, count in sorted(Counter(kind for kind, *_ in hurting.began).items()):
        print(f"    {count:3} x {kind:18} {percentiles(recovered.get(kind, []))}")
    print(f"  lines cut in the middle of bytes: {hurting.stage.line.cuts}")
    print(f"  with a full disk people read: {dict(hurting.read_while_full)}")
    print(f"  people did: {', '.join(f'{what} {count}' for what, count in sorted(crowd.did.items()))}")
    print(f"  requests {sum(states.values())}: {dict(states)}")
    granted = Transition.objects.filter(to_state="active").count()
    print(f"  granted {granted}, ended {states['revoked']}, proven {len(whole)}")
    print(f"  lag due to proven: {percentiles(whole)}")
    print(f"  the same without the time in which something was hurt: {percentiles(calm)}")
    print(f"  points looked at {checker.points}, of which with nothing at work anywhere {checker.whole};")
    print(f"  compared exactly: {checker.people} times a person in an integration, {checker.compared} grants")
    drift = Counter(DriftFinding.objects.values_list("kind", "state"))
    print(f"  drift: {', '.join(f'{kind} {state} {count}' for (kind, state), count in sorted(drift.items()))}")
    declared = AccessRequest.objects.filter(ended_how="declared").count()
    print(f"  revocations of everything {Revocation.objects.count()}, ends declared {declared}")
    print(f"  dossiers verified offline {dossiers}")
    print(f"  time: ready after {spent[0]:.0f} s, attacked until {spent[1]:.0f} s, all over after {spent[2]:.0f} s;")
    pace = sum(states.values()) / (spent[1] - spent[0])
    print(f"  requests a second {pace:.2f}; the machine was slower than usual x{checker.scale:.1f}")
    print(f"  acknowledged and found again {len(crowd.told)}")
    print(f"  anomalies {len(checker.anomalies)}")
    for one in checker.anomalies:
        print(f"    {one}")
