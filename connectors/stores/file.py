"""Secrets in files of one folder, which LATCHKEY_SECRETS_FOLDER names; /run/secrets without it, as containers have it.

Nothing outside the folder can be named: not by `..`, not by a link.
"""

from __future__ import annotations

import os
from pathlib import Path

from connectors.contract.errors import Misconfigured, NotPermitted, TargetMissing
from connectors.contract.provider import Run

VARIABLE = "LATCHKEY_SECRETS_FOLDER"
DEFAULT = "/run/secrets"
SIZE_MAX = 64 * 2**10


class Files:
    """Reads files."""

    def read(self, reference: str, run: Run) -> str:
        """Return the text of a file, without the line end at its end."""
        folder = Path(os.environ.get(VARIABLE) or DEFAULT).resolve()
        path = (folder / reference).resolve()
        if folder not in path.parents:
            raise Misconfigured(f"{reference!r} is not in the folder {folder}.", fix=f"{VARIABLE} names the folder.")
        try:
            if path.stat().st_size > SIZE_MAX:
                raise Misconfigured(f"{path} is larger than {SIZE_MAX // 2**10} kB.")
            return path.read_text(encoding="utf-8").removesuffix("\n").removesuffix("\r")
        except FileNotFoundError as error:
            raise TargetMissing(f"There is no file {path}.", fix="Make it, readable by the connector alone.") from error
        except PermissionError as error:
            raise NotPermitted(f"{path} may not be read by the connector.") from error
        except (OSError, UnicodeDecodeError) as error:
            raise Misconfigured(f"{path} cannot be read as text ({type(error).__name__}).") from error


STORE = Files()
