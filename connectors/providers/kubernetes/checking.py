"""Tries, before anybody depends on it, whether the connector can do its work here, and what would undo it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

from connectors.contract.errors import Misconfigured, NotPermitted, TargetError, TargetMissing
from connectors.contract.orders import Finding, Grant, Order, Person
from connectors.contract.provider import Run
from connectors.providers.kubernetes import programs
from connectors.providers.kubernetes.accounts import SAME_MOMENT_SECONDS, TOKEN_MIN_SECONDS, Credentials, Giving, make
from connectors.providers.kubernetes.discovery import ANYWHERE
from connectors.providers.kubernetes.ending import OVER
from connectors.providers.kubernetes.names import LEVELS, RoleRef, moment, seconds, selector
from connectors.providers.kubernetes.rules import RBAC, Rules, own_rules, refusal
from connectors.providers.kubernetes.server import Target, target
from connectors.toolkit.kubernetes import ApiServer

OLDEST = (1, 20)
PROBE = "latchkey-probe"
CLEANING_SECONDS = 5.0
NAMED = 5
BOOTSTRAP = "kubernetes.io/bootstrapping"
# What the connector needs everywhere, and where its accounts lie: verb, group, resource.
READS = (
    ("get", "", "namespaces"),
    ("list", "", "namespaces"),
    ("get", RBAC, "roles"),
    ("list", RBAC, "roles"),
    ("get", RBAC, "clusterroles"),
    ("list", RBAC, "clusterroles"),
    ("list", RBAC, "rolebindings"),
    ("list", RBAC, "clusterrolebindings"),
    ("create", "authorization.k8s.io", "subjectaccessreviews"),
)
KEEPS = (
    ("list", "", "serviceaccounts"),
    ("create", "", "serviceaccounts"),
    ("delete", "", "serviceaccounts"),
    ("create", "", "serviceaccounts/token"),
)
TOO_MUCH = (
    ("*", "*", "*", "everything"),
    ("escalate", RBAC, "clusterroles", "escalate roles"),
    ("impersonate", "", "users", "act as anybody"),
    ("get", "", "secrets", "read secrets everywhere"),
)
EVERYBODY = ("system:authenticated", "system:unauthenticated", "system:serviceaccounts")


def check(order: Order, run: Run) -> tuple[Finding, ...]:
    """Return what was found. Raises a TargetError when there is no way in at all."""
    with target(order, run) as at:
        findings = [*_way_in(at)]
        anywhere, home = own_rules(at, ANYWHERE), own_rules(at, at.namespace)
        findings += _rights(at, anywhere, home)
        findings += _offers(at, anywhere)
        if not at.users:
            findings += _token(at, order, run)
        findings += _everybody(at)
        findings.append(_OPEN_REQUESTS)
        return tuple(findings)


_OPEN_REQUESTS = Finding(
    "warning",
    "The API server does not cut requests that are open when access ends: who watches then sees changes until the watch"
    " is over by itself (an hour at most, as the API server comes), and an exec or port-forward goes on.",
    "Shorten watches with --min-request-timeout of the API server; end a shell by deleting its pod.",
)


def _way_in(at: Target) -> Iterator[Finding]:
    """Say what answered."""
    data = at.api.read(programs.VERSION).data
    digits = ["".join(filter(str.isdigit, str(data.get(name, "")))) for name in ("major", "minor")]
    version = tuple(int(one or 0) for one in digits)
    yield Finding("ok", f"Kubernetes {data.get('gitVersion', '')} answers at {at.api.base}.")
    if version < OLDEST:
        yield Finding(
            "error", "The cluster is older than Kubernetes 1.20.", "Upgrade it: 1.20 is the oldest that is tried."
        )


def _rights(at: Target, anywhere: Rules, home: Rules) -> Iterator[Finding]:
    """Say what the connector may do: too little, or more than it should."""
    keeps = () if at.users else KEEPS
    lacking = [f"{verb} {resource}" for verb, group, resource in READS if not anywhere.allow(verb, group, resource)]
    lacking += [
        f"{verb} {resource} in {at.namespace}"
        for verb, group, resource in keeps
        if not home.allow(verb, group, resource)
    ]
    level = "warning" if anywhere.incomplete else "error"
    if lacking:
        yield Finding(level, f"The connector may not: {', '.join(lacking)}.", "Apply setup/1_connector.yaml.")
    else:
        yield Finding("ok", "The connector may read roles and bindings, and keep accounts where they belong.")
    for verb, group, resource, words in TOO_MUCH:
        if anywhere.allow(verb, group, resource):
            yield Finding(
                "warning",
                f"The connector may {'do ' if verb == '*' else ''}{words}: far more than it needs.",
                "Use the account of setup/1_connector.yaml, and nothing else.",
            )
            return


def _offers(at: Target, anywhere: Rules) -> Iterator[Finding]:
    """Say what can be given."""
    for kind, namespace, what in (
        ("namespace", ANYWHERE, "in every namespace"),
        ("cluster", "", "in the whole cluster"),
    ):
        refs = {level: RoleRef(namespace, "ClusterRole", role) for level, role in LEVELS[kind].items()}
        ready = [level for level, ref in refs.items() if not refusal(anywhere, ref)]
        if ready:
            yield Finding("ok", f"Ready to be given {what}: {', '.join(ready)}.")
        elif kind == "namespace":
            yield Finding(
                "warning",
                "No level can be given in every namespace; perhaps in single ones.",
                "Apply setup/2_namespaces.yaml, for all namespaces or for those that may be asked for.",
            )


def _token(at: Target, order: Order, run: Run) -> Iterator[Finding]:
    """Try with an account that may do nothing whether tokens are made. It is removed whatever happens."""
    nobody = Person(PROBE, PROBE)
    left = at.api.every(programs.ACCOUNTS, namespace=at.namespace, selector=selector(order.integration_id, nobody))
    for meta in (one["metadata"] for one in left):
        _drop_probe(at.api, at.namespace, meta["name"], meta["uid"])
    if order.dry_run:
        return
    ends_at = moment(at.api.now + TOKEN_MIN_SECONDS)
    grant = Grant(PROBE, PROBE, (), at.api.now + TOKEN_MIN_SECONDS, wants_credentials=True)
    made = Credentials()
    try:
        giving = make(at, Giving(grant, order.integration_id, nobody, ends_at), made)
        yield _verdict(seconds(giving.ends_at) - at.api.now)
    except (NotPermitted, TargetMissing, Misconfigured) as error:
        yield Finding("error", f"No token can be made: {error.message}", "Apply setup/1_connector.yaml.")
    finally:
        if made.account is not None:
            # Also after the lease, and on a connection of its own. If even that fails, the next check finds it.
            unleashed = replace(run, alive=lambda: None, remaining=lambda: CLEANING_SECONDS)
            with suppress(TargetError), ApiServer(at.api.cluster, unleashed) as api:
                _drop_probe(api, at.namespace, made.account.name, made.account.uid)


def _verdict(lasts: float) -> Finding:
    """Say what it means that a token which was to last ten minutes lasts so long."""
    if lasts > TOKEN_MIN_SECONDS + SAME_MOMENT_SECONDS:
        return Finding(
            "warning",
            f"The API server lengthens tokens: ten minutes became {lasts / 60:.0f}.",
            "Turn off --service-account-extend-token-expiration of the API server.",
        )
    return Finding("ok", "The API server makes tokens that end by themselves (ten minutes is the shortest).")


def _drop_probe(api: ApiServer, namespace: str, name: str, uid: str) -> None:
    """Delete a probe."""
    api.change(programs.DROP_ACCOUNT, accept=OVER, namespace=namespace, account=name, uid=uid)


def _everybody(at: Target) -> Iterator[Finding]:
    """Say what every account of ours may do without being given it, beyond what comes with Kubernetes."""
    groups = {*EVERYBODY, f"system:serviceaccounts:{at.namespace}"}
    found = []
    for program in (programs.CLUSTER_ROLE_BINDINGS, programs.ROLE_BINDINGS):
        for item in at.api.every(program):
            labels = item["metadata"].get("labels") or {}
            names = {one["name"] for one in item.get("subjects") or () if one["kind"] == "Group"}
            if names & groups and BOOTSTRAP not in labels:
                found.append(
                    f"{item['metadata']['name']} ({item['roleRef']['name']} to {', '.join(sorted(names & groups))})"
                )
    if found:
        more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
        yield Finding(
            "warning",
            f"Everybody who signs in has more than they were granted, by {', '.join(sorted(found)[:NAMED])}{more}.",
            "Delete these bindings, or bind their roles to those who need them.",
        )
