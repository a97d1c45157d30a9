"""The rules of an ACL user, and the units that they make up.

Every unit is a set of rules of its own (Redis calls it a selector), in parentheses, so one never widens another. What a
server says of the commands in it differs from version to version; so each set bears a label that names its type and
permission: a channel pattern in sets that have no command about channels, a key pattern in those that have none about
keys. The marker is a key pattern in a set without any command. None of them opens anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from connectors.contract.errors import Misconfigured
from connectors.contract.orders import Unit
from connectors.toolkit.redis_files import can_be_glued

SERVER = "server"
KEYS = "key-pattern"
CHANNELS = "channel-pattern"
READ, WRITE, ADMIN, SUBSCRIBE, PUBLISH = "READ_ONLY", "READ_WRITE", "ADMIN", "SUBSCRIBE", "PUBLISH"
LEVELS = {SERVER: (READ, WRITE, ADMIN), KEYS: (READ, WRITE), CHANNELS: (SUBSCRIBE, PUBLISH)}
NOTHING = "-@all"
OURS = "latchkey"
PATTERNS = (
    f"Patterns have no white space, quotes, parentheses and backslashes (? stands for any character), and do not begin"
    f" with {OURS}/."
)


class Rules(NamedTuple):
    """A set of rules: the commands in the server's words, the patterns of keys and channels with their prefixes."""

    commands: str
    keys: tuple[str, ...]
    channels: tuple[str, ...]

    @property
    def allows_nothing(self) -> bool:
        """Say whether there is no command in it."""
        return self.commands == NOTHING

    def in_words(self) -> str:
        """Return the rules as Redis writes them."""
        return " ".join([*self.keys, *self.channels, self.commands])


@dataclass(frozen=True, slots=True)
class User:
    """An ACL user of one server. `root` are its rules outside parentheses, `sets` those inside."""

    name: str
    on: bool
    no_password: bool
    hashes: tuple[str, ...]
    root: Rules
    sets: tuple[Rules, ...]

    @property
    def can_login(self) -> bool:
        """Say whether anybody can sign in."""
        return self.on and (self.no_password or bool(self.hashes))


# What a set of rules bears beside its commands: the keys, then the channels.
Shape = tuple[tuple[str, ...], tuple[str, ...]]
CONNECTION: Shape = ((), (f"&{OURS}/connection",))
ROOT = Rules(NOTHING, (), ())


def parse_unit(unit: Unit) -> str:
    """Return the pattern in a unit. Raises Misconfigured when type, permission or pattern is none of ours."""
    if unit.permission not in LEVELS.get(unit.resource_type, ()):
        raise Misconfigured(f"Redis has no permission {unit.permission} on a {unit.resource_type}.")
    if unit.resource_type == SERVER and unit.resource != SERVER:
        raise Misconfigured(f"{unit.resource!r} is no server.", fix=f"There is one, and its id is {SERVER!r}.")
    if not _can_be_offered(unit.resource):
        raise Misconfigured(f"The pattern {unit.resource!r} would mean something else inside a rule.", fix=PATTERNS)
    return unit.resource


def shapes(unit: Unit) -> frozenset[Shape]:
    """Return the sets of rules that make up a unit, by what they bear."""
    label = f"{OURS}/{unit.resource_type}/{unit.permission}"
    pattern = "*" if unit.resource_type == SERVER else unit.resource
    if unit.resource_type == CHANNELS:
        return frozenset({((f"~{label}",), (f"&{pattern}",))})
    reach = f"%R~{pattern}" if unit.permission == READ else f"~{pattern}"
    shape: Shape = ((reach,), (f"&{label}",))
    if unit.permission == ADMIN:
        return frozenset({shape, ((f"~{label}",), ("&*",))})
    return frozenset({shape})


def marker_rules(marker: str) -> Rules:
    """Return the set of rules that bears a marker."""
    return Rules(NOTHING, (f"~{marker}",), ())


def parse_user(name: str, answer: Any) -> User:
    """Return a user from what ACL GETUSER answers."""
    found = _mapping(answer)
    return User(
        name=name,
        on="on" in found["flags"],
        no_password="nopass" in found["flags"],
        hashes=tuple(found["passwords"]),
        root=_rules(found),
        sets=tuple(_rules(_mapping(one)) for one in found.get("selectors", ())),
    )


def _mapping(answer: Any) -> dict[str, Any]:
    """Return names and values that come one after the other."""
    return dict(zip(answer[::2], answer[1::2], strict=True))


def _rules(found: Mapping[str, Any]) -> Rules:
    """Return one set of rules. Up to 6.2 a server answers with lists, and has no sets in parentheses."""
    try:
        return Rules(found["commands"], tuple(found["keys"].split()), tuple(found["channels"].split()))
    except (AttributeError, KeyError) as error:
        raise Misconfigured("The server's ACL is older than Redis 7.", fix="Redis 7 or Valkey is needed.") from error


def pieces(user: User, marker: str) -> Counter[Shape]:
    """Return the sets of rules that a login of ours has beside its marker, by what they bear."""
    return Counter((one.keys, one.channels) for one in user.sets if one != marker_rules(marker))


def our_units(user: User, marker: str, candidates: Iterable[Unit]) -> tuple[frozenset[Unit], frozenset[Unit]]:
    """Return what a login of ours holds: units, and what is beyond any unit, in Redis' words.

    `candidates` are units it may hold; more are read off the labels.
    """
    sets = [one for one in user.sets if one != marker_rules(marker)]
    able = {(one.keys, one.channels) for one in sets if not one.allows_nothing}
    known = {*candidates, *(unit for one in sets if (unit := _labelled(one)) is not None)}
    held = frozenset(unit for unit in known if shapes(unit) <= able)
    explained = {CONNECTION, *(shape for unit in held for shape in shapes(unit))}
    beyond = [one for one in sets if (one.keys, one.channels) not in explained]
    beyond += [user.root] if user.root != ROOT else []
    return held, frozenset(_in_words(one) for one in beyond if not one.allows_nothing)


def _labelled(rules: Rules) -> Unit | None:
    """Return the unit that a set of rules is labelled as."""
    if len(rules.keys) != 1 or len(rules.channels) != 1:
        return None
    for label, reach in ((rules.channels[0][1:], rules.keys[0]), (rules.keys[0][1:], rules.channels[0])):
        word, _, rest = label.partition("/")
        kind, _, permission = rest.partition("/")
        if word == OURS and permission in LEVELS.get(kind, ()):
            return Unit(kind, SERVER if kind == SERVER else reach.removeprefix("%R")[1:], permission)
    return None


def standing_units(user: User) -> frozenset[Unit]:
    """Return what a user that we did not make holds: as units where that can be told, else in Redis' words."""
    sets = [one for one in (user.root, *user.sets) if not one.allows_nothing]
    return frozenset(_recognised(one) or _in_words(one) for one in sets)


def _recognised(rules: Rules) -> Unit | None:
    """Return the unit that a set of rules without a label amounts to, if it is one pattern and one of our levels."""
    words = set(rules.commands.split())
    if len(rules.keys) == 1 and not rules.channels:
        reach = rules.keys[0]
        level = READ if reach.startswith("%R~") and "+@read" in words else ""
        level = WRITE if reach.startswith("~") and {"+@read", "+@write"} <= words else level
        pattern = reach.partition("~")[2]
        if level:
            return Unit(SERVER, SERVER, level) if pattern == "*" else Unit(KEYS, pattern, level)
    if len(rules.channels) == 1 and not rules.keys:
        for level, command in ((SUBSCRIBE, "+subscribe"), (PUBLISH, "+publish")):
            if command in words:
                return Unit(CHANNELS, rules.channels[0][1:], level)
    return None


def _in_words(rules: Rules) -> Unit:
    """Return a set of rules as a unit of the server, in Redis' own words."""
    return Unit(SERVER, SERVER, rules.in_words())


def patterns(text: str, field: str) -> tuple[str, ...]:
    """Return the patterns in a field of the configuration, one a line. Raises Misconfigured naming a bad one."""
    found = tuple(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip()))
    bad = [pattern for pattern in found if not _can_be_offered(pattern)]
    if bad:
        raise Misconfigured(f"{field}: the pattern {bad[0]!r} would mean something else inside a rule.", fix=PATTERNS)
    return found


def _can_be_offered(pattern: str) -> bool:
    """Say whether a pattern may be put into a rule: it stays one word, and is taken for none of our marks."""
    return can_be_glued(pattern) and not pattern.startswith(f"{OURS}/")
