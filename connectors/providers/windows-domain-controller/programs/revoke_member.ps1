# Takes an account out of a group; does nothing if it is not in it.
# needs: Write Members on the group
param(
    [Parameter(Mandatory)] [guid] $Group,
    [Parameter(Mandatory)] [string] $Account
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Remove-ADGroupMember -Identity $Group -Members $Account -Confirm:$false
