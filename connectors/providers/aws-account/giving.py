"""Gives access: one user per grant, with its policies, groups and key. What denies is written before what allows."""

from __future__ import annotations

import hashlib
import shlex
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from connectors.contract.errors import LeaseLost, Misconfigured, TargetError, TargetMissing
from connectors.contract.orders import Grant, Unit
from connectors.contract.secret import Secret
from connectors.toolkit.aws import compact

from . import programs
from .account import Account
from .ending import Ended, take_policy
from .kinds import is_tag
from .names import POLICY, Marker
from .policies import ATTACHED_MAX, Packed, pack
from .reading import Login, State
from .wanting import Wanted

Key = tuple[str, Secret]


@dataclass(slots=True)
class Given:
    """What became of one grant."""

    errors: dict[Unit, TargetError] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    key: Key | None = None


def give(at: Account, state: State, grant: Grant, wanted: list[Wanted]) -> Given:
    """Make the user of a grant hold its units and nothing else; a unit that fails leaves the others alone."""
    given = Given({one.unit: one.error for one in wanted if one.error is not None})
    good = [one for one in wanted if one.error is None]
    if wanted and not good:
        return given  # not one unit can be given: no user is made for nothing
    try:
        packed = pack(at, grant.login, [allow for one in good for allow in one.allows], grant.ends_at)
        _check_number(good, packed)
        login = state.held(grant) or _create(at, state.marker.of(grant.grant_id), grant)
        _write(at, state.marker.of(grant.grant_id), login, packed)
        _attach(at, login, good, given)
        if not _may_be_surplus(wanted):
            _take_surplus(at, login, good, given)
        _key(at, login, grant, given)
    except LeaseLost:
        raise
    except TargetError as error:
        given.errors |= dict.fromkeys((one.unit for one in good), error)
    return given


def new_key(at: Account, login: Login) -> Key | None:
    """Give a user of ours a new key in place of those it has; nothing in a dry run."""
    for old in login.keys:
        at.cloud.change(programs.DROP_KEY, login=login.name, key=old)
    made = at.cloud.change(programs.CREATE_KEY, login=login.name)
    if made is None:
        return None
    key = made["AccessKey"]
    login.keys = [key["AccessKeyId"]]
    return key["AccessKeyId"], Secret(key["SecretAccessKey"])


def details(at: Account, grant: Grant) -> dict[str, Any]:
    """Return what is needed to use it, but for the key."""
    region, login = at.place.region, grant.login
    set_region = f"aws configure set region {shlex.quote(region)} --profile {shlex.quote(login)}"
    found: dict[str, Any] = {
        "account": at.place.account,
        "region": region,
        "username": login,
        "profile": f"[profile {login}]\nregion = {region}\n",
        "command": f"{set_region} && aws configure --profile {shlex.quote(login)}",
    }
    named = [unit for unit in grant.units if not is_tag(unit) and not unit.resource.endswith("*")]
    instances = [unit.resource.rpartition("/")[2] for unit in named if unit.permission == "CONNECT"]
    roles = [unit.resource for unit in named if unit.resource_type == "iam-role"]
    start = [f"aws ssm start-session --target {shlex.quote(one)} --profile {shlex.quote(login)}" for one in instances]
    assume = [
        f"aws sts assume-role --role-arn {shlex.quote(one)} --role-session-name {shlex.quote(login)}"
        f" --profile {shlex.quote(login)}"
        for one in roles
    ]
    if start or assume:
        found["commands"] = "\n".join([*start, *assume])
    return found


def _check_number(good: list[Wanted], packed: Packed) -> None:
    """Raise Misconfigured for more managed policies than a user can have while old ones make room for new ones."""
    attached = {one.attached for one in good if one.attached and one.unit.resource_type == "iam-policy"}
    number = len(attached) + 2 * len(packed.managed)
    if number > ATTACHED_MAX:
        raise Misconfigured(
            f"A user can have {ATTACHED_MAX} managed policies; this grant would need {number}.",
            fix="Ask for fewer policies at once, or separately from the resources.",
        )


def _create(at: Account, marker: Marker, grant: Grant) -> Login:
    """Make the user of a grant: bounded and marked from its first moment. Raises Refused for a name that is taken."""
    made = at.cloud.change(
        programs.CREATE_USER,
        login=grant.login,
        path=marker.path,
        boundary=at.boundary,
        integration=marker.integration,
        person=marker.person,
        grant=marker.grant,
    )
    arn = made["User"]["Arn"] if made is not None else ""
    return Login(grant.login, arn, grant.grant_id)


def _write(at: Account, marker: Marker, login: Login, packed: Packed) -> None:
    """Write the policies that differ from what is there; new ones first, so that nothing is missing meanwhile."""
    if not at.cloud.dry_run and (login.inline.get(POLICY) != packed.inline or packed.managed):
        for file in packed.files:
            at.cloud.run.note(file)
    for document in packed.managed:
        text = compact(document)
        name = f"{login.name[:100]}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
        arn = at.place.arn("iam", f"policy{marker.path}{name}", region=False)
        if login.own.get(arn) == document:
            continue
        if arn in login.own:  # somebody changed it
            take_policy(at, login.name, arn)
        _make_policy(at, marker, arn, name, text)
        at.cloud.change(programs.GRANT_POLICY, login=login.name, policy=arn)
        login.own[arn] = document
    if login.inline.get(POLICY) != packed.inline:
        text = compact(packed.inline)
        at.cloud.change(programs.SET_USER_POLICY, login=login.name, name=POLICY, document=text)
        login.inline[POLICY] = packed.inline
    for arn in [arn for arn, document in login.own.items() if document not in packed.managed]:
        take_policy(at, login.name, arn)
        del login.own[arn]


def _make_policy(at: Account, marker: Marker, arn: str, name: str, text: str) -> None:
    """Make a managed policy; its name says what is in it, so one that is there already is the same, or is replaced."""
    try:
        at.cloud.read(programs.POLICY, policy=arn)
        at.cloud.change(programs.DROP_POLICY, policy=arn)
    except TargetMissing:
        pass
    at.cloud.change(
        programs.CREATE_POLICY,
        name=name,
        path=marker.path,
        document=text,
        integration=marker.integration,
        person=marker.person,
        grant=marker.grant,
    )


def _attach(at: Account, login: Login, good: list[Wanted], given: Given) -> None:
    """Give the policies and groups of others."""
    for one in good:
        if not one.attached or one.attached in login.attached:
            continue
        name = one.attached.rpartition("/")[2]
        try:
            if one.unit.resource_type == "iam-group":
                at.cloud.read(programs.GROUP, group=name)
                at.cloud.change(programs.GRANT_GROUP, login=login.name, group=name)
            else:
                at.cloud.change(programs.GRANT_POLICY, login=login.name, policy=one.attached)
        except LeaseLost:
            raise
        except TargetError as error:
            given.errors[one.unit] = error


def _may_be_surplus(wanted: list[Wanted]) -> bool:
    """Say whether what looks like too much may belong to a unit that could not be resolved just now."""
    return any(one.error is not None and not isinstance(one.error, TargetMissing) for one in wanted)


def _take_surplus(at: Account, login: Login, good: list[Wanted], given: Given) -> None:
    """Take what the user has beyond the grant."""
    ended, should = Ended(), {one.attached for one in good}
    for name in [name for name in login.inline if name != POLICY]:
        ended.attempt(partial(at.cloud.change, programs.DELETE_USER_POLICY, login=login.name, name=name))
    for arn in [arn for arn in login.policies if arn not in should]:
        ended.attempt(partial(at.cloud.change, programs.REVOKE_POLICY, login=login.name, policy=arn))
    for arn, group in login.groups.items():
        if arn not in should:
            ended.attempt(partial(at.cloud.change, programs.REVOKE_GROUP, login=login.name, group=group))
    given.warnings += [error.message for error in ended.errors]


def _key(at: Account, login: Login, grant: Grant, given: Given) -> None:
    """Make a key where one is wanted; it comes last, when all that it opens is in place."""
    if grant.wants_credentials:
        given.key = new_key(at, login)
    elif not login.keys:
        given.warnings.append(f"The user {grant.login} has no key: it needs a new one.")
