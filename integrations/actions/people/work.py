"""What every step of taking over shares."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from audit.actor import Actor
from integrations.actions.people.settings import actor_of
from integrations.models import Directory, Integration, Origin, SyncRun

# Warnings that one run keeps; those beyond are counted only.
WARNINGS_KEPT = 200
_AT_ONCE = 500


@dataclass(slots=True)
class Work:
    """A run being taken over: whose word it is, and what is kept of it. `kept` are rows that come up again later."""

    run: SyncRun
    integration: Integration
    directory: Directory
    mapping: tuple[tuple[str, str], ...]
    actor: Actor
    at: datetime
    kept: set[int] = field(default_factory=set)

    @classmethod
    def of(cls, run: SyncRun, at: datetime) -> Work:
        """Return the work on a run."""
        directory = run.integration.directory
        mapping = tuple((one.path, one.type) for one in directory.attributes.all())
        return cls(run, run.integration, directory, mapping, actor_of(run.integration), at)

    def warn(self, words: str) -> None:
        """Keep what could not be taken over; the rest goes on."""
        if len(self.run.warnings) < WARNINGS_KEPT:
            self.run.warnings = [*self.run.warnings, words[:300]]

    def people(self, keys: Iterable[str]) -> dict[str, Origin]:
        """Return what is known of the directory's people, by source id."""
        return self._origins(keys, "user")

    def groups(self, keys: Iterable[str]) -> dict[str, Origin]:
        """Return what is known of the directory's groups, by source id."""
        return self._origins(keys, "group")

    def digest(self, told: object) -> str:
        """Return the digest of what is told of somebody, under the present mapping."""
        text = json.dumps([told, self.mapping], sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()

    def _origins(self, keys: Iterable[str], kind: str) -> dict[str, Origin]:
        wanted, found = list(dict.fromkeys(keys)), {}
        rows = Origin.objects.filter(integration=self.integration, **{f"{kind}__isnull": False}).select_related(kind)
        for start in range(0, len(wanted), _AT_ONCE):
            some = rows.filter(source_id__in=wanted[start : start + _AT_ONCE])
            found.update({one.source_id: one for one in some})
        return found
