"""A real target for every provider, one file each: what connectors.vet.stories are told on."""

from __future__ import annotations

import os
import random
from pathlib import Path

# Provider id to its live file.
FILES = {path.stem.replace("_", "-"): path for path in sorted(Path(__file__).parent.glob("[a-z]*.py"))}


def providers(*, whole: bool, sample: int) -> list[str]:
    """Return the ids of all providers or, by the seed of the run, of a few."""
    ids = sorted(FILES)
    if whole or sample >= len(ids):
        return ids
    return sorted(random.Random(os.environ.get("LATCHKEY_TEST_SEED", "")).sample(ids, sample))
