# Gives a member of a group another end: the directory itself takes it out after so many seconds.
# needs: Write Members on the group, and Privileged Access Management on in the forest
param(
    [Parameter(Mandatory)] [guid] $Group,
    [Parameter(Mandatory)] [string] $Account,
    [Parameter(Mandatory)] [int] $Seconds
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Set-ADGroup -Identity $Group -Remove @{ member = $Account } -Add @{ member = "<TTL=$Seconds,$Account>" }
