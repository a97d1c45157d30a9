# Makes an account a member of a group for some seconds: the directory itself takes it out.
# needs: Write Members on the group, and Privileged Access Management on in the forest
param(
    [Parameter(Mandatory)] [guid] $Group,
    [Parameter(Mandatory)] [string] $Account,
    [Parameter(Mandatory)] [int] $Seconds
)
Set-StrictMode -Version 1
$ErrorActionPreference = 'Stop'
$PSDefaultParameterValues = @{ '*-AD*:Server' = $env:COMPUTERNAME }

Add-ADGroupMember -Identity $Group -Members $Account -MemberTimeToLive (New-TimeSpan -Seconds $Seconds)
