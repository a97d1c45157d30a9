"""PowerShell programs as files: what a script must be, and what it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.contract.errors import Misconfigured
from connectors.contract.secret import Secret
from connectors.registry import BUILT_IN
from connectors.toolkit.powershell_files import PowerShellFile

HEAD = "Set-StrictMode -Version 1\n$ErrorActionPreference = 'Stop'\n"
GOOD = f"""# Does something. (It says "what", and isn't more.)
# needs: a right
param(
    [Parameter(Mandatory)] [string] $Group, # a ) here
    [ValidateSet('a', "b`"c")] [string] $RecordName = $(if ($true) {{ 'x' }} else {{ $null }}),
    [int] $Seconds
)
{HEAD}
Get-Thing -Filter {{ Name -eq $Group }} | ForEach-Object {{ $_.Name }}
"""


def script(folder: Path, text: str) -> PowerShellFile:
    path = folder / "program.ps1"
    path.write_text(text)
    return PowerShellFile(path)


def test_the_parameters_are_the_slots(tmp_path: Path) -> None:
    program = script(tmp_path, GOOD)
    assert program.slots == {"group", "record_name", "seconds"}
    assert program.needs == "a right"
    given = {"group": "x'; Remove-Thing", "record_name": Secret("hush"), "seconds": 5}
    assert program.compose(given) == {"Group": "x'; Remove-Thing", "RecordName": "hush", "Seconds": 5}
    words = program.in_words(given)
    assert words.startswith("# -Group 'x''; Remove-Thing'\n# -RecordName '(secret)'\n# -Seconds 5\n# Does something.")


def test_other_values_than_the_slots_are_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="slots"):
        script(tmp_path, GOOD).compose({"group": "x"})


@pytest.mark.parametrize(
    "line",
    [
        "Invoke-Expression $Group",
        "iex $Group",
        "& $Group",
        ". $Group",
        "x | & 'name'",
        "[scriptblock]::Create($Group)",
        "$ExecutionContext.InvokeCommand.NewScriptBlock($Group)",
        "$x.Invoke($Group)",
        "Invoke-Command -ScriptBlock $x",
        "Get-Thing (",
        "Get-Thing )",
        "'open",
        "{ ( } )",
    ],
)
def test_what_could_run_a_value_or_does_not_parse_is_refused(tmp_path: Path, line: str) -> None:
    with pytest.raises(Misconfigured):
        _ = script(tmp_path, f"{GOOD}{line}\n").slots


@pytest.mark.parametrize(
    "text",
    [f"param()\n{HEAD}", f"# What.\n{HEAD}", "# What.\nparam()\n", f"# What.\n{HEAD}param()\n"],
)
def test_a_script_says_what_it_does_and_stops_at_errors(tmp_path: Path, text: str) -> None:
    with pytest.raises(Misconfigured):
        _ = script(tmp_path, text).slots


def test_every_script_and_set_up_file_of_the_product_has_matching_brackets(tmp_path: Path) -> None:
    found = [path for id_ in BUILT_IN.manifests() for path in BUILT_IN.folder(id_).rglob("setup/*.ps1")]
    assert found
    for path in found:
        # Set-up files begin with [CmdletBinding()] and call programs by name: only their brackets are looked at.
        text = f"# What.\nparam()\n{HEAD}" + path.read_text().replace("& dsacls.exe", "dsacls.exe")
        assert script(tmp_path, text).slots == frozenset()
