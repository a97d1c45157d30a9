# Makes an account a member of a group; does nothing if it is one.
# needs: Write Members on the group
param(
    [Parameter(Mandatory)] [guid] $Group,
    [Parameter(Mandatory)] [string] $Account
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Add-ADGroupMember -Identity $Group -Members $Account
