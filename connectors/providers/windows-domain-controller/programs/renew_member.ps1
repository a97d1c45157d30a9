# Takes the end away that a member of a group had.
# needs: Write Members on the group
param(
    [Parameter(Mandatory)] [guid] $Group,
    [Parameter(Mandatory)] [string] $Account
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Set-ADGroup -Identity $Group -Remove @{ member = $Account } -Add @{ member = $Account }
